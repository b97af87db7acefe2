/**
 * The integrity walk: every fault of a file, in the words of bbolt's `Tx.Check` (tx_check.go) where it has them. It
 * never stops at the first, and never follows a page twice.
 *
 * Unlike bbolt it looks into inline buckets too, and reports a file that is shorter than its meta says.
 */
import { CorruptionError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import { readFreelistPage } from "./free-pages.ts";
import type { Meta } from "./meta.ts";
import { parsePage } from "./page.ts";
import { PageBitmap } from "./page-bitmap.ts";
import { PageRun, type WalkSource } from "./page-runs.ts";
import { TreeWalk, type WalkVisitor } from "./walk.ts";

export interface Fault {
  readonly offsetBytes: number;
  readonly what: string;
}

export interface CheckResult {
  readonly faults: readonly Fault[];
  /** Faults in all; `faults` holds the first `FAULTS_KEPT` of them. */
  readonly faultCount: number;
  /** Pages that the tree and the metas use, the free list's own included. */
  readonly pagesInUse: number;
  readonly pagesFree: number;
}

/** A ruined file can have a fault for every page; a report keeps this many, and the count of all. */
export const FAULTS_KEPT = 10_000;

/**
 * Checks the tree of `meta`. Reads every page in use once.
 * @param visitor  sees what the walk sees, for a job that wants to do its own work on the way
 */
export function checkTree(source: WalkSource, meta: Meta, visitor: WalkVisitor = {}): CheckResult {
  const step = checkSteps(source, meta, visitor, () => false).next();
  invariant(step.done === true, "a check that is never to stop comes to its end");
  return step.value;
}

/** The same, stopping where `isTime`, which is asked at every page, says so. The tree must stay what it is meanwhile. */
export function* checkSteps(
  source: WalkSource,
  meta: Meta,
  visitor: WalkVisitor,
  isTime: () => boolean,
): Generator<undefined, CheckResult> {
  const faults: Fault[] = [];
  let faultCount = 0;
  const fault = (what: string, offsetBytes: number): void => {
    faultCount++;
    if (faults.length < FAULTS_KEPT) faults.push({ what, offsetBytes });
    visitor.fault?.(what, offsetBytes);
  };
  const { pageBytes } = source;
  const filePages = Math.floor(source.size() / pageBytes);
  const pages = Math.min(meta.pgid, filePages);
  if (meta.pgid > filePages) {
    fault(`the file has ${filePages} pages, its meta says ${meta.pgid} are in use`, source.size());
  }
  const reached = new PageBitmap(pages);
  reached.add(0);
  reached.add(1);
  const freed =
    meta.freelist === undefined
      ? undefined
      : storedFree(source, meta.freelist, pages, reached, fault);

  const isFree = freed === undefined ? {} : { isFree: (id: number): boolean => freed.has(id) };
  const walk = new TreeWalk(
    source,
    { ...bound(visitor), fault },
    { reached, order: true, isTime, ...isFree },
  );
  yield* walk.steps(meta.root, 0);

  let pagesFree = 0;
  for (let id = 2; id < pages; id++) {
    if (reached.has(id)) continue;
    pagesFree++;
    // A list that is not stored is what the tree does not reach: then nothing can be lost.
    if (freed !== undefined && !freed.has(id)) {
      fault(`page ${id}: unreachable unfreed`, id * pageBytes);
      pagesFree--;
    }
  }
  return { faults, faultCount, pagesInUse: reached.count, pagesFree };
}

function bound(visitor: WalkVisitor): WalkVisitor {
  return {
    ...(visitor.leaf && { leaf: visitor.leaf.bind(visitor) }),
    ...(visitor.branch && { branch: visitor.branch.bind(visitor) }),
    ...(visitor.enterBucket && { enterBucket: visitor.enterBucket.bind(visitor) }),
    ...(visitor.leaveBucket && { leaveBucket: visitor.leaveBucket.bind(visitor) }),
    ...(visitor.entered && { entered: visitor.entered.bind(visitor) }),
  };
}

/** The stored free list; its own pages count as reached. */
function storedFree(
  source: WalkSource,
  id: number,
  pages: number,
  reached: PageBitmap,
  fault: (what: string, offsetBytes: number) => void,
): PageBitmap | undefined {
  const { pageBytes, path } = source;
  const at = Math.min(id, pages) * pageBytes;
  if (id < 2 || id >= pages) {
    fault(`freelist page ${id}: out of bounds: ${pages}`, at);
    return undefined;
  }
  const freed = new PageBitmap(pages);
  try {
    const page = parsePage(new PageRun(source).single(id), path, at);
    for (const freeId of readFreelistPage(page, path, pageBytes)) {
      if (freeId < 2 || freeId >= pages) {
        fault(`freelist page ${id} lists page ${freeId}: out of bounds: ${pages}`, at);
      } else if (!freed.add(freeId)) {
        fault(`page ${freeId}: already freed`, freeId * pageBytes);
      }
    }
    for (let own = id; own <= id + page.overflow; own++) {
      reached.add(own);
      if (freed.has(own)) fault(`page ${own}: reachable freed`, own * pageBytes);
    }
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    fault(error.what, error.offsetBytes);
    return undefined;
  }
  return freed;
}
