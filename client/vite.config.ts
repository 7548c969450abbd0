/**
 * The browser bundle. Everything is a file of its own origin (no inlined assets), because the engine serves it under a
 * strict content security policy; msgpackr comes in its build without `new Function` for the same reason.
 */
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import preact from "@preact/preset-vite"
import { defineConfig } from "vite"

const require = createRequire(import.meta.url)

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/",
  plugins: [preact({ prefreshEnabled: false, devToolsEnabled: false })],
  resolve: { alias: [{ find: /^msgpackr$/, replacement: require.resolve("msgpackr/index-no-eval") }] },
  build: {
    outDir: "../dist/client",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "maplibre", test: /node_modules\/(maplibre-gl|@maplibre)\// },
            { name: "deck", test: /node_modules\/(@deck\.gl|@luma\.gl|@math\.gl|@probe\.gl|@loaders\.gl)\// },
          ],
        },
      },
    },
  },
})
