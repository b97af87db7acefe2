/** The built commands as processes: names, exit codes, streams. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { builtFile, type CommandName, run } from "../support/built-cli.ts";
import { sayHere } from "../support/command-here.ts";
import { goldenPath } from "../support/golden.ts";

const ROOT = join(import.meta.dirname, "../..");
const COMMANDS: readonly CommandName[] = ["etcdctl", "etcdutl", "strata-defrag"];

describe.each([...COMMANDS, "strata"] as const)("%s", (name) => {
  test("is a file that a shell can run, and package.json names it", () => {
    const path = builtFile(name);
    accessSync(path, constants.X_OK);
    expect(readFileSync(path, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { bin } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      readonly bin: Readonly<Record<string, string>>;
    };
    expect(join(ROOT, bin[name] ?? "")).toBe(path);
  });
});

describe.each(COMMANDS)("%s", (name) => {
  test("--help is on stdout, and 0", async () => {
    const { code, stdout, stderr } = await run(name, ["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^NAME:\n  ${name} - `));
  });

  test("an unknown flag is 1, with its usage on stdout", async () => {
    const { code, stdout, stderr } = await run(name, ["--bogus"]);
    expect([code, stderr]).toEqual([1, "Error: unknown flag: --bogus\n"]);
    expect(stdout).toMatch(/^NAME:\n/);
  });
});

test.each([
  ["etcdctl", ["defrag", "--help"], "etcdctl defrag"],
  ["etcdctl", ["snapshot", "status", "--help"], "etcdctl snapshot status"],
  ["etcdctl", ["version", "--help"], "etcdctl version"],
  ["etcdutl", ["defrag", "--help"], "etcdutl defrag"],
  ["etcdutl", ["snapshot", "status", "--help"], "etcdutl snapshot status"],
  ["etcdutl", ["version", "--help"], "etcdutl version"],
  ["strata-defrag", ["--help"], "strata-defrag"],
] as const)("%s %j shows an example", async (name, args, line) => {
  const { code, stdout } = await sayHere(name, args);
  expect(code).toBe(0);
  expect(stdout).toContain(`EXAMPLES:\n  ${line}`);
});

test("npx finds them in a checkout", () => {
  // In a checkout that npx has not seen yet it would run `prepare`, which takes the build away from under other tests.
  const ran = spawnSync("npx", ["--no-install", "--ignore-scripts", "etcdctl", "version"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(ran.stdout).toMatch(/^etcdctl version: .*\+strata\nAPI version: 3\.5\n$/);
});

test("results and errors keep to their streams and codes", async () => {
  const golden = goldenPath("restore.db");
  const cases = [
    [["sn", "st", golden], 0, "6985134, 11, 17, 33 kB\n", ""],
    [["--hex", "snapshot", "-w=simple", "status", "--", golden], 0, "6985134, 11, 17, 33 kB\n", ""],
    [["snapshot", "status"], 128, "", "Error: snapshot status requires exactly one argument\n"],
    [["snapshot", "status", golden, "-wxml"], 4, "", "Error: unsupported output format\n"],
    [
      ["snapshot", "status", golden, "-w", "protobuf"],
      4,
      "",
      "Error: protobuf not supported as output format\n",
    ],
    [
      ["versoin"],
      1,
      "",
      'Error: unknown command "versoin" for "etcdctl"\n\nDid you mean this?\n\tversion\n\n' +
        "Run 'etcdctl --help' for usage.\n",
    ],
  ] as const;
  for (const [args, code, stdout, stderr] of cases) {
    expect(await run("etcdctl", args, { env: { ETCDCTL_API: "3" } })).toEqual({
      code,
      stdout,
      stderr,
    });
  }
});

test("progress for programs is JSON on stderr, and the result stays alone on stdout", async () => {
  const args = ["snapshot", "status", goldenPath("full.snapshot.db"), "--progress=json"];
  const { code, stdout, stderr } = await run("etcdutl", args);
  expect([code, stdout]).toEqual([0, "e245ca26, 30, 4, 192 kB, \n"]);
  const lines = stderr.trimEnd().split("\n");
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({ phase: expect.any(String), rate: expect.any(Number) });
  }
  const last = JSON.parse(lines.at(-1) ?? "") as { readonly phase: string };
  expect(last.phase).toBe("checking and hashing");
});

test("a reader that goes away ends it quietly", () => {
  const command = `"${builtFile("etcdctl")}" --help | true`;
  const ran = spawnSync("bash", ["-c", command], { encoding: "utf8" });
  expect(ran.stderr).toBe("");
});
