/**
 * What does it cost to have strata: the bytes of a production install, and the time that its import takes?
 *
 *     node dist/bench/store/install.js [--smoke] [--rounds N] [--json FILE]
 *
 * The package is packed from the build and installed in an empty folder, from npm's cache where it can. Where it cannot
 * be installed, its own files and the production packages of the checkout are counted instead.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { projectFolder } from "../../test/support/judge.ts";
import { describeMachine } from "../support/machine.ts";
import { type Spread, spread } from "../support/report.ts";
import { alternate, type Entry, isAnswered, shownSpread } from "./alternate.ts";
import { filesIn, writeReport } from "./data-dir.ts";

export interface InstallFigure {
  /** `installed`: by npm; `counted`: from the checkout, and why. */
  readonly how: string;
  readonly packedBytes: number;
  /** The package's own, without what it brings along. */
  readonly ownBytes: number;
  readonly ownFiles: number;
  readonly allBytes: number;
  readonly allFiles: number;
  readonly packages: number;
}

export interface ImportFigure {
  /** What was imported: the package's name, or a file of it if the name does not lead to it. */
  readonly specifier: string;
  /** Of `import` alone, by the process's own clock. */
  readonly importMs: Spread;
  /** Of the whole process. */
  readonly processMs: Spread;
  /** Of a process that does nothing. */
  readonly emptyMs: Spread;
}

const NAME = "strata";
const ENTRY = "dist/src/index.js";

/**
 * @param network  auto: what npm's cache lacks is fetched; offline: never
 * @returns what it takes, in a folder with `node_modules` to import from
 */
export function install(
  folder: string,
  network: "auto" | "offline" = "auto",
): InstallFigure & { readonly app: string } {
  const root = projectFolder();
  const app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const packed = join(folder, pack(root, folder));
  const packedBytes = statSync(packed).size;
  const quiet = ["--omit=dev", "--no-audit", "--no-fund", "--fetch-retries=0"];
  quiet.push(network === "offline" ? "--offline" : "--prefer-offline");
  const ran = spawnSync("npm", ["install", ...quiet, packed], { cwd: app, encoding: "utf8" });
  const modules = join(app, "node_modules");
  let how = "installed";
  if (ran.status !== 0 || !existsSync(join(modules, NAME))) {
    const why = ran.stderr.split("\n").find((line) => line.includes("error")) ?? `${ran.error}`;
    how = `counted: ${why}`;
    copyFromCheckout(root, packed, modules);
  }
  const all = filesIn(modules);
  const own = all.filter((path) => path.startsWith(`${join(modules, NAME)}/`));
  const ownAlone = own.filter((path) => !path.includes(`/${NAME}/node_modules/`));
  return {
    app,
    how,
    packedBytes,
    ownBytes: bytesOf(ownAlone),
    ownFiles: ownAlone.length,
    allBytes: bytesOf(all),
    allFiles: all.length,
    packages: all.filter((path) => /node_modules\/(@[^/]+\/)?[^/@]+\/package\.json$/.test(path))
      .length,
  };
}

/** What the package itself would bring, from the checkout as it is: nothing is packed or installed. */
export function linkCheckout(folder: string): Pick<InstallFigure, "ownBytes" | "ownFiles"> & {
  readonly app: string;
} {
  const root = projectFolder();
  const app = join(folder, "app");
  mkdirSync(join(app, "node_modules"), { recursive: true });
  symlinkSync(root, join(app, "node_modules", NAME));
  const manifest = readFileSync(join(root, "package.json"), "utf8");
  const { files } = JSON.parse(manifest) as { readonly files: readonly string[] };
  const own = files
    .map((path) => join(root, path))
    .filter((path) => existsSync(path))
    .flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]));
  return { app, ownBytes: bytesOf(own), ownFiles: own.length };
}

