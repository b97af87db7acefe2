import { describe, expect, test } from "vitest";
import { argumentsOf } from "../../console/arguments.ts";
import { keysOfEnvironment, WATCH_FLAGS, watchAsk, watchLine } from "./watch-line.ts";

function read(line: string, env: Readonly<Record<string, string>> = {}): string {
  const args = argumentsOf(line.split(" ").filter(Boolean), WATCH_FLAGS);
  const parsed = watchLine(args, keysOfEnvironment({ env }));
  const { key = new Uint8Array(), rangeEnd = new Uint8Array() } = watchAsk(parsed, args);
  const [from, to] = [key, rangeEnd].map((bytes) => JSON.stringify(Buffer.from(bytes).toString()));
  return `${from} ${to} ${parsed.exec.join(" ")}`.trim();
}

const BY_ENV = { ETCDCTL_WATCH_KEY: "k" };

describe("what a watch is of, and what it runs", () => {
  test.each([
    ["a", {}, '"a" ""'],
    ["a b", {}, '"a" "b"'],
    ["a b c", {}, '"a" ""'],
    ["--prefix a", {}, '"a" "b"'],
    ["a -- echo x", {}, '"a" "" echo x'],
    ["a -- a b", {}, '"a" "" a b'],
    ["a b -- echo --", {}, '"a" "b" echo --'],
    ["", BY_ENV, '"k" ""'],
    ["", { ...BY_ENV, ETCDCTL_WATCH_RANGE_END: "m" }, '"k" "m"'],
    ["--prefix -- echo x", BY_ENV, '"k" "l" echo x'],
  ])("%j %j", (line, env, wanted) => {
    expect(read(line, env)).toBe(wanted);
  });

  test.each([
    ["", {}, "bad number of arguments"],
    ["-- echo", {}, "bad number of arguments"],
    ["a --", {}, "bad number of arguments (found separator --, but no commands)"],
    ["--", BY_ENV, "bad number of arguments (found separator --, but no commands)"],
    ["a", BY_ENV, "bad number of arguments (found conflicting environment key)"],
    ["a -- echo", BY_ENV, "bad number of arguments (found conflicting environment key)"],
    ["a b --prefix", {}, "`range_end` and `--prefix` are mutually exclusive"],
    [
      "a",
      { ETCDCTL_WATCH_RANGE_END: 'x"' },
      'ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END="x\\""',
    ],
  ])("%j %j is refused", (line, env, why) => {
    expect(() => read(line, env)).toThrow(expect.objectContaining({ exitCode: 128, message: why }));
  });
});
