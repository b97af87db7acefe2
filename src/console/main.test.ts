import { describe, expect, test } from "vitest";
import { MemoryIo } from "../../test/support/memory-io.ts";
import type { Arguments, Command, Program } from "./command.ts";
import { Failure } from "./failure.ts";
import type { FlagSpec } from "./flags.ts";
import { main } from "./main.ts";

const FLAGS: readonly FlagSpec[] = [
  { name: "no-value", kind: "bool", default: "false", help: "a switch whose name begins with no-" },
  { name: "value", kind: "string", default: "v", help: "a text" },
  { name: "must", kind: "string", default: "", help: "a text", required: true },
];
const GLOBAL: readonly FlagSpec[] = [
  { name: "endpoints", kind: "list", default: "127.0.0.1:2379", help: "addresses" },
  { name: "timeout", kind: "duration", default: "2s", help: "a time" },
  { name: "bytes", kind: "int", default: "0", help: "a number" },
  { name: "write-out", short: "w", kind: "string", default: "simple", help: "a format" },
];

let seen: Arguments | undefined;
const echo: Command = {
  usage: "group echo <word>",
  description: "Says it again.",
  examples: ["prog group echo hello --must=1"],
  flags: FLAGS,
  run: async (args, io) => {
    seen = args;
    io.stdout.write(`${args.positionals.join("|")}\n`);
    return 7;
  },
};
const failing = (error: unknown): Command => ({
  ...echo,
  flags: [],
  run: () => Promise.reject(error),
});

const PROGRAM: Program = {
  name: "prog",
  summary: "A program",
  version: "1.2.3",
  apiVersion: "3.5",
  globalFlags: GLOBAL,
  entries: [
    { name: "fail", summary: "Fails", load: async () => failing(new Failure(5, "of course")) },
    { name: "bug", summary: "Breaks", load: async () => failing(new TypeError("oops")) },
    {
      name: "group",
      summary: "A group",
      flags: [
        { name: "whole", kind: "bool", default: "false", help: "a switch of the group" },
        { name: "secret", kind: "bool", default: "false", help: "a switch of few", hidden: true },
      ],
      entries: [{ name: "echo", summary: "Says it again", load: async () => echo }],
    },
  ],
};

async function ran(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  seen = undefined;
  const io = new MemoryIo({ env });
  const code = await main(PROGRAM, args, io);
  return { code, out: io.stdout.text, err: io.stderr.text };
}

describe("running a command", () => {
  test("gets its arguments and flags, and its exit code is the program's", async () => {
    const args = ["-w", "json", "gr", "ec", "a", "--must=1", "--no-value", "b", "--", "--c"];
    expect(await ran(args)).toEqual({ code: 7, out: "a|b|--c\n", err: "" });
    expect(seen?.flags.text("write-out")).toBe("json");
    expect(seen?.flags.bool("no-value")).toBe(true);
    expect(seen?.flags.text("value")).toBe("v");
    expect([seen?.flags.given("value"), seen?.flags.given("must")]).toEqual([false, true]);
  });

  test.each([
    [["group", "--whole", "echo", "--must=1"]],
    [["group", "echo", "--must=1", "--whole"]],
    [["group", "--secret", "--whole=1", "echo", "--must=1"]],
  ])("a group's flags are its commands': %j", async (args) => {
    expect((await ran(args)).code).toBe(7);
    expect(seen?.flags.bool("whole")).toBe(true);
  });

  test("a group's flags are in the help of the group and its commands, unless they are hidden", async () => {
    for (const args of [["group"], ["group", "--whole"], ["help", "group", "echo"]]) {
      const { code, out, err } = await ran(args);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toContain("--whole[=false]");
      expect(out).not.toContain("secret");
    }
    expect((await ran(["help"])).out).not.toContain("--whole");
    // Before the group is named, its flag is unknown, and taken to have a value.
    expect((await ran(["--whole", "group", "echo"])).err).toMatch(/^Error: unknown command "echo"/);
  });

  test("the last of a flag given twice counts", async () => {
    await ran(["group", "echo", "--must=1", "--must", "2"]);
    expect(seen?.flags.text("must")).toBe("2");
  });

  test("an argument that names a command is none after the command", async () => {
    expect((await ran(["group", "echo", "--must=1", "echo", "fail"])).out).toBe("echo|fail\n");
  });

  test("a failure is one line and its code", async () => {
    expect(await ran(["fail"])).toEqual({ code: 5, out: "", err: "Error: of course\n" });
  });

  test("a bug is one line, with its stack on request", async () => {
    const { code, err } = await ran(["bug"]);
    expect([code, err]).toEqual([
      1,
      "Error: oops (a bug in strata; set STRATA_DEBUG=1 to see where)\n",
    ]);
    expect((await ran(["bug"], { STRATA_DEBUG: "1" })).err).toContain("main.test.ts");
  });
});

