/**
 * The lives of a key. A generation begins with a put and ends with the tombstone that deletes the key; a put after
 * that begins the next one.
 *
 *   put 2, put 3, delete 5, put 7, put 9      {2 3 5t} {7 9}      the newest: last 9, create 7, version 2
 *
 * Each generation is one record of 32 bytes, with its last revision in it; the key's id is the record of its newest
 * generation, for ever. What is older hangs on one chain: blocks of the revisions before the last (revision-blocks.ts),
 * then the record of the generation before, its blocks, and so on. All but the newest generation are closed: their
 * last revision is a tombstone.
 *
 *   0          8          16         24      28
 *   | main     | create   | version  | sub   | link |      three doubles and two words, in chunks of 1 MiB
 *
 * `main`, `sub` and `version` are those of the last revision. The version counts tombstones too, so the version of the
 * revision n before the last is `version - n`. `create` is 0 when a restart found nothing of the key but its tombstone.
 *
 * @see etcd server/storage/mvcc/key_index.go
 */
import { invariant } from "../base/invariant.ts";
import { RevisionBlocks } from "./revision-blocks.ts";
import type { RevisionSet } from "./revision-set.ts";

/** What a key was at some revision. Callers own one and pass it in, so that a look-up allocates nothing. */
export interface FoundRevision {
  /** Of the change: mod_revision and its place in the transaction. */
  main: number;
  sub: number;
  /** create_revision */
  create: number;
  version: number;
}

/**
 * @param tombstone  whether the change deleted the key
 * @returns false to stop
 */
export type RevisionVisitor = (main: number, sub: number, tombstone: boolean) => boolean;

const CHUNK_SHIFT = 15;
const CHUNK_RECORDS = 2 ** CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_RECORDS - 1;
const RECORD_BYTES = 32;

const DOUBLES = RECORD_BYTES / 8;
const MAIN = 0;
const CREATE = 1;
const VERSION = 2;

const WORDS = RECORD_BYTES / 4;
const SUB = 6;
const LINK = 7;

/** A link: 0 = nothing older, else a block, or with this bit the record of the generation before. */
const GENERATION = 2 ** 30;
const REF = GENERATION - 1;
/** The sign bit, on a newest generation alone: its last revision is a tombstone, so the key is deleted. */
const DELETED = -(2 ** 31);

export class Generations {
  readonly #doubles: Float64Array[] = [];
  readonly #words: Int32Array[] = [];
  readonly #blocks = new RevisionBlocks();
  #records = 0;
  /** The first free record, linked by LINK; -1 = none. */
  #free = -1;
  #freeRecords = 0;

  /** Revisions of all keys. */
  get revisions(): number {
    return this.generations + this.#blocks.revisions;
  }

  /** Every id is below this. One of a generation that is not the newest of its key means nothing outside. */
  get ids(): number {
    return this.#records;
  }

  get generations(): number {
    return this.#records - this.#freeRecords;
  }

  /** Allocated, of which `freeBytes` wait to be used again. */
  get bytes(): number {
    return this.#doubles.length * CHUNK_RECORDS * RECORD_BYTES + this.#blocks.bytes;
  }

  get freeBytes(): number {
    const unused = this.#doubles.length * CHUNK_RECORDS - this.generations;
    return unused * RECORD_BYTES + this.#blocks.freeBytes;
  }

  /** A key with its first put. @returns its id */
  create(main: number, sub: number): number {
    return this.#record(main, main, 1, sub, 0);
  }

  /** A key as a restart finds it in the file: the oldest revision that compaction left. @returns its id */
  restore(main: number, sub: number, tombstone: boolean, create: number, version: number): number {
    return tombstone
      ? this.#record(main, 0, 1, sub, DELETED)
      : this.#record(main, create, version, sub, 0);
  }

  isDeleted(id: number): boolean {
    return this.#link(id) < 0;
  }

