/**
 * A data dir with everything that maintenance has to deal with: live keys, old revisions of them, free pages. Made by
 * our own puts; a real etcd starts on a copy of it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Strata } from "../../src/index.ts";
import { xorshift32 } from "../../test/support/workload.ts";
import { keyOf, valuesOf } from "../store/workload.ts";

/**
 * Every key is put once; then random ones are, `old` times, and each of those puts makes one revision old. The first
 * `compacted` of the old ones are given up: their pages are free.
 */
export interface Content {
  readonly keys: number;
  readonly old: number;
  readonly compacted: number;
  readonly valueBytes: number;
}

/** So that a compaction of as many revisions as there are keys leaves something. */
export function contentOf(keys: number, valueBytes: number): Content {
  return { keys, old: Math.round(keys * 2.5), compacted: keys, valueBytes };
}

/** A compaction at this one gives up `count` revisions more. */
export function revisionToCompact({ keys, compacted }: Content, count: number): number {
  return 1 + keys + compacted + count;
}

const CALLERS = 1000;
const QUOTA_BYTES = 64 * 2 ** 30;
const SEED = 4711;

export async function make(dir: string, content: Content): Promise<void> {
  const { keys, old, valueBytes } = content;
  // Whoever copies it brings it to the disk.
  const options = { quotaBytes: QUOTA_BYTES, unsafeNoFsync: true, log: () => undefined };
  await using store = await Strata.open({ dir }, options);
  const value = valuesOf(valueBytes);
  const next = xorshift32(SEED);
  let done = 0;
  const caller = async (): Promise<void> => {
    while (done < keys + old) {
      const i = done++;
      await store.put(keyOf(i < keys ? i : next() % keys), value(i));
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLERS, keys) }, caller));
  await store.compact(BigInt(revisionToCompact(content, 0)), { physical: true });
}

/** Its folder, to be copied and never opened. @param keep  for the next run, which finds it */
export function madeDataDir(content: Content, keep: boolean, scratch: string): string {
  const name = `strata-bench-maintenance-${process.getuid?.() ?? 0}`;
  const kept = join(tmpdir(), `${name}-${Object.values(content).join("-")}`);
  if (existsSync(kept)) return kept;
  const making = join(scratch, "making");
  rmSync(making, { recursive: true, force: true });
  const program = fileURLToPath(import.meta.url);
  const args = [program, making, JSON.stringify(content)];
  const ran = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`making a data dir: ${ran.error ?? ran.stderr}`);
  const made = keep ? kept : join(scratch, "made");
  renameSync(making, made);
  return made;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dir = "", content = ""] = process.argv.slice(2);
  await make(dir, JSON.parse(content) as Content);
}
