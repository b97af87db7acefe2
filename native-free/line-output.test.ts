import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "../test/support/cleanup.ts";
import { LineOutput } from "./line-output.ts";

const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => `line ${i}\n`);

test("lines keep their order, however they are taken", async () => {
  const path = join(scratchFolder("lines"), "log");
  const fd = openSync(path, "a");
  const output = new LineOutput(fd, 1e6);
  for (const line of lines(500)) output.write(line);
  await output.written();
  for (const line of lines(3)) output.write(line);
  await output.written();
  await output.written();
  closeSync(fd);
  expect(readFileSync(path, "utf8")).toBe([...lines(500), ...lines(3)].join(""));
});

test("at the very end nothing is missing", () => {
  const path = join(scratchFolder("lines"), "log");
  const fd = openSync(path, "a");
  const output = new LineOutput(fd, 1e6);
  for (const line of lines(50)) output.write(line);
  output.writeNow();
  const found = new Set(readFileSync(path, "utf8").split("\n"));
  expect(lines(50).filter((line) => !found.has(line.trim()))).toEqual([]);
});

test("a reader that takes nothing costs a bounded memory, and one that is gone nothing", async () => {
  const reader = spawn("sleep", ["100"], { stdio: ["pipe", "ignore", "ignore"] });
  const handle: unknown = reader.stdin && Reflect.get(reader.stdin, "_handle");
  const fd = Number(Reflect.get(Object(handle), "fd"));
  expect(fd).toBeGreaterThan(2);
  const output = new LineOutput(fd, 10_000);
  const line = `${"x".repeat(999)}\n`;
  for (let i = 0; i < 2000; i++) output.write(line);
  reader.kill();
  await output.written();
  output.write("nobody is there\n");
  await output.written();
});