/** The name of the file that npm made. */
function pack(root: string, folder: string): string {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const ran = spawnSync("npm", args, { cwd: root, encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`npm pack: ${ran.error ?? ran.stderr}`);
  const [made] = JSON.parse(ran.stdout) as { filename: string }[];
  if (made === undefined) throw new Error("npm pack made nothing");
  return made.filename;
}

function copyFromCheckout(root: string, packed: string, modules: string): void {
  const own = join(modules, NAME);
  mkdirSync(own, { recursive: true });
  const args = ["xzf", packed, "--strip-components=1", "-C", own];
  const ran = spawnSync("tar", args, { encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`tar: ${ran.error ?? ran.stderr}`);
  for (const name of productionPackages(root)) {
    if (existsSync(join(own, "node_modules", name))) continue;
    cpSync(join(root, "node_modules", name), join(modules, name), { recursive: true });
  }
}

function productionPackages(root: string): string[] {
  const args = ["ls", "--omit=dev", "--all", "--parseable"];
  const { stdout } = spawnSync("npm", args, { cwd: root, encoding: "utf8" });
  const prefix = `${root}/node_modules/`;
  return stdout
    .split("\n")
    .filter((line) => line.startsWith(prefix) && existsSync(line))
    .map((line) => line.slice(prefix.length))
    .filter((name) => !name.includes("/node_modules/"));
}

function bytesOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + statSync(path).size, 0);
}

interface Timed {
  readonly processMs: number;
  readonly importMs: number;
}

/** @param app  a folder that the package is installed in */
export async function measureImport(
  app: string,
  rounds: number,
  progress?: (line: string) => void,
): Promise<ImportFigure> {
  const manifest = readFileSync(join(app, "node_modules", NAME, "package.json"), "utf8");
  const { exports, main } = JSON.parse(manifest) as { exports?: unknown; main?: unknown };
  const named = exports !== undefined || main !== undefined;
  const specifier = named ? NAME : `${NAME}/${ENTRY}`;
  const importing = join(app, "importing.js");
  writeFileSync(
    importing,
    `const start = performance.now();
const { Strata } = await import(${JSON.stringify(specifier)});
if (typeof Strata?.open !== "function") throw new Error("no Strata");
process.stdout.write(String(performance.now() - start));
`,
  );
  const time = (...args: readonly string[]): Timed => {
    const start = performance.now();
    const ran = spawnSync(process.execPath, args, { cwd: app, encoding: "utf8" });
    if (ran.status !== 0) throw new Error(`${args.join(" ")}: ${ran.stderr}`);
    return { processMs: performance.now() - start, importMs: Number(ran.stdout) };
  };
  const entries: Entry<Timed>[] = [
    { name: "import", run: async () => time(importing) },
    { name: "empty", run: async () => time("-e", "") },
  ];
  const [imported, empty] = (await alternate(entries, rounds, progress)).map((answered) => {
    if (!isAnswered(answered)) throw new Error("missing" in answered ? answered.missing : "");
    return answered.rounds;
  });
  return {
    specifier,
    importMs: spread((imported ?? []).map(({ importMs }) => importMs)),
    processMs: spread((imported ?? []).map(({ processMs }) => processMs)),
    emptyMs: spread((empty ?? []).map(({ processMs }) => processMs)),
  };
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000).toLocaleString("en")} kB`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      rounds: { type: "string" },
      json: { type: "string" },
    },
  });
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 9));
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error("--rounds starts at 1");
  const folder = scratchFolder("bench-install");
  const machine = describeMachine(folder);
  console.log(machine);
  const figure = install(folder);
  const imported = await measureImport(figure.app, rounds, (line) => console.error(line));
  console.table([
    {
      how: figure.how,
      packed: kilobytes(figure.packedBytes),
      "the package": `${kilobytes(figure.ownBytes)} in ${figure.ownFiles} files`,
      "with all it needs": `${kilobytes(figure.allBytes)} in ${figure.allFiles} files`,
      packages: figure.packages,
    },
  ]);
  const ms = (value: number): string => value.toFixed(0);
  console.table([
    {
      imported: imported.specifier,
      "import, ms": shownSpread(imported.importMs, ms),
      "whole process, ms": shownSpread(imported.processMs, ms),
      "node -e '', ms": shownSpread(imported.emptyMs, ms),
    },
  ]);
  writeReport(values.json, { machine, rounds, install: figure, import: imported });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
