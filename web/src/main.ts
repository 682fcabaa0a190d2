import { VueQueryPlugin } from "@tanstack/vue-query";
import { createApp } from "vue";
import { whenSessionIsLost } from "./api/client";
import { queryClient } from "./api/queries";
import App from "./App.vue";
import { firstLocale, i18n, setLocale } from "./i18n";
import { router, toLogin } from "./router";
import { forgetSession } from "./session";
import "./theme.css";
import "./screens.css";

await setLocale(firstLocale());
whenSessionIsLost(() => {
  forgetSession();
  void toLogin(true);
});
createApp(App).use(i18n).use(VueQueryPlugin, { queryClient }).use(router).mount("#app");
