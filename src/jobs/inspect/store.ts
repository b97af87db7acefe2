/** The user's keys in a file: the current revision, what was compacted, and rows read back from where they stand. */
import { FINISHED_COMPACT_REV, KEY, META, SCHEDULED_COMPACT_REV } from "../../backend/buckets.ts";
import { CorruptionError, StrataError } from "../../base/errors.ts";
import { decodeKeyValue, type KeyValue } from "../../mvcc/key-value.ts";
import { readRevision } from "../../mvcc/revision.ts";
import { CachedPages } from "../../pagefile/cached-pages.ts";
import { leafKeyBytes, leafKeyOffset, leafValueBytes, type Page } from "../../pagefile/page.ts";
import { ReadTx } from "../../pagefile/tx.ts";
import type { ProgressWriter } from "../progress.ts";
import { Faults } from "./faults.ts";
import type { Rooted } from "./inspected.ts";
import type { KeyIndex } from "./key-index.ts";
import { eachRecord } from "./records.ts";
import { walkBuckets } from "./walks.ts";

/** Main revisions; -1 = none. */
export interface RevisionMarks {
  readonly current: number;
  /** What may be asked for begins here: the higher of the two below. */
  readonly compacted: number;
  readonly scheduled: number;
  readonly finished: number;
}

/**
 * A compaction that was scheduled and has not finished counts: rows below it may be gone already, and a server that
 * opens the file finishes it first.
 */
export function marksOf(last: number, scheduled: number, finished: number): RevisionMarks {
  const compacted = Math.max(scheduled, finished);
  return { current: Math.max(1, last, compacted), compacted, scheduled, finished };
}

/** @throws StrataError COMPACTED or FUTURE, in etcd's words */
export function checkedRevision(asked: number, marks: RevisionMarks): number {
  if (asked <= 0) return marks.current;
  if (asked > marks.current) {
    throw new StrataError("FUTURE", "etcdserver: mvcc: required revision is a future revision");
  }
  if (asked < marks.compacted) {
    throw new StrataError("COMPACTED", "etcdserver: mvcc: required revision has been compacted");
  }
  return asked;
}

const CACHE_BYTES = 32 * 1024 * 1024;

export class Store {
  readonly #view: Rooted;
  readonly #pages: CachedPages;

  constructor(view: Rooted) {
    this.#view = view;
    this.#pages = new CachedPages(view.file, view.pageBytes, CACHE_BYTES);
  }

  /** Read from the ends of the tree; a tree that is damaged there is walked. */
  marks(progress: ProgressWriter): RevisionMarks {
    const tx = new ReadTx(this.#pages, this.#view.meta, () => {});
    try {
      const meta = tx.bucket(META);
      const mark = (name: Uint8Array): number => mainOf(meta?.get(name));
      const cursor = tx.bucket(KEY)?.cursor();
      const last = cursor?.last() ? mainOf(cursor.key()) : 0;
      return marksOf(last, mark(SCHEDULED_COMPACT_REV), mark(FINISHED_COMPACT_REV));
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      return this.#walkedMarks(progress);
    } finally {
      tx.close();
    }
  }

  /**
   * The row at a place in the index.
   * @throws CorruptionError if another one stands there: the file has changed, or is not what it was taken for
   */
  read(index: KeyIndex, entry: number): KeyValue {
    const id = index.pageOf(entry);
    const i = index.elementOf(entry);
    const page = id === 0 ? index.inline : this.#pages.treePage(id, this.#view.meta.pgid);
    const kv = page?.isLeaf && i < page.count ? decodeKeyValue(valueAt(page, i)) : undefined;
    if (kv === undefined || kv.key.length !== index.keys.keyBytes(entry)) {
      const what = `page ${id}: element ${i} is not the row that was read there before`;
      throw new CorruptionError(this.#view.source.path, id * this.#view.pageBytes, what);
    }
    return kv;
  }

  #walkedMarks(progress: ProgressWriter): RevisionMarks {
    const view = this.#view;
    const faults = new Faults();
    let last = 0;
    let scheduled = -1;
    let finished = -1;
    const leaf = (page: Page, bucket: Uint8Array): void => {
      if (bucket === KEY) {
        eachRecord(page, view.pageBytes, faults, ({ main }) => {
          last = Math.max(last, main);
        });
        return;
      }
      for (let i = 0; i < page.count; i++) {
        const offset = leafKeyOffset(page, i);
        const name = Buffer.from(page.bytes.subarray(offset, offset + leafKeyBytes(page, i)));
        const main = mainOf(valueAt(page, i));
        if (name.equals(SCHEDULED_COMPACT_REV)) scheduled = main;
        else if (name.equals(FINISHED_COMPACT_REV)) finished = main;
      }
    };
    walkBuckets(view, [KEY, META], { leaf }, faults, progress);
    return marksOf(last, scheduled, finished);
  }
}

function mainOf(revision: Uint8Array | undefined): number {
  return (revision && readRevision(revision)?.main) ?? -1;
}

function valueAt(page: Page, i: number): Uint8Array {
  const start = leafKeyOffset(page, i) + leafKeyBytes(page, i);
  return page.bytes.subarray(start, start + leafValueBytes(page, i));
}
