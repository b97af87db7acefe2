/**
 * etcdctl and etcdutl as few files: most of the time a short command takes is Node reading modules one by one. tsc has
 * made JavaScript of them before. Packages stay what they are, and are loaded from where they are installed.
 */
import { existsSync, readFileSync } from "node:fs";
import { defineConfig, type RolldownOptions } from "rolldown";

const BINS = "dist/src/cli/bin";

const config: RolldownOptions = defineConfig({
  input: [`${BINS}/etcdctl.js`, `${BINS}/etcdutl.js`],
  platform: "node",
  external: [/^[^./]/, /\/jobs\/worker-file\.js$/],
  plugins: [
    {
      name: "maps-of-tsc",
      load(id) {
        if (!existsSync(`${id}.map`)) return;
        return { code: readFileSync(id, "utf8"), map: readFileSync(`${id}.map`, "utf8") };
      },
    },
  ],
  output: {
    dir: BINS,
    format: "esm",
    sourcemap: true,
    chunkFileNames: "chunks/[name].js",
  },
});
export default config;
