/** The free list of a file at rest: as it is stored, or derived from what the tree does not reach. */
import { readU64, viewOf } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import type { Meta } from "./meta.ts";
import { FREELIST, PAGE_HEADER_BYTES, type Page, pageTypeName } from "./page.ts";
import { PageBitmap } from "./page-bitmap.ts";
import type { WalkSource } from "./page-runs.ts";
import { TreeWalk } from "./walk.ts";

/** A header's count that means that the count stands in the body. */
const COUNT_IN_BODY = 0xffff;

/**
 * The ids on a free list page, as stored.
 * @throws CorruptionError if it is another kind of page, or claims more ids than it has room for
 */
export function readFreelistPage(page: Page, path: string, pageBytes: number): number[] {
  const at = page.id * pageBytes;
  if (page.flags !== FREELIST) {
    const what = `invalid freelist page: ${page.id}, page type is ${pageTypeName(page.flags)}`;
    throw new CorruptionError(path, at + 8, what);
  }
  const view = viewOf(page.bytes.subarray(page.base, page.base + page.length));
  const counted = page.count === COUNT_IN_BODY;
  const count = counted ? readU64(view, PAGE_HEADER_BYTES) : page.count;
  const from = PAGE_HEADER_BYTES + (counted ? 8 : 0);
  if (count > (page.length - from) / 8) {
    const what = `freelist page ${page.id} claims ${count} ids, it has room for ${Math.floor((page.length - from) / 8)}`;
    throw new CorruptionError(path, at + (counted ? PAGE_HEADER_BYTES : 10), what);
  }
  const ids: number[] = new Array<number>(count);
  for (let i = 0; i < count; i++) ids[i] = readU64(view, from + 8 * i);
  return ids;
}

/** Every page that the tree of `meta` reaches. @throws CorruptionError at the first fault on the way */
export function reachedPages(source: WalkSource, meta: Meta): PageBitmap {
  const reached = new PageBitmap(Math.min(meta.pgid, Math.ceil(source.size() / source.pageBytes)));
  new TreeWalk(source, {}, { reached, order: false }).bucket(meta.root, 0);
  return reached;
}

/**
 * Adds to `reached`, which has what a newer root reaches, what the tree of an older one reaches besides. Where the older
 * one cannot be read it ends there: nobody can go back to it anyway.
 */
export function addReached(source: WalkSource, older: Meta, reached: PageBitmap): void {
  // A page that the newer root has as well is a fault to the walk, which passes over it and all below.
  new TreeWalk(source, { fault: () => undefined }, { reached, order: false }).bucket(older.root, 0);
}
