/** Every command in README and docs is run as it stands there, in a folder that holds the files it names. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "./support/cleanup.ts";
import { ACCOUNTED, blocksOf, PAGES, readPage } from "./support/console-blocks.ts";
import { goldenPath } from "./support/golden.ts";

const ROOT = join(import.meta.dirname, "..");

interface Shown {
  readonly page: string;
  readonly command: string;
}

const commands: readonly Shown[] = PAGES.flatMap((page) =>
  blocksOf(page, "sh")
    .flatMap((block) => block.split("\n"))
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((command) => ({ page, command })),
);

const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** Where the commands of the docs are at home: a checkout, a backup, a data dir. */
function home(): string {
  const folder = scratchFolder("docs");
  for (const name of [
    "dist",
    "test",
    "src",
    "native-free",
    "node_modules",
    "package.json",
    "vitest.config.ts",
  ]) {
    symlinkSync(join(ROOT, name), join(folder, name));
  }
  copyFileSync(goldenPath("full.snapshot.db"), join(folder, "backup.db"));
  mkdirSync(join(folder, "default.etcd/member/snap"), { recursive: true });
  copyFileSync(goldenPath("defrag.before.db"), join(folder, "default.etcd/member/snap/db"));
  return folder;
}

/** The set-up is what brought us here, and the tests are what is running. */
const SET_UP = /^npm ci && /;

test("the docs have commands, and the README's two begin with the whole set-up", () => {
  expect(commands.length).toBeGreaterThan(4);
  const setUps = commands.filter(
    ({ page, command }) => page === "README.md" && SET_UP.test(command),
  );
  expect(setUps.map(({ command }) => command).at(-1)).toBe("npm ci && npm test");
  expect(setUps.length).toBe(2);
  expect(readFileSync(join(ROOT, ".ci/run"), "utf8")).toMatch(/^npm ci\nnpm test$/m);
});

/** What takes long or changes the checkout: the line of `.ci/run` that does it, in short. */
const SHORT: Readonly<Record<string, string>> = {
  bench: 'npm run bench -- --smoke --json "$bench_result"',
  profile: 'npm run -s profile -- page-file/random-100 --smoke --out "$profiles"',
  "build:wasm": "npm run -s build:wasm",
  "fuzz:pagefile": "npm run -s fuzz:pagefile -- --count 300 --seed 1",
  "fuzz:http2": "STRATA_FUZZ=100 npm run -s fuzz:http2",
  "fuzz:wal": "STRATA_FUZZ=100 npm run -s fuzz:wal",
};

/** Scripts whose files `npm test` runs by themselves, with less to do. */
const SAMPLED: ReadonlySet<string> = new Set(["test:crash", "build"]);

const SCRIPT = /npm run (?:-s )?([a-z][a-z:0-9]*)/g;

const ci = readFileSync(join(ROOT, ".ci/run"), "utf8").split("\n");

const runnable = commands.filter(({ command }) => !/npm (test|run)\b/.test(command));
const scripted = commands.filter(({ command }) => /npm run\b/.test(command));

test.each(runnable)("$page: $command", ({ command }) => {
  const ran = spawnSync("sh", ["-c", command.replace(SET_UP, "")], {
    cwd: home(),
    encoding: "utf8",
    env: { ...process.env, VITEST: undefined, NO_COLOR: "1" },
  });
  expect(ran, `${ran.stdout}\n${ran.stderr}`).toMatchObject({ status: 0 });
  expect(ran.stdout).not.toBe("");
});

test.each(scripted)("$page: $command, or a short form of it, is run", ({ command }) => {
  const names = [...command.matchAll(SCRIPT)].map(([, name = ""]) => name);
  expect(names).not.toEqual([]);
  for (const name of names) {
    const inShort = SHORT[name] ?? command;
    expect([name, SAMPLED.has(name) || ci.includes(inShort)]).toEqual([name, true]);
  }
});

test("every script and every test file that a page names is there", () => {
  const texts = PAGES.map((page) => [page, readPage(page)] as const);
  const named = texts.flatMap(([page, text]) =>
    [...text.matchAll(SCRIPT)].map(([, name = ""]) => [page, name] as const),
  );
  expect(named.length).toBeGreaterThan(10);
  for (const [page, name] of named)
    expect([page, name, name in scripts]).toEqual([page, name, true]);
  const files = texts.flatMap(([page, text]) =>
    [...text.matchAll(/\b(?:src|test|native-free|tools|bench)\/[\w./-]*\.test\.ts/g)].map(
      ([file]) => [page, file] as const,
    ),
  );
  expect(files.length).toBeGreaterThan(40);
  for (const [page, file] of files) {
    expect([page, file, existsSync(join(ROOT, file))]).toEqual([page, file, true]);
  }
});

test("every block that shows a terminal is typed by a test", () => {
  const shown = PAGES.flatMap((page) =>
    blocksOf(page, "console|bash|shell|shell-session").map((block) => ({ page, block })),
  );
  expect(shown.map(({ page }) => page)).toEqual(ACCOUNTED.map(({ page }) => page));
  for (const [i, { page, block }] of shown.entries()) {
    const { opens = "", typedBy = "" } = ACCOUNTED[i] ?? {};
    expect([page, block.slice(0, opens.length)]).toEqual([page, opens]);
    expect(existsSync(join(ROOT, typedBy))).toBe(true);
  }
  const languages = PAGES.flatMap((page) =>
    [...readPage(page).matchAll(/^```(.*)\n[\s\S]*?^```$/gm)].map(([, language]) => language),
  );
  const known = ["", "sh", "bash", "console", "js", "ts", "text", "ini", "yaml"];
  expect([...new Set(languages)].filter((language) => !known.includes(language ?? ""))).toEqual([]);
});

test("no page leads to a file that is not there", () => {
  const links = PAGES.flatMap((page) =>
    [...readPage(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target]) =>
      relative(ROOT, join(ROOT, page, "..", target ?? "")),
    ),
  );
  expect(links.length).toBeGreaterThan(3);
  for (const link of links) expect([link, existsSync(join(ROOT, link))]).toEqual([link, true]);
});
