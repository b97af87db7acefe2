/**
 * The index in memory: each user key, in byte order, with the revisions that the page file holds of it.
 *
 * Keys are strings of one character a byte (`latin1` of base/bytes.ts). A table finds a key's id (key-table.ts), a tree
 * has keys and ids in order (ordered-keys.ts), and the revisions lie in flat columns under the id (generations.ts):
 * beside its string a key has no object of its own.
 *
 * The store knows its current and its compacted revision, and what to answer beyond them; the index does not. All
 * revisions are doubles, exact below 2^53; `atRev` may be Infinity: now.
 *
 * @see etcd server/storage/mvcc/index.go
 */
import { invariant } from "../base/invariant.ts";
import { type FoundRevision, Generations } from "./generations.ts";
import { IndexSweep } from "./index-sweep.ts";
import { KeyTable } from "./key-table.ts";
import { OrderedKeys } from "./ordered-keys.ts";
import { RevisionSet } from "./revision-set.ts";

export type { FoundRevision } from "./generations.ts";

/** As the end of a range: every key from `start` on. */
export const FROM_KEY = "\0";

/**
 * @param found  the same object in every call: copy what you keep
 * @returns false to stop
 */
export type RangeVisitor = (key: string, found: Readonly<FoundRevision>) => boolean;

/**
 * @param tombstone  whether the change deleted the key
 * @returns false to stop
 */
export type ChangeVisitor = (key: string, main: number, sub: number, tombstone: boolean) => boolean;

export interface IndexMemory {
  /** In the index, with those deleted that history still remembers. */
  readonly keys: number;
  readonly liveKeys: number;
  readonly revisions: number;
  /** Typed arrays that hold the revisions, and how much of that waits to be used again. */
  readonly revisionBytes: number;
  readonly revisionFreeBytes: number;
  /** Typed arrays by which a key is found. */
  readonly slotBytes: number;
  /** An estimate of what V8's heap has of it: the keys' strings, and references to them. */
  readonly heapBytes: number;
}

/** What an index consists of, for whoever builds one at once (index-restore.ts). */
export interface IndexParts {
  readonly table: KeyTable;
  readonly tree: OrderedKeys;
  readonly generations: Generations;
  readonly liveKeys: number;
  /** Of all keys together. */
  readonly keyBytes: number;
}

/** With Node 20: a string's head and padding, the table's reference, and the tree's, with its id and their share. */
const HEAP_BYTES_PER_KEY: number = 16 + 4 + 8 + 27;

export class KeyIndex {
  readonly #table: KeyTable;
  readonly #tree: OrderedKeys;
  readonly #generations: Generations;
  #liveKeys: number;
  #keyBytes: number;
  #compactedRevision = -1;

  constructor(parts: IndexParts = emptyParts()) {
    this.#table = parts.table;
    this.#tree = parts.tree;
    this.#generations = parts.generations;
    this.#liveKeys = parts.liveKeys;
    this.#keyBytes = parts.keyBytes;
  }

  /** Keys that are there now. */
  get liveKeys(): number {
    return this.#liveKeys;
  }

  /** Of all keys together. */
  get revisions(): number {
    return this.#generations.revisions;
  }

  /**
   * A put of the key.
   * @param key  a flat string: one cut out of a longer one would keep all of that in memory
   * @param main, sub  after every change of the key so far; 0 < main < 2^53, 0 ≤ sub < 2^31
   * @param into  what the key is now
   */
  put(key: string, main: number, sub: number, into?: FoundRevision): void {
    requireRevision(main, sub);
    const id = this.#table.get(key);
    if (id === -1) {
      const created = this.#generations.create(main, sub);
      this.#table.add(key, created);
      this.#tree.insert(key, created);
      this.#keyBytes += key.length;
      this.#liveKeys++;
      if (into !== undefined) {
        into.main = main;
        into.sub = sub;
        into.create = main;
        into.version = 1;
      }
      return;
    }
    if (this.#generations.put(id, main, sub)) this.#liveKeys++;
    if (into !== undefined) this.#generations.find(id, Infinity, into);
  }

  /**
   * A deletion of the key.
   * @param main, sub  as for `put`
   * @returns false if the key is not there; then nothing changes
   */
  tombstone(key: string, main: number, sub: number): boolean {
    requireRevision(main, sub);
    const id = this.#table.get(key);
    if (id === -1 || !this.#generations.tombstone(id, main, sub)) return false;
    this.#liveKeys--;
    return true;
  }

  /** What the key was at `atRev`. @returns false if it was not there; `into` is then as before */
  get(key: string, atRev: number, into: FoundRevision): boolean {
    const id = this.#table.get(key);
    return id !== -1 && this.#generations.find(id, atRev, into);
  }

  /**
   * Visits, in byte order, the keys of a range that were there at `atRev`. The visitor may change the index. To go on
   * later where it stopped, start from its last key and "\0" after it.
   * @param end  exclusive; "" = `start` alone, FROM_KEY = no end
   */
  range(start: string, end: string, atRev: number, visit: RangeVisitor): void {
    const found: FoundRevision = { main: 0, sub: 0, create: 0, version: 0 };
    const generations = this.#generations;
    if (end === "") {
      if (this.get(start, atRev, found)) visit(start, found);
      return;
    }
    this.#tree.scan(start, end === FROM_KEY ? undefined : end, (key, id) => {
      return generations.find(id, atRev, found) ? visit(key, found) : true;
    });
  }

