import { openSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ShortReadError } from "../../native-free/file.ts";
import { CorruptionError, StrataError } from "../base/errors.ts";
import { SystemError } from "../jobs/outcome.ts";
import { cappedLines, endingOf, Failure, Interrupted, UsageError } from "./failure.ts";

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

test("the system's errors are said in Go's words", () => {
  const missing = join(tmpdir(), "strata-nosuch.db");
  const said = (work: () => unknown): string => endingOf(thrownBy(work), false).text;
  expect(said(() => statSync(missing))).toBe(`Error: stat ${missing}: no such file or directory`);
  expect(said(() => openSync(missing, "r"))).toBe(
    `Error: open ${missing}: no such file or directory`,
  );
  expect(said(() => openSync(tmpdir(), "r+"))).toBe(`Error: open ${tmpdir()}: is a directory`);
  const notADirectory = join(import.meta.filename, "x");
  expect(said(() => openSync(notADirectory, "r"))).toBe(
    `Error: open ${notADirectory}: not a directory`,
  );
  expect(said(() => readdirSync(missing))).toBe(
    `Error: scandir ${missing}: no such file or directory`,
  );
});

test.each([
  ["EACCES", "open x.db: permission denied"],
  ["ENOSPC", "open x.db: no space left on device"],
  ["EIO", "open x.db: input/output error"],
  ["EROFS", "open x.db: read-only file system"],
])("%s, made anew after it crossed threads", (code, text) => {
  const error = new SystemError(code, `${code}: whatever`, "open", "x.db");
  expect(endingOf(error, false)).toEqual({ text: `Error: ${text}`, exitCode: 1 });
});

test("damage is said with the file and the place", () => {
  const error = new CorruptionError("x.db", 4096, "page 1 calls itself 7");
  expect(endingOf(error, false).text).toBe("Error: x.db: offset 4096: page 1 calls itself 7");
  const short = new ShortReadError("x.db", 8192, 4096, 100);
  expect(endingOf(short, false).text).toBe(
    "Error: x.db: offset 8192: file ends after 100 of 4096 bytes",
  );
});

test("what is expected comes with its own code", () => {
  expect(endingOf(new Failure(128, "too few"), false)).toEqual({
    text: "Error: too few",
    exitCode: 128,
  });
  expect(endingOf(new UsageError("unknown flag: --x"), false).exitCode).toBe(1);
  expect(endingOf(new StrataError("LOCKED", "x.db: held by etcd (pid 7)"), false)).toEqual({
    text: "Error: x.db: held by etcd (pid 7)",
    exitCode: 1,
  });
  expect(endingOf(new Interrupted("SIGINT"), false).exitCode).toBe(130);
  expect(endingOf(new Interrupted("SIGTERM"), false).exitCode).toBe(143);
});

test("a bug is one line, and its stack is shown on request only", () => {
  const bug = new TypeError("x is not a function\nand more");
  expect(endingOf(bug, false)).toEqual({
    text: "Error: x is not a function (a bug in strata; set STRATA_DEBUG=1 to see where)",
    exitCode: 1,
  });
  expect(endingOf(bug, true).text).toContain("failure.test.ts");
  expect(endingOf("thrown text", false).text).toContain("thrown text");
});

test("of thousands of faults the first hundred are said, and how many more there are", () => {
  const faults = Array.from({ length: 10_000 }, (_, i) => `page ${i}: unreachable unfreed`);
  const lines = cappedLines(["10000 errors found.", ...faults].join("\n")).split("\n");
  expect(lines).toHaveLength(102);
  expect(lines.slice(-2)).toEqual(["page 99: unreachable unfreed", "... and 9900 more"]);
  expect(cappedLines("one\ntwo")).toBe("one\ntwo");
});
