/**
 * The revisions of all keys: the index says which there are, the backend has their records.
 *
 * Everything here is done within one turn of the event loop. Changes come from the log alone, one entry after another;
 * a write transaction is begun, changed and ended without waiting for anything.
 *
 * @see etcd server/storage/mvcc/kvstore.go, kvstore_txn.go
 */
import type { Backend } from "../backend/backend.ts";
import { newValuePlace } from "../backend/backend.ts";
import { META, SCHEDULED_COMPACT_REV } from "../backend/buckets.ts";
import { encodeRevision } from "../backend/revision.ts";
import type { ValuePlace } from "../backend/write-batch.ts";
import { latin1 } from "../base/bytes.ts";
import { CorruptionError, EtcdError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import { keyValueBytesMax, putKeyValue, putTombstone } from "../proto/key-value.ts";
import type { FoundRevision, KeyIndex } from "./key-index.ts";
import type { RevisionSet } from "./revision-set.ts";
import { StoreCounts } from "./store-counts.ts";
import type { Change, HistoryVisitor, WatchSource } from "./watch/source.ts";

/** Which keys hang on which lease. The lessor's; handed in, so that neither need know the other. */
export interface LeaseBook {
  /** The key is attached to the lease, which exists, and to no other any more. */
  attach(key: string, lease: bigint): void;
  /** The key is attached to none. */
  detach(key: string): void;
}

/** Whoever is told of each transaction that changed something, at its end; the watch hub. */
export interface ChangeListener {
  /** Whether it wants to know more than the revision. */
  readonly interested: boolean;
  changed(main: number, changes: readonly Change[]): void;
}

/** Where a store starts: what was rebuilt, or a new one. */
export interface StoreState {
  readonly index: KeyIndex;
  /** 1 in a new store. */
  readonly currentRevision: number;
  /** -1: never compacted. */
  readonly compactedRevision: number;
}

/** Of a range: `end` "" for the key alone, "\0" for no end. */
export interface KeyRange {
  readonly start: string;
  readonly end: string;
}

/** Where a user key and its end come from a request. */
export function rangeOf(key: Uint8Array, rangeEnd: Uint8Array): KeyRange {
  return { start: latin1(key), end: rangeEnd.length === 0 ? "" : latin1(rangeEnd) };
}

export class Store implements WatchSource {
  readonly #backend: Backend;
  readonly #leases: LeaseBook;
  readonly #place: ValuePlace = newValuePlace();
  readonly #found: FoundRevision = { main: 0, sub: 0, create: 0, version: 0 };
  readonly index: KeyIndex;
  readonly counts: StoreCounts = new StoreCounts();
  #current: number;
  #compacted: number;
  #listener: ChangeListener | undefined;
  #writing: StoreWrite | undefined;

  constructor(backend: Backend, leases: LeaseBook, state: StoreState) {
    this.#backend = backend;
    this.#leases = leases;
    this.index = state.index;
    this.#current = state.currentRevision;
    this.#compacted = state.compactedRevision;
  }

  /** Of the last transaction that changed something. */
  get currentRevision(): number {
    return this.#current;
  }

  /** Reads below it fail; -1: none do. */
  get compactedRevision(): number {
    return this.#compacted;
  }

  set listener(listener: ChangeListener) {
    this.#listener = listener;
  }

  /**
   * The revision that a request reads at.
   * @param asked  0 or less: the current one
   * @throws EtcdError COMPACTED, FUTURE
   */
  readableRevision(asked: number): number {
    if (asked > this.#current) throw new EtcdError("FUTURE");
    const at = asked <= 0 ? this.#current : asked;
    if (at < this.#compacted) throw new EtcdError("COMPACTED");
    return at;
  }

  /** What the key was at a revision (Infinity: now, changes of an open transaction included). The same object each call. */
  find(key: string, atRev: number): Readonly<FoundRevision> | undefined {
    return this.index.get(key, atRev, this.#found) ? this.#found : undefined;
  }

  /**
   * The encoded KeyValue of a record that the index has. The place is the same object each call, and its bytes are
   * good until anything is awaited.
   * @throws CorruptionError if the file has not got it
   */
  record(main: number, sub: number, tombstone = false): Readonly<ValuePlace> {
    if (!this.#backend.find(main, sub, tombstone, this.#place)) {
      const what = `revision ${main}_${sub} is in the index, and not in bucket key`;
      throw new CorruptionError("the database", 0, what);
    }
    return this.#place;
  }

  /** As `record`, in bytes of the caller's own. */
  recordCopy(main: number, sub: number, tombstone = false): Uint8Array {
    const { bytes, offset, length } = this.record(main, sub, tombstone);
    const copy = Buffer.allocUnsafe(length);
    // A record in a page comes as a view of its own.
    copy.set(length === bytes.length ? bytes : bytes.subarray(offset, offset + length));
    return copy;
  }

  /** A transaction. One at a time; end it. */
  write(): StoreWrite {
    invariant(this.#writing === undefined, "one transaction writes at a time");
    this.#writing = new StoreWrite(this.#backend, this.index, this.#leases, this.#current + 1, {
      counts: this.counts,
      collect: this.#listener?.interested ?? false,
      end: (changes) => {
        this.#writing = undefined;
        if (changes === undefined) return;
        this.#current++;
        this.#listener?.changed(this.#current, changes);
      },
    });
    return this.#writing;
  }

  // -- what watches read, see watch/source.ts

  revisionsSince(
    start: string,
    end: string,
    fromRev: number,
    keysMax: number,
  ): RevisionSet | undefined {
    return this.index.revisionsOfFewSince(start, end, fromRev, keysMax);
  }

  scan(fromRev: number, visit: HistoryVisitor): void {
    this.#backend.scan(fromRev, (main, sub, tombstone, { bytes, offset, length }) =>
      visit(main, sub, tombstone, bytes.subarray(offset, offset + length)),
    );
  }

  read(main: number, sub: number): { readonly kv: Uint8Array; readonly tombstone: boolean } {
    const tombstone = !this.#backend.find(main, sub, false, this.#place);
    const { bytes, offset, length } = tombstone ? this.record(main, sub, true) : this.#place;
    return { kv: bytes.subarray(offset, offset + length), tombstone };
  }

  readKey(key: string, atRev: number): Uint8Array | undefined {
    if (atRev < this.#compacted) return undefined;
    const found = this.find(key, atRev);
    if (found === undefined) return undefined;
    const { bytes, offset, length } = this.record(found.main, found.sub);
    return bytes.subarray(offset, offset + length);
  }

  /**
   * Gives up the history below a revision: reads below it fail from now on. What it takes up is given back by
   * `Compaction`.
   * @throws EtcdError COMPACTED, FUTURE
   */
  scheduleCompaction(revision: number): void {
    if (revision <= this.#compacted) throw new EtcdError("COMPACTED");
    if (revision > this.#current) throw new EtcdError("FUTURE");
    this.#compacted = revision;
    this.#backend.putRow(META, SCHEDULED_COMPACT_REV, encodeRevision(revision, 0));
  }

  /** One that was scheduled before a restart: reads below it fail, although its records may still be there. */
  resumeCompaction(revision: number): void {
    this.#compacted = Math.max(this.#compacted, revision);
  }
}

interface WriteHost {
  readonly counts: StoreCounts;
  /** Whether changes are to be collected for a listener. */
  readonly collect: boolean;
  /** @param changes  undefined if nothing was changed */
  end(changes: readonly Change[] | undefined): void;
}

/** One write transaction: all its changes have one main revision, numbered by sub in their order. */
export class StoreWrite {
  readonly #backend: Backend;
  readonly #index: KeyIndex;
  readonly #leases: LeaseBook;
  readonly #host: WriteHost;
  readonly #changes: Change[] = [];
  readonly #found: FoundRevision = { main: 0, sub: 0, create: 0, version: 0 };
  /** That its changes have. */
  readonly main: number;
  /** Of the store, when this began; all since then is of this transaction. */
  readonly #operationsBefore: number;
  #subs = 0;

  constructor(backend: Backend, index: KeyIndex, leases: LeaseBook, main: number, host: WriteHost) {
    this.#backend = backend;
    this.#index = index;
    this.#leases = leases;
    this.main = main;
    this.#host = host;
    this.#operationsBefore = operationsOf(host.counts);
  }

  /** Whether it has changed anything yet. */
  get changed(): boolean {
    return this.#subs > 0;
  }

  /** What reads inside see: its own revision once something has changed. */
  get revision(): number {
    return this.#subs > 0 ? this.main : this.main - 1;
  }

  /** @param lease  0n: none; else one that exists */
  put(key: Uint8Array, value: Uint8Array, lease: bigint): void {
    this.#host.counts.puts++;
    this.#host.counts.putBytes += key.length + value.length;
    const text = latin1(key);
    const { main } = this;
    const sub = this.#subs++;
    const found = this.#found;
    this.#index.put(text, main, sub, found);
    const bytesMax = keyValueBytesMax(key.length, value.length);
    const place = this.#backend.record(main, sub, false, bytesMax, (bytes, at) =>
      putKeyValue(bytes, at, key, found.create, main, found.version, value, lease),
    );
    if (lease === 0n) this.#leases.detach(text);
    else this.#leases.attach(text, lease);
    if (this.#host.collect) this.#changes.push(new StoredChange(text, sub, false, place));
  }

  /** Deletes every key of the range that is there, in key order. @returns how many that were */
  deleteRange(range: KeyRange): number {
    const keys: string[] = [];
    this.#index.range(range.start, range.end, Infinity, (key) => {
      keys.push(key);
      return true;
    });
    for (const key of keys) this.#tombstone(key);
    this.#host.counts.deletes++;
    return keys.length;
  }

  /** @returns whether the key was there */
  delete(key: string): boolean {
    this.#host.counts.deletes++;
    return this.#tombstone(key);
  }

  #tombstone(key: string): boolean {
    const { main } = this;
    const sub = this.#subs;
    if (!this.#index.tombstone(key, main, sub)) return false;
    this.#subs++;
    const bytes = Buffer.from(key, "latin1");
    const bytesMax = keyValueBytesMax(bytes.length, 0);
    const place = this.#backend.record(main, sub, true, bytesMax, (into, at) =>
      putTombstone(into, at, bytes),
    );
    this.#leases.detach(key);
    if (this.#host.collect) this.#changes.push(new StoredChange(key, sub, true, place));
    return true;
  }

  /** @returns the store's revision after it */
  end(): number {
    const { counts } = this.#host;
    counts.ended(operationsOf(counts) - this.#operationsBefore);
    this.#host.end(this.#subs > 0 ? this.#changes : undefined);
    return this.revision;
  }
}

function operationsOf({ ranges, puts, deletes }: StoreCounts): number {
  return ranges + puts + deletes;
}

/** A change whose record is copied out of the buffer only if somebody asks for it, which must be within the turn. */
class StoredChange implements Change {
  readonly key: string;
  readonly sub: number;
  readonly tombstone: boolean;
  readonly #place: ValuePlace;
  #copy: Uint8Array | undefined;

  constructor(key: string, sub: number, tombstone: boolean, place: ValuePlace) {
    this.key = key;
    this.sub = sub;
    this.tombstone = tombstone;
    this.#place = place;
  }

  get kv(): Uint8Array {
    if (this.#copy === undefined) {
      const { bytes, offset, length } = this.#place;
      this.#copy = new Uint8Array(bytes.subarray(offset, offset + length));
    }
    return this.#copy;
  }
}
