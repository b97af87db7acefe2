/**
 * From a request to its effect: logged, on the disk, applied, answered; strictly in the order of the log.
 *
 *   propose ──► log: everything that waits shares one write and one fdatasync ──► apply, in slices ──► answer
 *
 * Nothing is applied before it is durable, so nothing that anyone has seen can be lost. While a batch is on its way to
 * the disk the next one gathers.
 */
import type { Backend } from "../backend/backend.ts";
import { EtcdError, reasonOf, StrataError } from "../base/errors.ts";
import { EntryType } from "../wal/entry.ts";
import type { Wal } from "../wal/wal.ts";

interface Pending {
  readonly index: number;
  readonly bytes: number;
  readonly apply: () => unknown;
  readonly answer: Answer<never>;
}

/**
 * Takes what came of a request: the error, or undefined and the result. Called in the order of the log while more is
 * being applied, so it must neither take long nor throw.
 */
export type Answer<T> = (error: unknown, result: T | undefined) => void;

interface Batch {
  readonly durable: Promise<void>;
  last: number;
}

export interface ProposalsHost {
  readonly wal: Pick<Wal, "append" | "lastIndex">;
  readonly backend: Pick<Backend, "applied">;
  readonly term: number;
  readonly memberId: bigint;
  /** Something is broken beyond this request: nothing more can be written until the store is opened again. */
  failed(error: unknown): void;
}

/** How long entries are applied before others have their turn, and how many between two looks at the clock. */
const SLICE_MS = 2;
const APPLIED_PER_LOOK = 32;

/**
 * Entries that wait, in bytes: more are refused. etcd refuses when 5000 are behind, which may be 7.5 GB of large ones,
 * and is soon reached with small ones that do no harm; what has to be bounded is memory. It is more than a disk of
 * 30 MB/s writes in the 7 s that a request may take, so who is refused would have waited in vain.
 */
export const WAITING_BYTES_MAX: number = 256 * 1024 * 1024;

export class Proposals {
  readonly #host: ProposalsHost;
  /** In the order of their indexes; those before `#head` are answered. */
  #pending: Pending[] = [];
  #head = 0;
  #durable = 0;
  #waitingBytes = 0;
  #batch: Batch | undefined;
  #applying = false;
  #failure: unknown;
  #failed = 0;
  #idle: (() => void)[] = [];

  readonly #waitingBytesMax: number;

  constructor(host: ProposalsHost, waitingBytesMax: number = WAITING_BYTES_MAX) {
    this.#host = host;
    this.#waitingBytesMax = waitingBytesMax;
  }

  /** Logged, and not applied yet. */
  get waiting(): number {
    return this.#pending.length - this.#head;
  }

  /** Of what is logged, and not applied yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** Refused because of a failure. */
  get failed(): number {
    return this.#failed;
  }

  /**
   * Logs an entry and applies it.
   * @param data  of more than 64 KiB, which the log does not copy: it must not change until the promise is settled
   * @param apply  its effect: called once when it is durable, after those of all entries before. What it returns is
   *   the answer; an EtcdError is one, too, and any other error breaks the store
   * @param type  of the entry
   * @throws (rejects) the EtcdError that `apply` throws; EtcdError TOO_MANY_REQUESTS, and then it is not logged;
   *   StrataError FAILED
   */
  propose<T>(data: Uint8Array, apply: () => T, type: EntryType = EntryType.normal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const answer: Answer<T> = (error, result) => {
        if (error === undefined) resolve(result as T);
        else reject(error);
      };
      this.submit(data, apply, answer, type);
    });
  }

  /** As `propose`, without a promise. Refusals, too, may be answered before it returns. */
  submit<T>(
    data: Uint8Array,
    apply: () => T,
    answer: Answer<T>,
    type: EntryType = EntryType.normal,
  ): void {
    if (this.#failure !== undefined) {
      this.#failed++;
      answer(this.error(), undefined);
      return;
    }
    const bytes = data.length;
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > this.#waitingBytesMax) {
      answer(new EtcdError("TOO_MANY_REQUESTS"), undefined);
      return;
    }
    const { wal, term, memberId } = this.#host;
    const index = wal.lastIndex + 1;
    const entry = { type, term, index, data };
    const durable = wal.append([entry], { term, vote: memberId, commit: index });
    this.#pending.push({ index, bytes, apply, answer });
    this.#waitingBytes += bytes;
    const batch = this.#batch;
    if (batch !== undefined && batch.durable === durable) batch.last = index;
    else this.#follow({ durable, last: index });
  }

  /** Resolves when everything that was proposed before is answered. */
  settled(): Promise<void> {
    if (this.waiting === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Why nothing is taken any more. */
  error(): StrataError {
    const what = `a write failed, the store must be opened again: ${reasonOf(this.#failure)}`;
    return new StrataError("FAILED", what, { cause: this.#failure });
  }

  /** Refuses everything that waits, and everything from now on. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const left = this.#pending.slice(this.#head);
    this.#pending = [];
    this.#head = 0;
    this.#waitingBytes = 0;
    this.#failed += left.length;
    for (const { answer } of left) answer(this.error(), undefined);
    this.#becameIdle();
    this.#host.failed(error);
  }

  #follow(batch: Batch): void {
    this.#batch = batch;
    batch.durable.then(
      () => {
        this.#durable = batch.last;
        if (!this.#applying) this.#apply();
      },
      (error: unknown) => this.fail(error),
    );
  }

  #apply(): void {
    this.#applying = true;
    const endMs = performance.now() + SLICE_MS;
    for (let count = 1; this.#head < this.#pending.length; count++) {
      const next = this.#pending[this.#head] as Pending;
      if (next.index > this.#durable) break;
      this.#head++;
      this.#waitingBytes -= next.bytes;
      if (!this.#applyOne(next)) return;
      if (count % APPLIED_PER_LOOK === 0 && performance.now() >= endMs) {
        this.#compactQueue();
        setImmediate(() => this.#apply());
        return;
      }
    }
    this.#applying = false;
    this.#compactQueue();
    if (this.waiting === 0) this.#becameIdle();
  }

  /** @returns false if the store is broken */
  #applyOne({ index, apply, answer }: Pending): boolean {
    let refusal: EtcdError | undefined;
    let result: unknown;
    try {
      result = apply();
    } catch (error) {
      if (!(error instanceof EtcdError)) {
        this.fail(error);
        answer(this.error(), undefined);
        return false;
      }
      refusal = error;
    }
    const { backend, term } = this.#host;
    backend.applied({ index, term });
    answer(refusal, result as never);
    return true;
  }

  #compactQueue(): void {
    if (this.#head === this.#pending.length) this.#pending.length = 0;
    else if (this.#head > 1024) this.#pending.splice(0, this.#head);
    else return;
    this.#head = 0;
  }

  #becameIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
