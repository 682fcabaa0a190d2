import vue from "@vitejs/plugin-vue";
import { ElementPlusResolver } from "unplugin-vue-components/resolvers";
import components from "unplugin-vue-components/vite";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { precompress } from "./build/precompress.ts";

const server = process.env.NORIA_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/",
  plugins: [
    vue(),
    components({ dts: false, dirs: [], resolvers: [ElementPlusResolver({ importStyle: "css" })] }),
    precompress(),
  ],
  define: {
    __VUE_OPTIONS_API__: "true",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_I18N_FULL_INSTALL__: "false",
    __VUE_I18N_LEGACY_API__: "false",
    __INTLIFY_PROD_DEVTOOLS__: "false",
  },
  build: {
    outDir: fileURLToPath(new URL("../src/noria/adapters/http/static", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 900,
    // Fonts of the diagram icons may become data: addresses (the policy allows them for fonts and images only).
    assetsInlineLimit: 0,
  },
  server: { port: 5173, proxy: { "/api": { target: server, changeOrigin: false } } },
  // Few tests need a document; they name it themselves, for making one takes longer than most tests.
  test: { include: ["src/**/*.test.ts"] },
});
