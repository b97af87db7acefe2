import { expect, test } from "vitest";
import { differences, pattern, type RanStep, type Step } from "./transcript.ts";

const STEP: Step = {
  args: [],
  env: {},
  stdin: "",
  stdout: "a 1\n",
  stderr: "",
  code: 0,
  drop: [],
  volatile: [],
};

function ran(stdout: string, code: number | string = 0): RanStep {
  return { code, stdout: Buffer.from(stdout, "latin1"), stderr: Buffer.alloc(0) };
}

function differs(step: Partial<Step>, outcome: RanStep): boolean {
  return differences({ ...STEP, ...step }, outcome, (text) => text).length > 0;
}

test("Python's patterns mean here what they mean there", () => {
  expect("a\nWARN x\nb\n".replace(pattern("(?m)^WARN.*\\n"), "")).toBe("a\nb\n");
  expect("1, 2 kB\n".replace(pattern("\\d+ kB$"), "<V>")).toBe("1, <V>\n");
  expect("panic: a\nb".replace(pattern("(?s)panic: .*"), "")).toBe("");
});

test("an id may begin with zeros, which are left out or blanks", () => {
  const id = pattern("\\b[0-9a-f]{16}\\b");
  for (const text of ["in cluster d731653a9fbd26ab", "in cluster  d731653a9fbd26a"]) {
    expect(text.replace(id, "<V>")).toBe("in cluster <V>");
  }
  expect("d731653a9fbd26a, started".replace(id, "<V>")).toBe("<V>, started");
  expect("cluster d731653a".replace(id, "<V>")).toBe("cluster d731653a");
});

test("exit codes, streams and bytes are compared, and what changes is not", () => {
  expect(differs({}, ran("a 1\n"))).toBe(false);
  expect(differs({}, ran("a 1\n", 1))).toBe(true);
  expect(differs({}, ran("a 2\n"))).toBe(true);
  expect(differs({ volatile: ["\\d"] }, ran("a 2\n"))).toBe(false);
  expect(differs({ code: null, signal: "SIGINT" }, ran("a 1\n", 130))).toBe(false);
  expect(differs({ code: null, signal: "SIGINT" }, ran("a 1\n", "SIGTERM"))).toBe(true);
  expect(differs({ alt: [{ stdout: "b\n", code: 3 }] }, ran("b\n", 3))).toBe(false);
  expect(differs({ unordered: true, stdout: "b\na\n" }, ran("a\nb\n"))).toBe(false);
  expect(differs({ stdout: null, stdout_base64: "/w==" }, ran("\xff"))).toBe(false);
  expect(differs({ stdout: null, stdout_base64: "/w==" }, ran("\xfe"))).toBe(true);
});

test("of a message all but ids and term is compared", () => {
  const header = (member: number, revision: number): string =>
    String.fromCharCode(0x10, member, 0x18, revision);
  const step = { stdout: header(1, 7), proto: "etcdserverpb.ResponseHeader" };
  expect(differs(step, ran(header(2, 7)))).toBe(false);
  expect(differs(step, ran(header(1, 8)))).toBe(true);
  expect(differs(step, ran("no message"))).toBe(true);
});
