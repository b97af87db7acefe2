/** Walks over a part of a file, or for several purposes at once. */
import { compareRanges } from "../../base/bytes.ts";
import type { Page } from "../../pagefile/page.ts";
import { PageBitmap } from "../../pagefile/page-bitmap.ts";
import { type BucketElement, TreeWalk, type WalkVisitor } from "../../pagefile/walk.ts";
import type { ProgressWriter } from "../progress.ts";
import type { Faults } from "./faults.ts";
import type { Rooted } from "./inspected.ts";

/** Thrown by a visitor that has seen enough. */
export class EnoughSeen extends Error {
  override readonly name: string = "EnoughSeen";
}

/** What stands in the leaf pages of some top-level buckets; each page is valid during the call. */
export interface LeafVisitor {
  /** @param bucket  of `names`, the bucket whose page it is */
  leaf(page: Page, bucket: Uint8Array): void;
}

/** Walks the named top-level buckets and no other; buckets inside them are passed over. */
export function walkBuckets(
  view: Rooted,
  names: readonly Uint8Array[],
  visitor: LeafVisitor,
  faults: Faults,
  progress: ProgressWriter,
): void {
  const { source, meta } = view;
  const leaves = leavesOf(names, visitor);
  const walk = new TreeWalk(
    source,
    {
      ...leaves,
      enterBucket: (bucket) => {
        leaves.enterBucket?.(bucket);
        return bucket.depth === 1 && nameOf(bucket, names) !== undefined;
      },
      entered: reporter(progress, source.pageBytes),
      fault: (what, offsetBytes) => faults.add(what, offsetBytes),
    },
    { reached: newBitmap(view), order: false },
  );
  try {
    walk.bucket(meta.root, 0);
  } catch (error) {
    if (!(error instanceof EnoughSeen)) throw error;
  }
}

/** A visitor of leaves as part of a walk over everything. */
export function leavesOf(names: readonly Uint8Array[], visitor: LeafVisitor): WalkVisitor {
  let bucket: Uint8Array | undefined;
  return {
    enterBucket: (element) => {
      if (element.depth === 1) bucket = nameOf(element, names);
      return true;
    },
    leaf: (page, depth) => {
      if (depth === 1 && bucket !== undefined) visitor.leaf(page, bucket);
    },
  };
}

/** Several visitors on one walk over everything. */
export function together(...visitors: readonly WalkVisitor[]): WalkVisitor {
  return {
    leaf: (page, depth) => {
      for (const each of visitors) each.leaf?.(page, depth);
    },
    branch: (page, depth) => {
      for (const each of visitors) each.branch?.(page, depth);
    },
    enterBucket: (bucket) => {
      for (const each of visitors) each.enterBucket?.(bucket);
      return true;
    },
    leaveBucket: (depth) => {
      for (const each of visitors) each.leaveBucket?.(depth);
    },
    entered: (pages) => {
      for (const each of visitors) each.entered?.(pages);
    },
  };
}

/** How often a walk reports: every so many pages. */
const REPORT_PAGES = 256;

/** Counts pages and reports them as bytes. */
export function reporter(progress: ProgressWriter, pageBytes: number): (pages: number) => void {
  let seen = 0;
  let reported = 0;
  return (pages) => {
    seen += pages;
    if (seen - reported < REPORT_PAGES) return;
    reported = seen;
    progress.done(seen * pageBytes);
  };
}

export function newBitmap(view: Rooted): PageBitmap {
  const filePages = Math.ceil(view.source.size() / view.pageBytes);
  return new PageBitmap(Math.min(view.meta.pgid, filePages));
}

function nameOf(bucket: BucketElement, names: readonly Uint8Array[]): Uint8Array | undefined {
  const { bytes, nameOffset, nameBytes } = bucket;
  return names.find(
    (name) => compareRanges(bytes, nameOffset, nameBytes, name, 0, name.length) === 0,
  );
}
