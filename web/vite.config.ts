import { defineConfig } from "vitest/config";

// The engine serves `dist` under a policy of its own origin only: nothing inline, nothing as data:.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
  },
  server: {
    proxy: { "/api": "http://127.0.0.1:8080", "/live": { target: "ws://127.0.0.1:8080", ws: true } },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
