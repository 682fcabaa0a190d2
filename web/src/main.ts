import { VueQueryPlugin } from "@tanstack/vue-query";
import { createApp } from "vue";
import { whenSessionIsLost } from "./api/client";
import { queryClient } from "./api/queries";
import App from "./App.vue";
import { firstLocale, i18n, libraryLocale, setLocale } from "./i18n";
import { router, toLogin } from "./router";
import { forgetSession } from "./session";
import "./theme.css";
import "./screens.css";
import "./touch.css";

const [{ localeContextKey }] = await Promise.all([
  import("element-plus/es/hooks/use-locale/index.mjs"),
  setLocale(firstLocale()),
]);
whenSessionIsLost(() => {
  forgetSession();
  void toLogin(true);
});
// What the library's own provider component would do, without its weight in every first load.
const app = createApp(App).provide(localeContextKey, libraryLocale);
app.use(i18n).use(VueQueryPlugin, { queryClient }).use(router).mount("#app");
