import { describe, expect, test } from "vitest";
import { type GoFlag, GoFlagError, readGoFlags } from "./go-flag.ts";

const FLAGS: readonly GoFlag[] = [
  { name: "name", kind: "string" },
  { name: "on", kind: "bool" },
  { name: "no-sync", kind: "bool" },
  { name: "size", kind: "int" },
  { name: "count", kind: "uint" },
  { name: "streams", kind: "uint32" },
  { name: "wait", kind: "duration" },
  { name: "names", kind: "list" },
];

const read = (...args: string[]) => readGoFlags(args, FLAGS);
const values = (...args: string[]) => Object.fromEntries(read(...args).values);

describe("Go's flags", () => {
  test("one dash or two, with = or the next word; switches take no next word", () => {
    expect(values("--name=a", "-size", "5", "-on", "--no-sync=false", "--wait", "1m30s")).toEqual({
      name: "a",
      size: 5,
      on: true,
      "no-sync": false,
      wait: 90_000,
    });
    expect(values("--name", "-on")).toEqual({ name: "-on" });
    expect(values("-name=")).toEqual({ name: "" });
    expect(values("-name=a=b", "--names=x,y,", "--name=c")).toEqual({
      name: "c",
      names: ["x", "y", ""],
    });
  });

  test.each([
    ["0x10", 16],
    ["-0b11", -3],
    ["0o17", 15],
    ["017", 15],
    ["1_000", 1000],
    ["+7", 7],
    ["0", 0],
  ])("the integer %s", (text, value) => {
    expect(values(`--size=${text}`)).toEqual({ size: value });
  });

  test("the flags end at the first word that is none, or after --", () => {
    expect(read("--on", "false", "--name=x")).toMatchObject({ positionals: ["false", "--name=x"] });
    expect(read("--on", "--", "--name=x")).toMatchObject({ positionals: ["--name=x"] });
    expect(read("-", "--name=x")).toMatchObject({ positionals: ["-", "--name=x"] });
  });

  test.each(["-h", "--help", "-help", "--h=1"])("%s asks for help", (word) => {
    expect(read("--on", word, "--nosuch").help).toBe(true);
  });

  test.each([
    [["--nosuch"], "flag provided but not defined: -nosuch"],
    [["-nosuch=1"], "flag provided but not defined: -nosuch"],
    [["--constructor"], "flag provided but not defined: -constructor"],
    [["---on"], "bad flag syntax: ---on"],
    [["--=x"], "bad flag syntax: --=x"],
    [["-name"], "flag needs an argument: -name"],
    [["--size=abc"], 'invalid value "abc" for flag -size: parse error'],
    [["--size=08"], 'invalid value "08" for flag -size: parse error'],
    [["--size="], 'invalid value "" for flag -size: parse error'],
    [
      ["--size=9223372036854775808"],
      'invalid value "9223372036854775808" for flag -size: value out of range',
    ],
    [["--count=-1"], 'invalid value "-1" for flag -count: parse error'],
    [["--wait=5"], 'invalid value "5" for flag -wait: parse error'],
    [["--on=maybe"], 'invalid boolean value "maybe" for -on: parse error'],
    [
      ["--streams=x"],
      'invalid value "x" for flag -streams: strconv.ParseUint: parsing "x": invalid syntax',
    ],
    [
      ["--streams=4294967296"],
      'invalid value "4294967296" for flag -streams: strconv.ParseUint: parsing "4294967296": value out of range',
    ],
    [["--size=x", "--nosuch"], 'invalid value "x" for flag -size: parse error'],
  ])("%s is refused in Go's words", (args, message) => {
    expect(() => readGoFlags(args, FLAGS)).toThrow(new GoFlagError(message));
  });
});
