import { invariant } from "../base/invariant.ts";
import type { LeaseCheckpointRequest } from "../proto/messages.ts";
import type { Lease } from "./lease.ts";
import { LeaseHeap } from "./lease-heap.ts";

export type LeaseCheckpoint = LeaseCheckpointRequest["checkpoints"][number];

/** As etcd: what one entry of the log holds. */
export const CHECKPOINTS_PER_ENTRY_MAX = 1000;

/** Any less, and the lead below is more than half of it. */
const INTERVAL_MS_MIN = 2000;

/** A checkpoint goes out this long before the interval is over: for the pass it may just have missed, and the log. */
const LEAD_MS = 1000;

export interface CheckpointOptions {
  readonly checkpointIntervalMs: number;
  readonly checkpointsPerSecondMax: number;
  /** @see LessorOptions.proposeCheckpoint */
  readonly proposeCheckpoint: (checkpoints: readonly LeaseCheckpoint[]) => Promise<void>;
}

/**
 * Keeps what is stored of each lease's remaining time near the truth.
 *
 * A lease's *lag* is what it would gain if the server were killed now: the seconds stored, less the seconds left. A
 * checkpoint is due when the lag comes near the interval; a renewal makes it 0, so a lease that is renewed more often
 * than that is never checkpointed. Each lease has a share of the interval of its own, between a half and all but
 * `LEAD_MS`, so that a million leases that were restarted together do not come due together.
 */
export class Checkpoints {
  readonly #options: CheckpointOptions;
  /** By when to look at it again: never later than it is due. */
  readonly #next = new LeaseHeap<Lease>();
  #entriesInFlight = 0;
  /** Renewed ones that wait for the next entry of zeros; those that come while it is under way share the one after. */
  #toClear = new Set<Lease>();
  #nextClear: Promise<void> | undefined;
  #lastClear: Promise<void> | undefined;

  constructor(options: CheckpointOptions) {
    const { checkpointIntervalMs } = options;
    invariant(checkpointIntervalMs >= INTERVAL_MS_MIN, "a checkpoint interval is 2 s or more", {
      checkpointIntervalMs,
    });
    this.#options = options;
  }

  /** What is stored of it, or its expiry, is new. */
  schedule(lease: Lease): void {
    if (lease.checkpointing) return; // It is scheduled when that has ended.
    // With one interval left or less, all of it is within the promise.
    if (lease.storedTtl * 1000 > this.#options.checkpointIntervalMs) {
      this.#next.set(lease, this.#dueMs(lease));
    } else this.#next.delete(lease);
  }

  /** The lease is no more. */
  end(lease: Lease): void {
    this.#next.delete(lease);
    this.#toClear.delete(lease);
  }

  /** Proposes what is due, the most overdue first, no faster than the options allow. */
  pass(nowMs: number, sinceLastMs: number): void {
    if (this.#entriesInFlight > 0) return; // A slow log is not helped by more.
    let left = Math.ceil((this.#options.checkpointsPerSecondMax * sinceLastMs) / 1000);
    while (left > 0) {
      const due = this.#takeDue(nowMs, Math.min(left, CHECKPOINTS_PER_ENTRY_MAX));
      if (due.length === 0) return;
      left -= due.length;
      void this.#checkpoint(due, nowMs);
    }
  }

  /**
   * Says in the log that the lease was renewed. Many at once share an entry.
   * @returns when that is applied. @throws whatever the proposal failed with
   */
  clear(lease: Lease): Promise<void> {
    this.#toClear.add(lease);
    this.#nextClear ??= this.#clearAfter(this.#lastClear);
    return this.#nextClear;
  }

  #dueMs(lease: Lease): number {
    const { checkpointIntervalMs } = this.#options;
    const latest = checkpointIntervalMs - LEAD_MS;
    const spread = (Math.imul(lease.slot, 0x9e37_79b1) >>> 0) / 2 ** 32;
    const lagMs = latest - spread * (latest - checkpointIntervalMs / 2);
    return lease.expiryMs - lease.storedTtl * 1000 + lagMs;
  }

  #takeDue(nowMs: number, max: number): Lease[] {
    const due: Lease[] = [];
    for (
      let lease = this.#next.first;
      lease !== undefined && this.#next.firstMs <= nowMs && due.length < max;
      lease = this.#next.first
    ) {
      const dueMs = this.#dueMs(lease);
      if (dueMs > nowMs) {
        this.#next.set(lease, dueMs);
        continue;
      }
      this.#next.delete(lease);
      due.push(lease);
    }
    return due;
  }

  async #checkpoint(leases: readonly Lease[], nowMs: number): Promise<void> {
    this.#entriesInFlight++;
    const checkpoints = leases.map((lease) => {
      lease.checkpointing = true;
      return { id: lease.id, remainingTtl: lease.secondsLeft(nowMs) };
    });
    try {
      await this.#options.proposeCheckpoint(checkpoints);
    } catch {
      // Whoever took the proposal knows why it failed; here they are only due again.
    } finally {
      this.#entriesInFlight--;
      for (const lease of leases) {
        lease.checkpointing = false;
        if (!lease.revoked) this.schedule(lease);
      }
    }
  }

  async #clearAfter(last: Promise<void> | undefined): Promise<void> {
    await last?.catch(() => {}); // Its own callers hear of it.
    this.#lastClear = this.#nextClear;
    this.#nextClear = undefined;
    const checkpoints = [...this.#toClear].map(({ id }) => ({ id, remainingTtl: 0 }));
    this.#toClear = new Set();
    const entries = inEntries(checkpoints);
    await Promise.all(entries.map((entry) => this.#options.proposeCheckpoint(entry)));
  }
}

export function inEntries(checkpoints: readonly LeaseCheckpoint[]): LeaseCheckpoint[][] {
  const entries: LeaseCheckpoint[][] = [];
  for (let from = 0; from < checkpoints.length; from += CHECKPOINTS_PER_ENTRY_MAX) {
    entries.push(checkpoints.slice(from, from + CHECKPOINTS_PER_ENTRY_MAX));
  }
  return entries;
}
