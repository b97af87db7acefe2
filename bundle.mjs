/**
 * etcdctl, etcdutl, strata's commands and the tools as few files: reading modules one by one is most of what a short command does. tsc has made
 * JavaScript of them before. Packages stay what they are, and are loaded from where they are installed; so do the files
 * that threads begin with. docs/decisions/0008-etcdctl.md has the figures.
 */
import { existsSync, readFileSync } from "node:fs";
import { build } from "rolldown";

const BINS = "dist/src/cli/bin";
const TOOLS = "dist/tools";

/** What every run needs comes in one piece, and what every command that talks to a server needs in another. */
const START =
  /\/src\/(?:base|console)\/(?!go-flag|help|password|progress|sizes|suggestions|table|job)|\/src\/cli\/(?:global-flags|output-format|version)/;
const CLIENT =
  /\/src\/client\/(?:transport\/|[^/]*$)|\/src\/cli\/(?:session|client-config|environment|print\/)|\/tables\/(?:message-table|header|key-value|kv)\.js$/;

/** So that positions lead to the source, and not only to what tsc made of it. */
const mapsOfTsc = {
  name: "maps-of-tsc",
  load(id) {
    if (!existsSync(`${id}.map`)) return undefined;
    return { code: readFileSync(id, "utf8"), map: readFileSync(`${id}.map`, "utf8") };
  },
};

const PROGRAMS = [
  { dir: BINS, name: "etcdctl" },
  { dir: BINS, name: "etcdutl" },
  { dir: BINS, name: "strata" },
  { dir: TOOLS, name: "inspect" },
  { dir: TOOLS, name: "defrag" },
];

for (const { dir, name } of PROGRAMS) {
  await build({
    input: `${dir}/${name}.js`,
    platform: "node",
    // The server runs for long: what it is loaded from does not matter, and its errors are said by itself.
    external: [/^[^./]/, /\/jobs\/worker-file\.js$/, /\/cli\/serve\.js$/],
    plugins: [mapsOfTsc],
    output: {
      dir,
      format: "esm",
      sourcemap: true,
      chunkFileNames: `${name}/[name].js`,
      codeSplitting: {
        groups: [
          { name: "start", test: START, priority: 2 },
          { name: "client", test: CLIENT, priority: 1 },
        ],
      },
    },
    logLevel: "warn",
    checks: { ineffectiveDynamicImport: false },
  });
}
