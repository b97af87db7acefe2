/**
 * Which records of bucket `key` a step of a compaction deletes: those up to its revision that are not kept; and how far
 * the step goes.
 */
import { readU64BE } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import type { Sieve, Verdict } from "../pagefile/prune.ts";
import { isBefore, isRevision } from "./revision.ts";
import type { CompactTask } from "./storage.ts";

/** What is packed anew is written and synced by the step's commit: so much takes about as long as a step may look. */
const PACKED_BYTES_MAX = 2 * 1024 * 1024;

export class CompactionSieve implements Sieve {
  readonly #task: CompactTask;
  readonly #path: string;
  readonly #endMs: number;
  /** The first one kept that has not been come to. */
  #kept: number;
  #cutShort = false;
  /** Records asked about. */
  looked = 0;
  /** The first revision not asked about. */
  nextMain: number;
  nextSub: number;

  /** The clock begins to run. @param path  for messages */
  constructor(task: CompactTask, path: string) {
    const { keptMains, keptSubs, fromMain, fromSub, budgetMs } = task;
    this.#task = task;
    this.#path = path;
    this.#endMs = performance.now() + budgetMs;
    this.#kept = firstAtOrAfter(keptMains, keptSubs, fromMain, fromSub);
    this.nextMain = fromMain;
    this.nextSub = fromSub;
  }

  /** Whether there may be more than the step has come to. */
  get cutShort(): boolean {
    return this.#cutShort;
  }

  judge(bytes: Uint8Array, view: DataView, keyOffset: number, keyBytes: number): Verdict {
    const { revision, keptMains, keptSubs, limit } = this.#task;
    if (!isRevision(bytes, keyOffset, keyBytes)) {
      throw new CorruptionError(this.#path, 0, "a key of bucket key is no revision");
    }
    const main = readU64BE(view, keyOffset);
    if (main > revision) return "stop";
    if (this.looked >= limit) {
      this.#cutShort = true;
      return "stop";
    }
    const sub = readU64BE(view, keyOffset + 9);
    // Where keys do not ascend, what is kept would be passed by, and deleted.
    if (main < this.nextMain || (main === this.nextMain && sub < this.nextSub - 1)) {
      throw new CorruptionError(this.#path, 0, `revision ${main}_${sub} is not where it belongs`);
    }
    this.looked++;
    this.nextMain = main;
    this.nextSub = sub + 1;
    while (this.#kept < keptMains.length && isBefore(keptMains, keptSubs, this.#kept, main, sub)) {
      this.#kept++;
    }
    return keptMains[this.#kept] === main && keptSubs[this.#kept] === sub ? "stays" : "goes";
  }

  isEnough(packedBytes: number): boolean {
    if (packedBytes < PACKED_BYTES_MAX && performance.now() < this.#endMs) return false;
    this.#cutShort = true;
    return true;
  }
}

function firstAtOrAfter(mains: Float64Array, subs: Uint32Array, main: number, sub: number): number {
  let low = 0;
  let high = mains.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(mains, subs, middle, main, sub)) low = middle + 1;
    else high = middle;
  }
  return low;
}