  /** How many keys `range` would visit. Looks at each, except for all keys as they are now. */
  count(start: string, end: string, atRev: number): number {
    if (start <= "\0" && end === FROM_KEY && atRev === Infinity && this.#table.get("") === -1) {
      return this.#liveKeys;
    }
    let count = 0;
    this.range(start, end, atRev, () => {
      count++;
      return true;
    });
    return count;
  }

  /**
   * Visits all changes at or above `fromRev`: keys in byte order, the changes of each oldest first. Of a transaction
   * that changed a key more than once, the last change alone.
   * @param end  as for `range`
   */
  since(start: string, end: string, fromRev: number, visit: ChangeVisitor): void {
    const generations = this.#generations;
    const visitKey = (key: string, id: number): boolean =>
      generations.since(id, fromRev, (main, sub, tombstone) => visit(key, main, sub, tombstone));
    if (end !== "") this.#tree.scan(start, end === FROM_KEY ? undefined : end, visitKey);
    else {
      const id = this.#table.get(start);
      if (id !== -1) visitKey(start, id);
    }
  }

  /** The changes that `since` visits, as a sorted set. */
  revisionsSince(start: string, end: string, fromRev: number): RevisionSet {
    const revisions = new RevisionSet();
    this.since(start, end, fromRev, (_, main, sub) => {
      revisions.add(main, sub);
      return true;
    });
    return revisions.sort();
  }

  /**
   * As `revisionsSince`, for ranges of few keys.
   * @returns undefined if there are more than `keysMax` in the range; no more than that are looked at
   */
  revisionsOfFewSince(
    start: string,
    end: string,
    fromRev: number,
    keysMax: number,
  ): RevisionSet | undefined {
    const revisions = new RevisionSet();
    const add = (main: number, sub: number): boolean => {
      revisions.add(main, sub);
      return true;
    };
    let keys = 0;
    if (end === "") this.since(start, end, fromRev, (_, main, sub) => add(main, sub));
    else {
      this.#tree.scan(start, end === FROM_KEY ? undefined : end, (_, id) => {
        return ++keys <= keysMax && this.#generations.since(id, fromRev, add);
      });
    }
    return keys > keysMax ? undefined : revisions.sort();
  }

  /**
   * Begins to give up the history below `revision`: for each key what no read at it, or later, can see. Those reads
   * are right at any moment between the steps.
   * @param revision  not above the store's current one: what is written from now on has a higher one
   */
  compact(revision: number): IndexSweep {
    this.#compactedRevision = Math.max(this.#compactedRevision, revision);
    return this.#sweep(revision, (id, kept) => this.#generations.compact(id, revision, kept));
  }

  /** Begins to find what `compact` would keep, tombstones not counted, and changes nothing: for HashKV. */
  keep(revision: number): IndexSweep {
    return this.#sweep(revision, (id, kept) => {
      this.#generations.keep(id, revision, kept);
      return true;
    });
  }

  memory(): IndexMemory {
    const keys = this.#tree.count;
    return {
      keys,
      liveKeys: this.#liveKeys,
      revisions: this.#generations.revisions,
      revisionBytes: this.#generations.bytes,
      revisionFreeBytes: this.#generations.freeBytes,
      slotBytes: this.#table.slotBytes,
      heapBytes: this.#keyBytes + keys * HEAP_BYTES_PER_KEY,
    };
  }

  #sweep(revision: number, visit: (id: number, kept: RevisionSet) => boolean): IndexSweep {
    return new IndexSweep(
      {
        ids: this.#generations.ids,
        keys: this.#tree.count,
        revisions: () => this.#generations.revisions,
        compactedRevision: () => this.#compactedRevision,
        visit: (id, kept) => {
          const key = this.#table.keyOf(id);
          if (key !== undefined && !visit(id, kept)) this.#remove(key, id);
        },
      },
      revision,
    );
  }

  #remove(key: string, id: number): void {
    this.#table.delete(key, id);
    this.#tree.remove(key);
    this.#keyBytes -= key.length;
  }
}

function emptyParts(): IndexParts {
  return {
    table: new KeyTable(),
    tree: new OrderedKeys(),
    generations: new Generations(),
    liveKeys: 0,
    keyBytes: 0,
  };
}

function requireRevision(main: number, sub: number): void {
  if (main > 0 && Number.isSafeInteger(main) && sub >= 0 && (sub | 0) === sub) return;
  invariant(false, "a revision is two whole numbers, below 2^53 and 2^31", { main, sub });
}
