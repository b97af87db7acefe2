import type { RowSink } from "../../src/backend/row-sink.ts";
import { hex } from "../../src/base/bytes.ts";
import type { LeaseCheckpoint } from "../../src/lease/checkpoints.ts";
import { Lessor, type LessorOptions } from "../../src/lease/lessor.ts";
import type { ManualClock } from "./manual-clock.ts";

type Entry =
  | { readonly kind: "revoke"; readonly id: bigint }
  | { readonly kind: "checkpoint"; readonly checkpoints: readonly LeaseCheckpoint[] };

type Settings = Partial<Omit<LessorOptions, "clock" | "proposeRevoke" | "proposeCheckpoint">>;

/**
 * A lessor with the little of an engine that it needs: a log that applies what is proposed, in order, after `delayMs` of
 * the manual clock, and rows that outlive a restart.
 */
export class LeaseLog implements RowSink {
  readonly clock: ManualClock;
  readonly rows: Map<string, { key: Uint8Array; value: Uint8Array }> = new Map();
  readonly proposed: Entry[] = [];
  readonly #settings: Settings;
  /** What the next proposals do: fail with this. */
  failure: Error | undefined;
  delayMs = 0;
  lessor: Lessor;
  #life = new AbortController();
  #tail: Promise<void> = Promise.resolve();

  constructor(clock: ManualClock, settings: Settings = {}) {
    this.clock = clock;
    this.#settings = settings;
    this.lessor = this.#newLessor();
  }

  /** Lets the lessor's time pass. */
  start(extendMs = 0): void {
    this.lessor.promote(extendMs);
    void this.lessor.run(this.#life.signal);
  }

  /** A clean stop: the final checkpoint is applied. */
  stopCleanly(final: (lessor: Lessor) => readonly (readonly LeaseCheckpoint[])[]): void {
    for (const entry of final(this.lessor)) this.lessor.applyCheckpoint(entry, this);
  }

  /** A new lessor from the rows; what was proposed and not applied is lost. Keys are the caller's to attach. */
  restart(): void {
    this.#life.abort();
    this.lessor.stop();
    this.#life = new AbortController();
    this.#tail = Promise.resolve();
    this.lessor = this.#newLessor();
    for (const { key, value } of this.rows.values()) this.lessor.load(key, value);
  }

  /** The rows' values by key, in hex. */
  shown(): Record<string, string> {
    return Object.fromEntries([...this.rows].map(([key, { value }]) => [key, hex(value)]));
  }

  count(kind: Entry["kind"]): number {
    return this.proposed.filter((entry) => entry.kind === kind).length;
  }

  putRow(_bucket: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    this.rows.set(hex(key), { key, value });
  }

  deleteRow(_bucket: Uint8Array, key: Uint8Array): void {
    this.rows.delete(hex(key));
  }

  #newLessor(): Lessor {
    const { signal } = this.#life;
    return new Lessor({
      ...this.#settings,
      clock: this.clock,
      proposeRevoke: (id) => this.#propose({ kind: "revoke", id }, signal),
      proposeCheckpoint: (checkpoints) =>
        this.#propose({ kind: "checkpoint", checkpoints }, signal),
    });
  }

  #propose(entry: Entry, life: AbortSignal): Promise<void> {
    this.proposed.push(entry);
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const applied = this.#tail.then(async () => {
      if (this.delayMs > 0) await this.clock.sleep(this.delayMs, life);
      if (life.aborted) return new Promise<void>(() => {}); // The process is gone.
      if (entry.kind === "checkpoint") this.lessor.applyCheckpoint(entry.checkpoints, this);
      else if (this.lessor.has(entry.id)) this.lessor.applyRevoke(entry.id, this);
      return undefined;
    });
    this.#tail = applied;
    return applied;
  }
}
