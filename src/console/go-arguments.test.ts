import { describe, expect, test } from "vitest";
import type { CommandEntry, CommandGroup } from "./command.ts";
import type { FlagSpec } from "./flags.ts";
import { findCommand, goArguments } from "./go-arguments.ts";

const FLAGS: readonly FlagSpec[] = [
  { name: "write-out", short: "w", kind: "string", default: "simple", help: "" },
  { name: "hex", kind: "bool", default: "false", help: "" },
  { name: "interactive", short: "i", kind: "bool", default: "false", help: "" },
  { name: "limit", kind: "int", default: "0", help: "" },
];

describe("flags in pflag's forms", () => {
  test.each([
    [["--write-out=json"], ["--write-out=json"], []],
    [["--write-out", "json"], ["--write-out=json"], []],
    [["--write-out="], ["--write-out="], []],
    [["-w", "json"], ["--write-out=json"], []],
    [["-wjson"], ["--write-out=json"], []],
    [["-w=json"], ["--write-out=json"], []],
    [["-iw", "json"], ["--interactive=true", "--write-out=json"], []],
    [["--hex"], ["--hex=true"], []],
    [["--hex=false"], ["--hex=false"], []],
    [["--hex", "false"], ["--hex=true"], ["false"]],
    [["-i=false"], ["--interactive=false"], []],
    [["a", "--limit", "-5", "b"], ["--limit=-5"], ["a", "b"]],
    [["--write-out", "--hex"], ["--write-out=--hex"], []],
    [["a", "--", "--hex", "-x", "--"], [], ["a", "--hex", "-x", "--"]],
    [["-", ""], [], ["-", ""]],
  ])("%j", (args, options, positionals) => {
    expect(goArguments(args, FLAGS)).toMatchObject({ options, positionals });
  });

  test("what stands behind the first -- is told apart", () => {
    expect(goArguments(["a", "--hex", "--", "b", "--"], FLAGS)).toEqual({
      options: ["--hex=true"],
      positionals: ["a", "b", "--"],
      behindDashes: ["b", "--"],
    });
    expect(goArguments(["a", "--"], FLAGS).behindDashes).toEqual([]);
    expect(goArguments(["a"], FLAGS).behindDashes).toBeUndefined();
  });

  test.each([
    [["--bogus"], "unknown flag: --bogus"],
    [["--write"], "unknown flag: --write"],
    [["-z"], "unknown shorthand flag: 'z' in -z"],
    [["-izy"], "unknown shorthand flag: 'z' in -zy"],
    [["--write-out"], "flag needs an argument: --write-out"],
    [["-w"], "flag needs an argument: 'w' in -w"],
    [["--=x"], "bad flag syntax: --=x"],
    [["---x"], "bad flag syntax: ---x"],
  ])("%j is refused in pflag's words", (args, message) => {
    expect(() => goArguments(args, FLAGS)).toThrow(message);
  });
});

describe("finding the command", () => {
  const entry = (name: string): CommandEntry => ({
    name,
    summary: "",
    load: () => Promise.reject(new Error("not to be loaded")),
  });
  const root: CommandGroup = {
    name: "etcdctl",
    summary: "",
    entries: [
      entry("get"),
      entry("lock"),
      entry("version"),
      { name: "lease", summary: "", entries: [entry("list"), entry("list-all"), entry("grant")] },
    ],
  };
  const found = (...args: string[]): [string, readonly string[], string | undefined] => {
    const { path, rest, unknown } = findCommand(root, args, FLAGS);
    return [path.map(({ name }) => name).join(" "), rest, unknown];
  };

  test.each([
    [["get", "a", "b"], "etcdctl get", ["a", "b"], "a"],
    [["ge", "a"], "etcdctl get", ["a"], "a"],
    [["l", "grant"], "etcdctl", ["l", "grant"], "l"],
    [["le", "gr", "60"], "etcdctl lease grant", ["60"], "60"],
    [["lease", "list"], "etcdctl lease list", [], undefined],
    [["lease", "lis"], "etcdctl lease", ["lis"], "lis"],
    [["lease"], "etcdctl lease", [], undefined],
    [["-w", "json", "get", "a"], "etcdctl get", ["-w", "json", "a"], "a"],
    [["--hex", "get", "a"], "etcdctl get", ["--hex", "a"], "a"],
    [["--bogus", "get", "foo"], "etcdctl", ["--bogus", "get", "foo"], "foo"],
    [["--bogus=1", "get", "foo"], "etcdctl get", ["--bogus=1", "foo"], "foo"],
    [["--write-out", "get"], "etcdctl", ["--write-out", "get"], undefined],
    [["--", "get"], "etcdctl", ["--", "get"], undefined],
    [[], "etcdctl", [], undefined],
  ])("%j", (args, path, rest, unknown) => {
    expect(found(...args)).toEqual([path, rest, unknown]);
  });
});