  /** The main revision of the last change. */
  modified(id: number): number {
    return (this.#doubles[id >>> CHUNK_SHIFT] as Float64Array)[
      (id & CHUNK_MASK) * DOUBLES + MAIN
    ] as number;
  }

  /** @param main, sub  after the key's last change. @returns whether the key was deleted and lives again */
  put(id: number, main: number, sub: number): boolean {
    const link = this.#link(id);
    if (link >= 0) {
      this.#append(id, main, sub, link);
      return false;
    }
    this.#requireNewer(id, main, sub);
    const at = (id & CHUNK_MASK) * DOUBLES;
    const doubles = this.#doubles[id >>> CHUNK_SHIFT] as Float64Array;
    const words = this.#words[id >>> CHUNK_SHIFT] as Int32Array;
    const closed = this.#record(
      doubles[at + MAIN] as number,
      doubles[at + CREATE] as number,
      doubles[at + VERSION] as number,
      words[at * 2 + SUB] as number,
      link & ~DELETED,
    );
    doubles[at + MAIN] = main;
    doubles[at + CREATE] = main;
    doubles[at + VERSION] = 1;
    words[at * 2 + SUB] = sub;
    words[at * 2 + LINK] = GENERATION | closed;
    return true;
  }

  /** @returns false if the key is deleted already */
  tombstone(id: number, main: number, sub: number): boolean {
    const link = this.#link(id);
    if (link < 0) return false;
    this.#append(id, main, sub, link);
    this.#setLink(id, this.#link(id) | DELETED);
    return true;
  }

  /** What the key was at `atRev`. @returns false if it was not there */
  find(id: number, atRev: number, into: FoundRevision): boolean {
    const doubles = this.#doubles[id >>> CHUNK_SHIFT] as Float64Array;
    const words = this.#words[id >>> CHUNK_SHIFT] as Int32Array;
    const at = (id & CHUNK_MASK) * DOUBLES;
    const main = doubles[at + MAIN] as number;
    const link = words[at * 2 + LINK] as number;
    if (main > atRev) {
      return link !== 0 && this.#findOlder(id, atRev, into);
    }
    if (link < 0) return false;
    into.main = main;
    into.sub = words[at * 2 + SUB] as number;
    into.create = doubles[at + CREATE] as number;
    into.version = doubles[at + VERSION] as number;
    return true;
  }

  /** `find` below the last revision. */
  #findOlder(id: number, atRev: number, into: FoundRevision): boolean {
    const blocks = this.#blocks;
    let generation = id;
    let newer = 1;
    let link = this.#link(id) & ~DELETED;
    while (link !== 0) {
      const ref = link & REF;
      if ((link & GENERATION) !== 0) {
        if (this.modified(ref) <= atRev) return false;
        generation = ref;
        newer = 1;
        link = this.#link(ref);
        continue;
      }
      const index = blocks.search(ref, atRev);
      const count = blocks.count(ref);
      if (index >= 0) {
        const doubles = this.#doubles[generation >>> CHUNK_SHIFT] as Float64Array;
        const at = (generation & CHUNK_MASK) * DOUBLES;
        into.main = blocks.main(ref, index);
        into.sub = blocks.sub(ref, index);
        into.create = doubles[at + CREATE] as number;
        into.version = (doubles[at + VERSION] as number) - (newer + count - 1 - index);
        return true;
      }
      newer += count;
      link = blocks.link(ref);
    }
    return false;
  }

  /**
   * Visits all revisions with main ≥ `fromRev`, oldest first; of those with one main, the highest sub alone.
   * @returns false if the visitor stopped it
   */
  since(id: number, fromRev: number, visit: RevisionVisitor): boolean {
    const last = this.modified(id);
    if (last < fromRev) return true;
    const mains: number[] = [];
    const subs: number[] = [];
    const tombstones: boolean[] = [];
    const push = (main: number, sub: number, tombstone: boolean): void => {
      if (mains.length > 0 && mains[mains.length - 1] === main) return;
      mains.push(main);
      subs.push(sub);
      tombstones.push(tombstone);
    };
    push(last, this.#sub(id), this.isDeleted(id));
    let link = this.#link(id) & ~DELETED;
    while (link !== 0) {
      const ref = link & REF;
      if ((link & GENERATION) !== 0) {
        if (this.modified(ref) < fromRev) break;
        push(this.modified(ref), this.#sub(ref), true);
        link = this.#link(ref);
        continue;
      }
      let index = this.#blocks.count(ref) - 1;
      for (; index >= 0; index--) {
        const main = this.#blocks.main(ref, index);
        if (main < fromRev) break;
        push(main, this.#blocks.sub(ref, index), false);
      }
      if (index >= 0) break;
      link = this.#blocks.link(ref);
    }
    for (let i = mains.length - 1; i >= 0; i--) {
      if (!visit(mains[i] as number, subs[i] as number, tombstones[i] as boolean)) return false;
    }
    return true;
  }

  /**
   * Gives up what no read at `atRev` or later can see. Adds to `kept` the one revision at or below `atRev` that stays,
   * if there is one; a tombstone exactly at `atRev` stays until the next compaction.
   * @returns false if nothing is left of the key; its id is then no longer valid
   */
  compact(id: number, atRev: number, kept: RevisionSet): boolean {
    const main = this.modified(id);
    const link = this.#link(id);
    if (link === 0) {
      if (main <= atRev) kept.add(main, this.#sub(id));
      return true;
    }
    if (link < 0 && main < atRev) {
      this.#freeChain(GENERATION | id);
      return false;
    }
    const generation = this.#generationAt(id, atRev);
    const from = this.#link(generation) & ~DELETED;
    if (this.modified(generation) <= atRev) {
      kept.add(this.modified(generation), this.#sub(generation));
      this.#setLink(generation, this.#link(generation) & DELETED);
      this.#freeChain(from);
      return true;
    }
    this.#compactChain(generation, from, atRev, kept);
    return true;
  }

  /** What `compact` would add to `kept`, but never a tombstone, and nothing changes: etcd's hash wants it so. */
  keep(id: number, atRev: number, kept: RevisionSet): void {
    const generation = this.#generationAt(id, atRev);
    const main = this.modified(generation);
    if (main <= atRev) {
      if (generation === id && !this.isDeleted(id)) kept.add(main, this.#sub(id));
      return;
    }
    let link = this.#link(generation) & ~DELETED;
    while (link !== 0 && (link & GENERATION) === 0) {
      const index = this.#blocks.search(link, atRev);
      if (index >= 0) {
        kept.add(this.#blocks.main(link, index), this.#blocks.sub(link, index));
        return;
      }
      link = this.#blocks.link(link);
    }
  }

  /** The oldest generation that a read at `atRev` or later can see something of; the newest if there is none. */
  #generationAt(id: number, atRev: number): number {
    let generation = id;
    let link = this.#link(id) & ~DELETED;
    while (link !== 0) {
      const ref = link & REF;
      if ((link & GENERATION) !== 0) {
        // One transaction may end a generation and begin the next: at its revision only the next one is seen.
        if (this.modified(ref) < atRev || this.#create(generation) <= atRev) break;
        generation = ref;
        link = this.#link(ref);
      } else {
        link = this.#blocks.link(ref);
      }
    }
    return generation;
  }

  #create(id: number): number {
    const doubles = this.#doubles[id >>> CHUNK_SHIFT] as Float64Array;
    return doubles[(id & CHUNK_MASK) * DOUBLES + CREATE] as number;
  }

  /** Compacts the blocks of one generation, whose last revision is above `atRev`. @param first  its link */
  #compactChain(generation: number, first: number, atRev: number, kept: RevisionSet): void {
    const blocks = this.#blocks;
    let newer = 0;
    let link = first;
    while (link !== 0 && (link & GENERATION) === 0) {
      const index = blocks.search(link, atRev);
      if (index >= 0) {
        kept.add(blocks.main(link, index), blocks.sub(link, index));
        this.#freeChain(blocks.link(link));
        this.#relink(generation, newer, blocks.dropBefore(link, index));
        return;
      }
      newer = link;
      link = blocks.link(link);
    }
    if (link !== 0) {
      this.#relink(generation, newer, 0);
      this.#freeChain(link);
    }
  }

  /** Sets the link of the block `newer`, or of the generation itself if that is 0. */
  #relink(generation: number, newer: number, link: number): void {
    if (newer !== 0) this.#blocks.setLink(newer, link);
    else this.#setLink(generation, (this.#link(generation) & DELETED) | link);
  }

  #freeChain(first: number): void {
    let link = first;
    while (link !== 0) {
      const ref = link & REF;
      if ((link & GENERATION) === 0) {
        link = this.#blocks.free(ref);
      } else {
        link = this.#link(ref) & ~DELETED;
        this.#setLink(ref, this.#free);
        this.#free = ref;
        this.#freeRecords++;
      }
    }
  }

  /** One more revision in the newest generation, which is not deleted. */
  #append(id: number, main: number, sub: number, link: number): void {
    this.#requireNewer(id, main, sub);
    const at = (id & CHUNK_MASK) * DOUBLES;
    const doubles = this.#doubles[id >>> CHUNK_SHIFT] as Float64Array;
    const words = this.#words[id >>> CHUNK_SHIFT] as Int32Array;
    const last = doubles[at + MAIN] as number;
    const lastSub = words[at * 2 + SUB] as number;
    const chained = link !== 0 && (link & GENERATION) === 0;
    words[at * 2 + LINK] = chained
      ? this.#blocks.push(link, last, lastSub)
      : this.#blocks.start(link, last, lastSub);
    doubles[at + MAIN] = main;
    doubles[at + VERSION] = (doubles[at + VERSION] as number) + 1;
    words[at * 2 + SUB] = sub;
  }

  #requireNewer(id: number, main: number, sub: number): void {
    const last = this.modified(id);
    if (main > last || (main === last && sub > this.#sub(id))) return;
    invariant(false, "a change comes after the key's last", {
      main,
      sub,
      last,
      lastSub: this.#sub(id),
    });
  }

  #record(main: number, create: number, version: number, sub: number, link: number): number {
    let id = this.#free;
    if (id === -1) {
      id = this.#records++;
      if (id >>> CHUNK_SHIFT === this.#doubles.length) {
        invariant(id <= REF, "generations fit their 30 bits", { id });
        const chunk = new ArrayBuffer(CHUNK_RECORDS * RECORD_BYTES);
        this.#doubles.push(new Float64Array(chunk));
        this.#words.push(new Int32Array(chunk));
      }
    } else {
      this.#free = this.#link(id);
      this.#freeRecords--;
    }
    const at = (id & CHUNK_MASK) * DOUBLES;
    const doubles = this.#doubles[id >>> CHUNK_SHIFT] as Float64Array;
    const words = this.#words[id >>> CHUNK_SHIFT] as Int32Array;
    doubles[at + MAIN] = main;
    doubles[at + CREATE] = create;
    doubles[at + VERSION] = version;
    words[at * 2 + SUB] = sub;
    words[at * 2 + LINK] = link;
    return id;
  }

  #sub(id: number): number {
    return (this.#words[id >>> CHUNK_SHIFT] as Int32Array)[
      (id & CHUNK_MASK) * WORDS + SUB
    ] as number;
  }

  #link(id: number): number {
    return (this.#words[id >>> CHUNK_SHIFT] as Int32Array)[
      (id & CHUNK_MASK) * WORDS + LINK
    ] as number;
  }

  #setLink(id: number, link: number): void {
    (this.#words[id >>> CHUNK_SHIFT] as Int32Array)[(id & CHUNK_MASK) * WORDS + LINK] = link;
  }
}
