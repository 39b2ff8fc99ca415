import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

declare const process: { env: Record<string, string> };

// The tests' days are not those of UTC, so that whoever takes one for the other fails. A worker cannot set this itself.
process.env.TZ = "Asia/Ho_Chi_Minh";

// The built files are committed, so that whoever deploys needs no Node.js: the same sources must give the same octets.
export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../../functions/console/site",
    emptyOutDir: true,
    target: "es2022",
    // What is inlined as data: would be refused by the page's policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  test: { environment: "jsdom", pool: "vmThreads", include: ["src/**/*.test.{ts,tsx}"] },
});
