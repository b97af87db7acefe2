/**
 * A store as the watch engine sees it, small and in memory: the real key index, and a map of records. Beside it stands
 * what every watcher must see: all changes that ever were.
 */
import { StrataError } from "../../src/base/errors.ts";
import { invariant } from "../../src/base/invariant.ts";
import type { IndexSweep } from "../../src/mvcc/index-sweep.ts";
import { type FoundRevision, KeyIndex } from "../../src/mvcc/key-index.ts";
import type { RevisionSet } from "../../src/mvcc/revision-set.ts";
import type { Change, HistoryVisitor, WatchSource } from "../../src/mvcc/watch/source.ts";
import type { WatchHub } from "../../src/mvcc/watch/watch-hub.ts";

export type Op = readonly ["put", key: string, value: string] | readonly ["delete", key: string];

/** One event, as any watcher of the key has to get it. */
export interface ModelEvent {
  readonly type: "put" | "delete";
  readonly key: string;
  readonly modRevision: number;
  readonly kv: Uint8Array;
  /** The pair before the transaction. */
  readonly prevKv: Uint8Array | undefined;
}

interface Record {
  readonly main: number;
  readonly sub: number;
  readonly change: Change;
}

export class WatchStore implements WatchSource {
  readonly #index = new KeyIndex();
  readonly #records = new Map<string, Record>();
  #ordered: Record[] = [];
  #sweep: IndexSweep | undefined;
  /** What the engine is given is here until its next call, and then it is something else. */
  #lent: Uint8Array[] = [];
  currentRevision = 1;
  compactedRevision = -1;
  /** All changes that ever were; of a transaction the last of each key, in order. */
  readonly events: ModelEvent[] = [];
  /**
   * Revisions that deleted a key and put it again: etcd's rules of compaction, which the index follows, keep the wrong
   * one of the two if they compact at just that revision. No client can make such a transaction.
   */
  readonly #reborn = new Set<number>();
  hub: WatchHub | undefined;
  /** Calls that read records, and whether they fail. */
  reads = 0;
  broken = false;

  put(key: string, value: string): number {
    return this.transact([["put", key, value]]);
  }

  delete(key: string): number {
    return this.transact([["delete", key]]);
  }

