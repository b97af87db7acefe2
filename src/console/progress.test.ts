import { expect, test } from "vitest";
import { MemoryIo } from "../../test/support/memory-io.ts";
import type { Progress } from "../jobs/progress.ts";
import { progressDisplay, progressMode } from "./progress.ts";

const HALF: Progress = {
  phase: "copying",
  done: 512_000,
  total: 1_024_000,
  rate: 1e6,
  etaMs: 512.4,
};

test("json is one object a line", async () => {
  const io = new MemoryIo();
  const display = await progressDisplay("json", io);
  display.show?.(HALF);
  display.show?.({ phase: "syncing", done: 0, total: 0, rate: 0.4, etaMs: undefined });
  display.end();
  const lines = io.stderr.text.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { phase: "copying", done: 512_000, total: 1_024_000, rate: 1_000_000, etaMs: 512 },
    { phase: "syncing", done: 0, total: 0, rate: 0 },
  ]);
  expect(io.stdout.text).toBe("");
});

test("nothing is shown where nobody looks, or nobody wants it", async () => {
  for (const [mode, io] of [
    ["auto", new MemoryIo()],
    ["none", new MemoryIo({ stderrIsTerminal: true })],
    ["auto", new MemoryIo({ stderrIsTerminal: true, env: { TERM: "dumb" } })],
  ] as const) {
    const display = await progressDisplay(mode, io);
    expect(display.show).toBeUndefined();
    display.end();
    expect(io.stderr.text).toBe("");
  }
});

test("a terminal gets a bar, without colours, once the job has lasted", async () => {
  const io = new MemoryIo({ stderrIsTerminal: true, env: { NO_COLOR: "1" } });
  const display = await progressDisplay("auto", io);
  display.show?.(HALF);
  expect(io.stderr.text).toBe("");
  io.nowMs += 1000;
  display.show?.(HALF);
  display.end();
  expect(io.stderr.text).toContain("copying [###############---------------] 50 %");
  expect(io.stderr.text).toContain("512 kB of 1.0 MB | 1.0 MB/s | 512 ms left");
  const sequences = io.stderr.text.split(`${String.fromCharCode(27)}[`).slice(1);
  expect(sequences.length).toBeGreaterThan(0);
  expect(sequences.filter((rest) => /^[\d;]*m/.test(rest))).toEqual([]);
  expect(io.stdout.text).toBe("");
});

test("only the three modes are known", () => {
  expect(progressMode("json")).toBe("json");
  expect(() => progressMode("yes")).toThrow('unknown progress mode "yes"');
});
