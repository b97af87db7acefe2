/**
 * Which pages may be written: those free now, and those pending until no reader can reach them.
 *
 * A page freed by transaction T belongs to the tree of T-1 and older. It becomes free at the start of a later write
 * transaction, once every open reader reads T or newer; or, when it was also allocated after the nearest older reader
 * began, once no reader stands between its birth and its death.
 */
import { StrataError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import { PageBitmap } from "./page-bitmap.ts";

interface Pending {
  readonly ids: number[];
  /** For each of `ids` the transaction that allocated it; 0 = unknown. */
  readonly allocatedBy: number[];
}

/** Runs longer than this share one search hint. */
const HINTS_MAX = 64;

export class Freelist {
  readonly #free: PageBitmap;
  readonly #pendingIds: PageBitmap;
  readonly #pending = new Map<number, Pending>();
  /**
   * First page of a run → the transaction that allocated it. Kept only while a reader is open: without one, nothing
   * can stand between a page's birth and its death.
   */
  readonly #allocatedBy = new Map<number, number>();
  /** Taken from `#free` by the transaction under way, to be given back if it is rolled back. */
  #taken: number[] = [];
  /** hint[n]: no run of n free pages starts below it. */
  readonly #hint = new Float64Array(HINTS_MAX + 1).fill(2);

  constructor(pages = 1024) {
    this.#free = new PageBitmap(pages);
    this.#pendingIds = new PageBitmap(pages);
  }

  /** Pages that may be handed out now. */
  get freeCount(): number {
    return this.#free.count;
  }

  /** Pages freed, but still within some reader's reach or by the last transaction. */
  get pendingCount(): number {
    return this.#pendingIds.count;
  }

  isFree(id: number): boolean {
    return this.#free.has(id);
  }

  /** @returns false if it was listed already */
  addFree(id: number): boolean {
    return this.#free.add(id);
  }

  /** First of `pages` free pages in a row, at the lowest place there is, or 0. */
  allocate(txid: number, pages: number, trackBirth: boolean): number {
    if (this.#free.count < pages) return 0;
    const h = Math.min(pages, HINTS_MAX);
    const start = this.#free.findRun(pages, this.#hint[h] as number);
    if (start === -1) {
      if (pages <= HINTS_MAX) this.#hint[h] = Number.MAX_SAFE_INTEGER;
      return 0;
    }
    if (pages <= HINTS_MAX) this.#hint[h] = start + pages;
    for (let id = start; id < start + pages; id++) {
      this.#free.delete(id);
      this.#taken.push(id);
    }
    if (trackBirth) this.#allocatedBy.set(start, txid);
    return start;
  }

  /** Notes the birth of pages that came from the end of the file. */
  noteBirth(txid: number, id: number): void {
    this.#allocatedBy.set(id, txid);
  }

  /**
   * Pages `id … id + overflow` are out of the tree from transaction `txid` on.
   * @throws StrataError CORRUPT if one of them is free already: two owners had it
   */
  release(txid: number, id: number, overflow: number): void {
    invariant(id > 1, "the meta pages are never freed", { id });
    const born = this.#allocatedBy.get(id) ?? 0;
    this.#allocatedBy.delete(id);
    let pending = this.#pending.get(txid);
    if (pending === undefined) {
      pending = { ids: [], allocatedBy: [] };
      this.#pending.set(txid, pending);
    }
    for (let each = id; each <= id + overflow; each++) {
      if (this.#free.has(each) || !this.#pendingIds.add(each)) {
        throw new StrataError(
          "CORRUPT",
          `page ${each} already freed: two places in the tree own it`,
        );
      }
      pending.ids.push(each);
      pending.allocatedBy.push(born);
    }
  }

  /**
   * Makes free what no reader can reach, at the start of a write transaction.
   * @param readers  txids of the open readers, ascending, without repeats
   */
  reclaim(readers: readonly number[]): void {
    let freed = 0;
    const oldest = readers[0];
    for (const [txid, pending] of this.#pending) {
      if (oldest === undefined || txid <= oldest) {
        for (const id of pending.ids) this.#toFree(id);
        freed += pending.ids.length;
        this.#pending.delete(txid);
      } else {
        freed += this.#reclaimBetween(txid, pending, readers);
      }
    }
    if (oldest === undefined) this.#allocatedBy.clear();
    if (freed > 0) this.#hint.fill(2);
  }

  /** Frees what was born after the last reader that began before its death: nobody ever saw it. */
  #reclaimBetween(died: number, pending: Pending, readers: readonly number[]): number {
    let lastBefore = 0;
    for (const reader of readers) if (reader < died) lastBefore = reader;
    let kept = 0;
    const { ids, allocatedBy } = pending;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      const born = allocatedBy[i] as number;
      if (born > lastBefore) {
        this.#toFree(id);
      } else {
        ids[kept] = id;
        allocatedBy[kept] = born;
        kept++;
      }
    }
    const freed = ids.length - kept;
    ids.length = kept;
    allocatedBy.length = kept;
    if (kept === 0) this.#pending.delete(died);
    return freed;
  }

  #toFree(id: number): void {
    this.#pendingIds.delete(id);
    this.#free.add(id);
  }

  /** The transaction under way is in force: what it took stays taken. */
  commit(): void {
    this.#taken = [];
  }

  /** Undoes what the transaction `txid` took and freed. */
  rollback(txid: number): void {
    const pending = this.#pending.get(txid);
    if (pending !== undefined) {
      for (let i = 0; i < pending.ids.length; i++) {
        const id = pending.ids[i] as number;
        this.#pendingIds.delete(id);
        const born = pending.allocatedBy[i] as number;
        if (born !== 0) this.#allocatedBy.set(id, born);
      }
      this.#pending.delete(txid);
    }
    for (const id of this.#taken) {
      this.#free.add(id);
      this.#allocatedBy.delete(id);
    }
    if (this.#taken.length > 0) this.#hint.fill(2);
    this.#taken = [];
  }

  /** Free and pending ids in ascending order: what is stored, for after a crash nothing is pending. */
  storedIds(): number[] {
    const ids = [...this.#free.ids(), ...this.#pendingIds.ids()];
    return ids.sort((a, b) => a - b);
  }
}
