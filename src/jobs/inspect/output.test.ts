import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Output } from "./output.ts";

let folder = "";
let fd = -1;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "strata-output-"));
  fd = openSync(join(folder, "report"), "w");
});
afterEach(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

function printed(): string {
  return readFileSync(join(folder, "report"), "utf8");
}

test("what is let through appears in pieces, and the last one at the end", () => {
  const out = new Output(fd);
  out.letThrough("head\n");
  out.write("x");
  expect(printed()).toBe("");
  out.write("y".repeat(70_000));
  expect(printed()).toHaveLength(70_006);
  out.write("z");
  out.end();
  expect(printed()).toBe(`head\nx${"y".repeat(70_000)}z`);
});

test("what is held appears behind its head, in order, the last attempt alone", () => {
  const out = new Output(fd);
  out.hold();
  out.write("an attempt that came to nothing".repeat(10_000));
  out.hold();
  const lines = Array.from({ length: 50_000 }, (_, i) => `${i}\n`);
  for (const line of lines) out.write(line);
  expect(printed()).toBe("");
  out.end("head\n");
  expect(printed()).toBe(`head\n${lines.join("")}`);
});

test("much that is held goes through a file that has no name, whatever its letters", () => {
  const out = new Output(fd);
  out.hold();
  const line = `${"é".repeat(500)}\n`;
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("strata-inspect-"));
  for (let i = 0; i < 40_000; i++) out.write(line); // 40 MB
  const now = readdirSync(tmpdir()).filter((name) => /^strata-inspect-[0-9a-f-]{36}$/.test(name));
  expect(now.filter((name) => !before.includes(name))).toEqual([]);
  out.end("head\n");
  expect(printed()).toBe(`head\n${line.repeat(40_000)}`);
});

test("a report that fails leaves nothing printed", () => {
  const out = new Output(fd);
  out.hold();
  out.write("half");
  out.close();
  out.letThrough("head\n");
  out.close();
  expect(printed()).toBe("");
});
