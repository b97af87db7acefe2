/**
 * What every user key was at a revision: built in one pass over the revisions in their order, in memory that goes with
 * the number of keys and their lengths. A value stays in the file; what is kept is where its row stands.
 */
import { viewOf } from "../../base/bytes.ts";
import { findValue, type ValueRange } from "../../mvcc/key-value.ts";
import { Page } from "../../pagefile/page.ts";
import { extended, KeyTable } from "../key-table.ts";
import type { RecordView } from "./records.ts";

const ALIVE = 1;

export interface KeyIndexOptions {
  /** Keep for each key how many revisions there are and what they take. */
  readonly history?: boolean;
  /** Keep the lease of each key. */
  readonly leases?: boolean;
}

export class KeyIndex {
  readonly keys: KeyTable = new KeyTable();
  alive = 0;
  /** Rows that came by. */
  revisions = 0;
  tombstones = 0;
  /** The page inside an inline bucket `key`: it stands for page id 0. */
  inline: Page | undefined;
  readonly #history: boolean;
  readonly #wantLeases: boolean;
  #states = new Uint8Array(1 << 11);
  #pages = new Uint32Array(1 << 11);
  #elements = new Uint16Array(1 << 11);
  #rowBytes = new Uint32Array(1 << 11);
  #rows = new Uint32Array(0);
  #historyBytes = new Float64Array(0);
  #leases = new BigInt64Array(0);
  readonly #value: ValueRange = { offset: 0, length: 0, lease: 0n };

  constructor(options: KeyIndexOptions = {}) {
    this.#history = options.history ?? false;
    this.#wantLeases = options.leases ?? false;
    if (this.#history) {
      this.#rows = new Uint32Array(1 << 11);
      this.#historyBytes = new Float64Array(1 << 11);
    }
    if (this.#wantLeases) this.#leases = new BigInt64Array(1 << 11);
  }

  /** The next revision in order. */
  add(record: RecordView): void {
    const { page, userKey, bytes } = record;
    const entry = this.keys.add(bytes, userKey.offset, userKey.length);
    if (entry >= this.#states.length) this.#grow();
    this.revisions++;
    if (this.#history) {
      this.#rows[entry] = (this.#rows[entry] as number) + 1;
      this.#historyBytes[entry] = (this.#historyBytes[entry] as number) + record.valueBytes;
    }
    const was = this.#states[entry] as number;
    if (record.tombstone) {
      this.tombstones++;
      this.#states[entry] = 0;
      this.alive -= was;
      return;
    }
    this.#states[entry] = ALIVE;
    this.alive += ALIVE - was;
    this.#pages[entry] = page?.id ?? 0;
    this.#elements[entry] = record.index;
    this.#rowBytes[entry] = record.valueBytes;
    if (this.#wantLeases) {
      const found = findValue(bytes, record.valueOffset, record.valueBytes, this.#value);
      this.#leases[entry] = found ? this.#value.lease : 0n;
    }
    if (page !== undefined && page.id === 0 && this.inline === undefined) {
      this.inline = copyOf(page);
    }
  }

  isAlive(entry: number): boolean {
    return this.#states[entry] === ALIVE;
  }

  /** The page and the element in it where the last put of the key stands. */
  pageOf(entry: number): number {
    return this.#pages[entry] as number;
  }

  elementOf(entry: number): number {
    return this.#elements[entry] as number;
  }

  /** Bytes of that put's KeyValue. */
  rowBytes(entry: number): number {
    return this.#rowBytes[entry] as number;
  }

  /** Revisions of the key, tombstones among them, and what their KeyValues take. */
  rows(entry: number): number {
    return this.#rows[entry] as number;
  }

  historyBytes(entry: number): number {
    return this.#historyBytes[entry] as number;
  }

  leaseOf(entry: number): bigint {
    return this.#leases[entry] as bigint;
  }

  /** The entries that are alive, in the order of their keys. */
  sorted(): Uint32Array {
    const entries = new Uint32Array(this.alive);
    let filled = 0;
    for (let entry = 0; entry < this.keys.count; entry++) {
      if (this.#states[entry] === ALIVE) entries[filled++] = entry;
    }
    this.keys.sort(entries);
    return entries;
  }

  #grow(): void {
    const capacity = this.#states.length * 2;
    this.#states = extended(this.#states, new Uint8Array(capacity));
    this.#pages = extended(this.#pages, new Uint32Array(capacity));
    this.#elements = extended(this.#elements, new Uint16Array(capacity));
    this.#rowBytes = extended(this.#rowBytes, new Uint32Array(capacity));
    if (this.#history) {
      this.#rows = extended(this.#rows, new Uint32Array(capacity));
      this.#historyBytes = extended(this.#historyBytes, new Float64Array(capacity));
    }
    if (this.#wantLeases) this.#leases = extended(this.#leases, new BigInt64Array(capacity));
  }
}

function copyOf(page: Page): Page {
  const bytes = page.bytes.slice(page.base, page.base + page.length);
  return new Page(0, bytes, viewOf(bytes), 0, page.length);
}
