/**
 * Things that must not outlive this process: children and scratch folders. They go when their test file is done,
 * when the process exits, and when it is told to.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const undo = new Set<() => void>();

/** Registers a synchronous clean-up; call what it returns to do it now, once. */
export function cleanUpAtEnd(work: () => void): () => void {
  const once = (): void => {
    if (undo.delete(once)) work();
  };
  undo.add(once);
  return once;
}

/** A folder of this process alone, removed at the end. */
export function scratchFolder(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `strata-${purpose}-`));
  // Retries, because a server that was just killed may still be writing into it.
  cleanUpAtEnd(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Latest first, so that a server is gone before its data directory. */
export function cleanUpNow(): void {
  for (const work of [...undo].reverse()) work();
}

process.once("exit", cleanUpNow);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    cleanUpNow();
    // This listener is gone by now: the signal does what it does without us.
    process.kill(process.pid, signal);
  });
}

// A vitest worker runs on after a test file, so its end is not soon enough. Only under vitest, because vitest
// cannot be imported outside of it and benchmarks start real servers too.
if (process.env.VITEST !== undefined) (await import("vitest")).afterAll(cleanUpNow);