  /** @returns the revision, that of before if nothing changed */
  transact(ops: readonly Op[]): number {
    const main = this.currentRevision + 1;
    const found: FoundRevision = { main: 0, sub: 0, create: 0, version: 0 };
    const changes: Change[] = [];
    const prev = new Map<string, Uint8Array | undefined>();
    for (const [kind, key, value] of ops) {
      const sub = changes.length;
      if (!prev.has(key)) prev.set(key, this.#at(key, Infinity));
      if (kind === "put") {
        if (changes.some((other) => other.key === key && other.tombstone)) this.#reborn.add(main);
        this.#index.put(key, main, sub);
        this.#index.get(key, Infinity, found);
        const kv = encode(key, found.create, main, found.version, value);
        changes.push({ key, sub, tombstone: false, kv });
      } else if (this.#index.tombstone(key, main, sub)) {
        changes.push({ key, sub, tombstone: true, kv: encode(key, 0, 0, 0, "") });
      }
      const change = changes[sub];
      if (change === undefined) continue;
      const record = { main, sub, change };
      this.#records.set(`${main}_${sub}`, record);
      this.#ordered.push(record);
    }
    if (changes.length === 0) return this.currentRevision;
    this.currentRevision = main;
    for (const [sub, { key, tombstone, kv }] of changes.entries()) {
      if (changes.some((other, later) => later > sub && other.key === key)) continue;
      this.events.push({
        type: tombstone ? "delete" : "put",
        key,
        modRevision: main,
        kv: tombstone ? encode(key, 0, main, 0, "") : kv,
        prevKv: prev.get(key),
      });
    }
    this.hub?.changed(main, changes);
    return main;
  }

  /** Begins a compaction, and ends one that was begun. Does nothing at some revisions, see above. */
  compact(revision: number): void {
    if (this.#reborn.has(revision)) return;
    invariant(revision <= this.currentRevision, "the future is not compacted");
    this.endCompaction();
    this.compactedRevision = revision;
    this.#sweep = this.#index.compact(revision);
  }

  stepCompaction(keys: number): void {
    if (this.#sweep?.step(keys) === "done") this.endCompaction();
  }

  endCompaction(): void {
    if (this.#sweep === undefined) return;
    this.#sweep.finish();
    const { kept, revision } = this.#sweep;
    this.#sweep = undefined;
    this.#ordered = this.#ordered.filter(({ main, sub }) => {
      if (main > revision || kept.has(main, sub)) return true;
      this.#records.delete(`${main}_${sub}`);
      return false;
    });
  }

  revisionsSince(
    start: string,
    end: string,
    fromRev: number,
    keysMax: number,
  ): RevisionSet | undefined {
    this.#called();
    return this.#index.revisionsOfFewSince(start, end, fromRev, keysMax);
  }

  scan(fromRev: number, visit: HistoryVisitor): void {
    this.#called();
    let low = 0;
    let high = this.#ordered.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ordered[middle] as Record).main < fromRev) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < this.#ordered.length; i++) {
      const { main, sub, change } = this.#ordered[i] as Record;
      this.reads++;
      const more = visit(main, sub, change.tombstone, this.#lend(change.kv));
      this.#takeBack();
      if (!more) return;
    }
  }

  read(main: number, sub: number): { readonly kv: Uint8Array; readonly tombstone: boolean } {
    this.#called();
    this.reads++;
    const record = this.#records.get(`${main}_${sub}`);
    invariant(record !== undefined, "what is read is there", { main, sub });
    return { kv: this.#lend(record.change.kv), tombstone: record.change.tombstone };
  }

  readKey(key: string, atRev: number): Uint8Array | undefined {
    this.#called();
    if (atRev < this.compactedRevision) return undefined;
    const kv = this.#at(key, atRev);
    return kv === undefined ? undefined : this.#lend(kv);
  }

  #at(key: string, atRev: number): Uint8Array | undefined {
    const found: FoundRevision = { main: 0, sub: 0, create: 0, version: 0 };
    if (!this.#index.get(key, atRev, found)) return undefined;
    return this.#records.get(`${found.main}_${found.sub}`)?.change.kv;
  }

  #called(): void {
    this.#takeBack();
    if (this.broken) throw new StrataError("IO", "a disk that is broken");
  }

  #lend(bytes: Uint8Array): Uint8Array {
    const copy = new Uint8Array(bytes);
    this.#lent.push(copy);
    return copy;
  }

  #takeBack(): void {
    for (const bytes of this.#lent) bytes.fill(0xff);
    this.#lent = [];
  }
}

/** A KeyValue as etcd writes it: zeros are left out. Numbers below 2^28. */
export function encode(
  key: string,
  create: number,
  mod: number,
  version: number,
  value: string,
): Uint8Array {
  const bytes: number[] = [];
  const varint = (n: number): void => {
    for (let rest = n; ; rest >>>= 7) {
      bytes.push(rest < 128 ? rest : (rest & 0x7f) | 0x80);
      if (rest < 128) return;
    }
  };
  const text = (tag: number, of: string): void => {
    bytes.push(tag);
    varint(of.length);
    for (let i = 0; i < of.length; i++) bytes.push(of.charCodeAt(i));
  };
  const number = (tag: number, n: number): void => {
    bytes.push(tag);
    varint(n);
  };
  text(0x0a, key);
  if (create > 0) number(0x10, create);
  if (mod > 0) number(0x18, mod);
  if (version > 0) number(0x20, version);
  if (value !== "") text(0x2a, value);
  return new Uint8Array(bytes);
}
