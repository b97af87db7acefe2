/**
 * Every key and value of a bucket, in key order, without an object for any of them. For jobs that look at everything:
 * a hash, a copy, an index that is built at start-up.
 *
 * Pages that lie near each other are read in one go, into memory that the next read uses again; those in the cache
 * are taken from there, and none is put there, so that a scan does not push out what readers need.
 */
import { readU32 } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import { TREE_DEPTH_MAX } from "../base/limits.ts";
import type { Bucket } from "./bucket.ts";
import {
  BRANCH,
  BUCKET_ELEMENT,
  branchChild,
  ELEMENT_BYTES,
  LEAF,
  PAGE_HEADER_BYTES,
  Page,
  pageTypeName,
  parsePage,
} from "./page.ts";
import { PageBitmap } from "./page-bitmap.ts";
import { PageRun, type WalkSource } from "./page-runs.ts";
import type { ReadTx, WriteTx } from "./tx.ts";

/**
 * One key and its value. `bytes` is valid during the call only, and must not be written to.
 * @returns false to end the scan; anything else goes on
 */
export type PairVisitor = (
  bytes: Uint8Array,
  keyOffset: number,
  keyBytes: number,
  valueOffset: number,
  valueBytes: number,
) => unknown;

/**
 * Calls `visit` for every key of `bucket` that has a value; buckets inside are passed over. `visit` must not change
 * the bucket. In a write transaction that has changed the bucket, its changes are seen, and the scan is a cursor's.
 *
 * @returns false if `visit` ended it
 * @throws CorruptionError at the first page that the format does not allow, whose keys are not visited, or that the
 *   tree has come to before: whatever the file says, the scan ends
 */
export function scanBucket(tx: ReadTx | WriteTx, bucket: Bucket, visit: PairVisitor): boolean {
  tx.assertOpen();
  const root = bucket.root();
  if (!(root instanceof Page)) return scanByCursor(bucket, visit);
  return new Scan(tx.walkSource(), visit, root.id).page(root, 0);
}

/**
 * The leaf pages of a bucket that nobody is writing to, in key order, read as for `scanBucket`: for a scan that goes on
 * later where it stopped. A page is valid until the next is asked for.
 *
 * @throws CorruptionError as `scanBucket`
 */
export function* leafPages(tx: ReadTx, bucket: Bucket): Generator<Page, void> {
  tx.assertOpen();
  const root = bucket.root();
  invariant(root instanceof Page, "nobody is writing to the bucket");
  yield* new Scan(tx.walkSource(), () => true, root.id).leaves(root, 0);
}

function scanByCursor(bucket: Bucket, visit: PairVisitor): boolean {
  const cursor = bucket.cursor();
  for (let more = cursor.first(); more; more = cursor.next()) {
    if (cursor.isBucket) continue;
    const { bytes, keyOffset, keyBytes, valueBytes } = cursor;
    if (visit(bytes, keyOffset, keyBytes, keyOffset + keyBytes, valueBytes) === false) return false;
  }
  return true;
}

class Scan {
  readonly #source: WalkSource;
  readonly #visit: PairVisitor;
  readonly #reached: PageBitmap;
  /** By level, because a branch is needed until its last child is done. */
  readonly #runs: PageRun[] = [];

  constructor(source: WalkSource, visit: PairVisitor, rootId: number) {
    this.#source = source;
    this.#visit = visit;
    const filePages = Math.ceil(source.size() / source.pageBytes);
    this.#reached = new PageBitmap(Math.min(source.pgid, filePages));
    this.#reached.add(rootId);
  }

  page(page: Page, level: number): boolean {
    for (const leaf of this.leaves(page, level)) if (!visitLeaf(leaf, this.#visit)) return false;
    return true;
  }

  *leaves(page: Page, level: number): Generator<Page, void> {
    parsePage(page, this.#source.path, page.id * this.#source.pageBytes);
    if (page.flags === LEAF) {
      yield page;
      return;
    }
    if (page.flags !== BRANCH) {
      throw this.#fault(page.id, `page ${page.id}: invalid type: ${pageTypeName(page.flags)}`);
    }
    if (level + 1 >= TREE_DEPTH_MAX) {
      throw this.#fault(
        page.id,
        `page ${page.id}: the tree is deeper than ${TREE_DEPTH_MAX} pages`,
      );
    }
    this.#runs[level] ??= new PageRun(this.#source);
    const run = this.#runs[level] as PageRun;
    for (let i = 0; i < page.count; i++) {
      const id = branchChild(page, i);
      if (id < 2 || id >= this.#source.pgid) {
        throw this.#fault(id, `page ${id}: out of bounds: ${this.#source.pgid}`);
      }
      if (!this.#reached.add(id)) throw this.#fault(id, `page ${id}: multiple references`);
      yield* this.leaves(run.child(page, i), level + 1);
    }
  }

  #fault(id: number, what: string): CorruptionError {
    const { path, pageBytes, pgid } = this.#source;
    return new CorruptionError(path, Math.min(id, pgid) * pageBytes, what);
  }
}

/** A free function over primitives, fields read by hand: this loop is what a scan spends its time in. */
function visitLeaf(page: Page, visit: PairVisitor): boolean {
  const { bytes, view, base, count } = page;
  const end = base + PAGE_HEADER_BYTES + count * ELEMENT_BYTES;
  for (let at = base + PAGE_HEADER_BYTES; at < end; at += ELEMENT_BYTES) {
    if ((readU32(view, at) & BUCKET_ELEMENT) !== 0) continue;
    const keyOffset = at + readU32(view, at + 4);
    const keyBytes = readU32(view, at + 8);
    const valueBytes = readU32(view, at + 12);
    if (visit(bytes, keyOffset, keyBytes, keyOffset + keyBytes, valueBytes) === false) return false;
  }
  return true;
}