describe("a command line that cannot be read", () => {
  test.each([
    [["fail", "--bogus"], "unknown flag: --bogus"],
    [["fail", "-x"], "unknown shorthand flag: 'x' in -x"],
    [["fail", "--write-out"], "flag needs an argument: --write-out"],
    [
      ["fail", "--help=x"],
      'invalid argument "x" for "-h, --help" flag: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    [
      ["fail", "--bytes=x"],
      'invalid argument "x" for "--bytes" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [
      ["fail", "--timeout=5"],
      'invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"',
    ],
    [
      ["fail", "--timeout=abc"],
      'invalid argument "abc" for "--timeout" flag: time: invalid duration "abc"',
    ],
    [
      ["fail", "--timeout=5x"],
      'invalid argument "5x" for "--timeout" flag: time: unknown unit "x" in duration "5x"',
    ],
    [["group", "echo"], 'required flag(s) "must" not set'],
  ])("%j: usage on stdout, one line on stderr, 1", async (args, message) => {
    const { code, out, err } = await ran(args);
    expect([code, err]).toEqual([1, `Error: ${message}\n`]);
    expect(out).toMatch(/^NAME:\n/);
  });

  test("durations are Go's", async () => {
    for (const text of ["0", "1.5s", "1h30m", "300ms", "-2us", "1m0.5s", ".5s"]) {
      expect((await ran(["fail", `--timeout=${text}`])).code).toBe(5);
    }
  });

  test("an unknown command is said with names near it", async () => {
    expect(await ran(["nosuch", "x"])).toEqual({
      code: 1,
      out: "",
      err: 'Error: unknown command "nosuch" for "prog"\nRun \'prog --help\' for usage.\n',
    });
    expect((await ran(["grup"])).err).toBe(
      'Error: unknown command "grup" for "prog"\n\nDid you mean this?\n\tgroup\n\n' +
        "Run 'prog --help' for usage.\n",
    );
  });
});

describe("help", () => {
  test.each([[[]], [["--help"]], [["-h"]], [["help"]], [["--write-out", "group"]]])(
    "%j shows the program's",
    async (args) => {
      const { code, out, err } = await ran(args);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toContain("NAME:\n  prog - A program\n");
      expect(out).toContain("VERSION:\n  1.2.3\n\nAPI VERSION:\n  3.5\n");
      expect(out).toMatch(
        /COMMANDS:\n {2}bug +Breaks\n {2}fail +Fails\n {2}group echo +Says it again\n/,
      );
      expect(out).toMatch(/ {2}-w, --write-out="simple" +a format\n/);
    },
  );

  test.each([[["group"]], [["group", "bogus"]], [["group", "-h"]], [["help", "group"]]])(
    "%j shows the group's",
    async (args) => {
      const { code, out } = await ran(args);
      expect(code).toBe(0);
      expect(out).toContain("USAGE:\n  prog group <subcommand> [flags]\n");
      expect(out).toMatch(/COMMANDS:\n {2}echo +Says it again\n/);
    },
  );

  test.each([
    [["group", "echo", "--help"]],
    [["help", "group", "echo"]],
    [["-h", "group", "echo", "a"]],
  ])("%j shows the command's, with its example", async (args) => {
    const { code, out } = await ran(args);
    expect(code).toBe(0);
    expect(out).toContain("USAGE:\n  prog group echo <word> [flags]\n");
    expect(out).toContain("EXAMPLES:\n  prog group echo hello --must=1\n");
    expect(out).toMatch(/OPTIONS:\n {2}-h, --help\[=false\] +show this help\n/);
    expect(out).toMatch(/--must="" +a text \(required\)\n/);
    expect(seen).toBeUndefined();
  });

  test("on nothing known is the program's, and says so", async () => {
    const { code, out, err } = await ran(["help", "nosuch", "topic"]);
    expect([code, err]).toEqual([0, "Unknown help topic [`nosuch` `topic`]\n"]);
    expect(out).toContain("prog - A program");
  });
});
