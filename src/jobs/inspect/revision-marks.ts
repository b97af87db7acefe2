/** Which revisions a file has: the current one, and where what was compacted ends. */
import { FINISHED_COMPACT_REV, KEY, META, SCHEDULED_COMPACT_REV } from "../../backend/buckets.ts";
import { readRevision } from "../../backend/revision.ts";
import { CorruptionError, EtcdError } from "../../base/errors.ts";
import { CachedPages } from "../../pagefile/cached-pages.ts";
import { leafKeyBytes, leafKeyOffset, leafValueBytes, type Page } from "../../pagefile/page.ts";
import { ReadTx } from "../../pagefile/tx.ts";
import type { ProgressWriter } from "../progress.ts";
import { Faults } from "./faults.ts";
import type { Rooted } from "./inspected.ts";
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

/** @throws EtcdError COMPACTED or FUTURE */
export function checkedRevision(asked: number, marks: RevisionMarks): number {
  if (asked <= 0) return marks.current;
  if (asked > marks.current) throw new EtcdError("FUTURE");
  if (asked < marks.compacted) throw new EtcdError("COMPACTED");
  return asked;
}

/** A few pages are read. */
const CACHE_BYTES = 1024 * 1024;

/** Read from the ends of the tree; a tree that is damaged there is walked. */
export function readMarks(view: Rooted, progress: ProgressWriter): RevisionMarks {
  const tx = new ReadTx(
    new CachedPages(view.file, view.pageBytes, CACHE_BYTES),
    view.meta,
    () => {},
  );
  try {
    const meta = tx.bucket(META);
    const mark = (name: Uint8Array): number => mainOf(meta?.get(name));
    const cursor = tx.bucket(KEY)?.cursor();
    const last = cursor?.last() ? mainOf(cursor.key()) : 0;
    return marksOf(last, mark(SCHEDULED_COMPACT_REV), mark(FINISHED_COMPACT_REV));
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    return walkedMarks(view, progress);
  } finally {
    tx.close();
  }
}

function walkedMarks(view: Rooted, progress: ProgressWriter): RevisionMarks {
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

function mainOf(revision: Uint8Array | undefined): number {
  return (revision && readRevision(revision)?.main) ?? -1;
}

function valueAt(page: Page, i: number): Uint8Array {
  const start = leafKeyOffset(page, i) + leafKeyBytes(page, i);
  return page.bytes.subarray(start, start + leafValueBytes(page, i));
}
