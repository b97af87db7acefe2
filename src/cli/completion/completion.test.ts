import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { MemoryIo } from "../../../test/support/memory-io.ts";
import type { Program } from "../../console/command.ts";
import { main } from "../../console/main.ts";
import { ETCDCTL } from "../etcdctl.ts";
import { ETCDUTL } from "../etcdutl.ts";

async function scriptFor(program: Program, shell: string): Promise<string> {
  const io = new MemoryIo();
  expect(await main(program, ["completion", shell], io)).toBe(0);
  expect(io.stderr.text).toBe("");
  return io.stdout.text;
}

async function fileFor(program: Program, shell: string): Promise<string> {
  const file = join(scratchFolder("completion"), `${program.name}.${shell}`);
  writeFileSync(file, await scriptFor(program, shell));
  return file;
}

describe.each([ETCDCTL, ETCDUTL])("bash, $name", (program) => {
  let file = "";

  beforeAll(async () => {
    file = await fileFor(program, "bash");
  });

  /** What bash would offer for the last word. */
  function offered(...words: readonly string[]): string[] {
    const script =
      'set -u; source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); ' +
      `_${program.name}; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const args = ["--norc", "-c", script, "bash", file, program.name, ...words];
    const said = execFileSync("bash", args, { encoding: "utf8" });
    return said.split("\n").filter((word) => word !== "");
  }

  test("is what bash takes, and is asked by it", () => {
    const script = 'source "$1"; complete -p "$2"';
    const said = execFileSync("bash", ["--norc", "-c", script, "bash", file, program.name], {
      encoding: "utf8",
    });
    expect(said).toBe(`complete -o default -F _${program.name} ${program.name}\n`);
  });

  test("every command is offered, and its subcommands behind it", () => {
    expect(offered("")).toEqual(program.entries.map(({ name }) => name));
    for (const entry of program.entries) {
      expect(offered(entry.name.slice(0, -1))).toContain(entry.name);
      const inside = "entries" in entry ? entry.entries.map(({ name }) => name) : [];
      expect(offered(entry.name, "")).toEqual(inside);
    }
  });

  test("global flags are known everywhere, before the command too", () => {
    for (const words of [["--wri"], ["snapshot", "--wri"], ["snapshot", "status", "--wri"]]) {
      expect(offered(...words)).toEqual(["--write-out"]);
    }
    expect(offered("-w", "table", "snapshot", "st")).toEqual(["status"]);
    expect(offered("--write-out=table", "snapshot", "st")).toEqual(["status"]);
    expect(offered("--write-out", "=", "table", "snapshot", "st")).toEqual(["status"]);
  });

  test("the values of a flag that has few are offered", () => {
    expect(offered("--write-out", "")).toEqual(["simple", "json", "table", "fields", "protobuf"]);
    expect(offered("-w", "j")).toEqual(["json"]);
    expect(offered("snapshot", "status", "--write-out", "=", "ta")).toEqual(["table"]);
    expect(offered("snapshot", "status", "--write-out", "=")).toHaveLength(5);
  });

  test("what is left to files has no words", () => {
    expect(offered("snapshot", "status", "")).toEqual([]);
    expect(offered("snapshot", "--", "st")).toEqual([]);
  });
});

test("flags of groups and commands are offered where they belong, hidden ones nowhere", async () => {
  const script = await scriptFor(ETCDCTL, "bash");
  const flagsAt = (path: string): string[] =>
    new RegExp(`'${path}'\\)\\n.*\\n +flags='([^']*)'`).exec(script)?.[1]?.split(" ") ?? [];
  expect(flagsAt("endpoint hashkv")).toEqual(expect.arrayContaining(["--cluster", "--rev"]));
  expect(flagsAt("member list")).not.toContain("--cluster");
  expect(script).not.toContain("all-columns");
});

test.each(["zsh", "fish", "powershell"])("%s has every command with its summary", async (shell) => {
  for (const program of [ETCDCTL, ETCDUTL]) {
    const script = await scriptFor(program, shell);
    for (const { name, summary } of program.entries) {
      expect(script).toContain(name);
      const plain = summary.split("'")[0] ?? "";
      expect(script).toContain(plain);
    }
    expect(script).not.toContain("all-columns");
    expect(script).not.toMatch(/undefined|\[object/);
  }
  const script = await scriptFor(ETCDCTL, shell);
  const quotedOnce = { zsh: "user'\\''s", fish: "user\\'s", powershell: "user''s" };
  expect(script).toContain(quotedOnce[shell as keyof typeof quotedOnce]);
});

test.each([
  ["zsh", ["-n"]],
  ["fish", ["--no-execute"]],
])("%s, where it is installed, can read its script", async (shell, flags) => {
  const file = await fileFor(ETCDCTL, shell);
  const { error, status, stderr } = spawnSync(shell, [...flags, file], { encoding: "utf8" });
  const isMissing = error !== undefined && "code" in error && error.code === "ENOENT";
  if (!isMissing) expect([status, stderr]).toEqual([0, ""]);
  else expect(status).toBeNull();
});

test.each([
  [[], "accepts 1 arg(s), received 0"],
  [["bash", "zsh"], "accepts 1 arg(s), received 2"],
  [["tcsh"], 'invalid argument "tcsh" for "etcdctl completion"'],
  [["toString"], 'invalid argument "toString" for "etcdctl completion"'],
])("completion %j is refused", async (args, message) => {
  const io = new MemoryIo();
  expect(await main(ETCDCTL, ["completion", ...args], io)).toBe(1);
  expect([io.stdout.text, io.stderr.text]).toEqual(["", `Error: ${message}\n`]);
});
