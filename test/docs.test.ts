/** Every command in README and docs is run as it stands there, in a folder that holds the files it names. */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "./support/cleanup.ts";
import { goldenPath } from "./support/golden.ts";

const ROOT = join(import.meta.dirname, "..");

const pages = ["README.md", "native-free/README.md"]
  .concat(
    readdirSync(join(ROOT, "docs"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
  )
  .sort();

interface Shown {
  readonly page: string;
  readonly command: string;
}

const commands: readonly Shown[] = pages.flatMap((page) =>
  [...readFileSync(join(ROOT, page), "utf8").matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .flatMap(([, block]) => (block ?? "").split("\n"))
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

test("long runs that the docs name are scripts of the package", () => {
  for (const { command } of scripted) {
    const name = /npm run (?:-s )?(\S+)/.exec(command)?.[1] ?? "";
    expect(Object.keys(scripts)).toContain(name);
  }
});

test("no page leads to a file that is not there", () => {
  const links = pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), "utf8").matchAll(/\]\(([^)#:]+)\)/g)].map(([, target]) =>
      relative(ROOT, join(ROOT, page, "..", target ?? "")),
    ),
  );
  expect(links.length).toBeGreaterThan(3);
  for (const link of links) expect([link, existsSync(join(ROOT, link))]).toEqual([link, true]);
});
