import { defineConfig, type Plugin } from "vite";
import { INITIAL_SCRIPT_LIMIT_BYTES, measureInitialScript } from "./build/initial-script.ts";

/** Says after each build what a learner downloads before the lesson is readable, and fails past the limit. */
function initialScriptSize(): Plugin {
  return {
    name: "initial-script-size",
    apply: "build",
    generateBundle(_options, bundle) {
      const { gzipBytes } = measureInitialScript(Object.values(bundle));
      const kb = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`;
      const limit = kb(INITIAL_SCRIPT_LIMIT_BYTES);
      this.info(`initial script: ${kb(gzipBytes)} gzip (limit ${limit})`);
      if (gzipBytes > INITIAL_SCRIPT_LIMIT_BYTES) {
        this.error(`The initial script is ${kb(gzipBytes)} gzip; the limit is ${limit}.`);
      }
    },
  };
}

export default defineConfig({
  plugins: [initialScriptSize()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    target: "es2022",
    // Nothing inline: the page's content security policy allows only files of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
