/**
 * The house rules that no compiler knows: who may import whom, what may stand only in one place, and what npm brings
 * along. Every rule also asserts that it saw something: a rule that looks at nothing passes for ever.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** Boxes from left to right; those in one row do not know each other. Import only from boxes further right. */
const LAYERS: readonly (readonly string[])[] = [
  ["src/cli"],
  ["src/server"],
  ["src/testing"],
  ["src/engine", "src/client"],
  ["src/console"],
  ["src/jobs"],
  ["src/mvcc", "src/lease", "src/alarm", "src/auth", "src/membership"],
  ["src/backend"],
  ["src/pagefile", "src/wal", "src/grpc"],
  ["src/http2", "src/api"],
  ["src/proto"],
  ["src/base", "native-free"],
];

/** tools/ are offline: from the console on to the right. */
const TOOLS_LAYER = 3;

function filesOf(folder: string, suffix: string): string[] {
  const at = join(ROOT, folder);
  if (!existsSync(at)) return [];
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

const sources = ["src", "native-free", "tools", "bench", "test"].flatMap((folder) =>
  filesOf(folder, ".ts"),
);
const product = sources.filter(
  (file) => !file.endsWith(".test.ts") && !/^(test|bench)\//.test(file),
);

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
    (match) => match[1] as string,
  );
}

function boxOf(file: string): { row: number; box: string } | undefined {
  for (const [row, boxes] of LAYERS.entries()) {
    for (const box of boxes) if (file.startsWith(`${box}/`)) return { row, box };
  }
  return undefined;
}

function layerSlips(file: string): string[] {
  const from = boxOf(file);
  return importsOf(file)
    .filter((name) => name.startsWith("."))
    .map((name) => relative(ROOT, join(ROOT, dirname(file), name)))
    .filter((target) => {
      const to = boxOf(target);
      if (file.startsWith("tools/"))
        return !target.startsWith("tools/") && (to?.row ?? 0) <= TOOLS_LAYER;
      if (from === undefined) return false;
      return to === undefined || (to.box !== from.box && to.row <= from.row);
    })
    .map((target) => `${file} imports ${target}`);
}

test("every file imports only from the layers to its right", () => {
  expect(product.length).toBeGreaterThan(30);
  expect(product.filter((file) => boxOf(file) !== undefined).length).toBeGreaterThan(30);
  expect(product.flatMap(layerSlips)).toEqual([]);
});

test("the layer rule sees a slip", () => {
  expect(boxOf("src/pagefile/page.ts")).toEqual({ row: 8, box: "src/pagefile" });
  expect(boxOf("src/jobs/pool.ts")?.row).toBeLessThan(boxOf("src/wal/frame.ts")?.row ?? 0);
});

/** What a pattern may stand in, and why nowhere else. */
const ONLY_IN: readonly {
  readonly what: string;
  readonly pattern: RegExp;
  readonly files: RegExp;
}[] = [
  {
    what: "node:fs for data",
    pattern: /from "node:fs(\/promises)?"/,
    files:
      /^(native-free\/|src\/cli\/|src\/testing\/temporary-store\.ts|tools\/|src\/jobs\/(defrag-work|database-path|inspect\/(inspected|output))\.ts)/,
  },
  {
    what: "new DataView",
    pattern: /new DataView\(/,
    files: /^(native-free\/|src\/base\/bytes\.ts)/,
  },
  {
    what: "process.exit",
    pattern: /process\.exit\(/,
    files: /^(src\/console\/process\.ts$|src\/cli\/bin\/|tools\/)/,
  },
  { what: "console", pattern: /\bconsole\./, files: /^bench\// },
  { what: "Math.random", pattern: /Math\.random\(/, files: /^src\/base\/random\.ts$/ },
];

for (const { what, pattern, files } of ONLY_IN) {
  test(`${what} stands only where it belongs`, () => {
    const found = product.filter((file) => pattern.test(readFileSync(join(ROOT, file), "utf8")));
    expect(found.filter((file) => !files.test(file))).toEqual([]);
  });
}

test("no test is skipped, singled out or left for later", () => {
  const marks = new RegExp(
    `\\b(?:test|describe|it)\\.(?:${["skip", "only", "todo", "fails"].join("|")})\\b`,
  );
  const found = sources.filter((file) => marks.test(readFileSync(join(ROOT, file), "utf8")));
  // The one place that may skip is where a missing peer is announced, and it fails instead when CI runs it.
  expect(found.filter((file) => file !== "test/support/describe-with-peers.ts")).toEqual([]);
  expect(sources.filter((file) => file.endsWith(".test.ts")).length).toBeGreaterThan(10);
});

interface Manifest {
  readonly name?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly gypfile?: boolean;
}

/** Folders of the packages that an install without development dependencies would hold. */
function productionTree(): string[] {
  const manifest = (folder: string): Manifest =>
    JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const seen = new Set<string>();
  const visit = (folder: string): void => {
    const { dependencies, optionalDependencies } = manifest(folder);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      let at = folder;
      while (!existsSync(join(at, "node_modules", name)) && at !== ROOT) at = dirname(at);
      const found = join(at, "node_modules", name);
      if (!existsSync(found) || seen.has(found)) continue;
      seen.add(found);
      visit(found);
    }
  };
  visit(ROOT);
  return [...seen];
}

test("the production tree has no native code and no install scripts", () => {
  const tree = productionTree();
  expect(tree.map((folder) => relative(ROOT, folder))).toContain("node_modules/piscina");
  for (const folder of tree) {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => /\.(node|gyp|so|dylib|dll|c|cc|cpp)$/.test(file))).toEqual([]);
    const { scripts, gypfile } = JSON.parse(
      readFileSync(join(folder, "package.json"), "utf8"),
    ) as Manifest;
    expect(Object.keys(scripts ?? {}).filter((name) => /^(pre|post)?install$/.test(name))).toEqual(
      [],
    );
    expect(gypfile).not.toBe(true);
  }
});

test("the package that would be published installs without scripts, and holds the built commands", () => {
  const packed = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  ) as { readonly files: readonly { readonly path: string }[] }[];
  const files = (packed[0]?.files ?? []).map(({ path }) => path);
  const { scripts, bin } = JSON.parse(
    readFileSync(join(ROOT, "package.json"), "utf8"),
  ) as Manifest & {
    readonly bin: Readonly<Record<string, string>>;
  };
  expect(Object.keys(scripts ?? {}).filter((name) => /^(pre|post)?install$/.test(name))).toEqual(
    [],
  );
  for (const path of Object.values(bin)) expect(files).toContain(path);
  expect(files.filter((path) => path.endsWith(".node"))).toEqual([]);
  const own = files.filter((path) => !path.startsWith("node_modules/"));
  expect(own.filter((path) => /^test\/|^bench\/|\.test\.|\.map$/.test(path))).toEqual([]);
});
