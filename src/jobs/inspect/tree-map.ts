/** Which bucket each page belongs to, and what each bucket takes: gathered on a walk over everything. */
import type { Meta } from "../../pagefile/meta.ts";
import {
  branchKeyBytes,
  ELEMENT_BYTES,
  leafKeyBytes,
  leafValueBytes,
  PAGE_HEADER_BYTES,
  type Page,
} from "../../pagefile/page.ts";
import { PageBitmap } from "../../pagefile/page-bitmap.ts";
import type { BucketElement, WalkVisitor } from "../../pagefile/walk.ts";

export interface BucketStats {
  /** Names from the top level down; none for the root bucket. */
  readonly path: readonly Uint8Array[];
  /** 0 = inline. */
  readonly rootId: number;
  readonly sequence: bigint;
  /** Of the bucket alone, not of those inside: */
  keys: number;
  /** Buckets right inside. */
  buckets: number;
  /** Pages from the root to the first leaf; 1 for an inline bucket. */
  depth: number;
  /** Overflow pages included; 0 for an inline bucket. */
  pages: number;
  /** What pages, elements and data take without the pages' unused ends. */
  usedBytes: number;
}

/** A hostile file may hold a bucket in every 50 bytes; what the first of them take is told, the others are counted. */
export const BUCKETS_KEPT = 100_000;

const CHUNK_BITS = 12;

export class TreeMap implements WalkVisitor {
  /** In the walk's order, the root bucket first. */
  readonly buckets: BucketStats[];
  readonly reached: PageBitmap;
  bucketCount = 0;
  leafPages = 0;
  branchPages = 0;
  overflowPages = 0;
  leafBytes = 0;
  branchBytes = 0;
  readonly #heads = new PageBitmap();
  /** Page id → bucket's number + 1, in chunks that exist where pages were found. */
  readonly #owners: Uint32Array[] = [];
  /** Numbers of the buckets that the walk is in. */
  readonly #inside: number[] = [0];
  #climbing = true;

  /** @param reached  the walk's: what it came to, whether it was a page or not */
  constructor(meta: Meta, reached: PageBitmap = new PageBitmap()) {
    this.reached = reached;
    this.buckets = [newStats([], meta.root, meta.sequence)];
  }

  /** The bucket that a page belongs to, if the tree reaches it. */
  ownerOf(id: number): BucketStats | undefined {
    const owner = this.#owners[Math.floor(id / 2 ** CHUNK_BITS)]?.[id % 2 ** CHUNK_BITS] ?? 0;
    return owner === 0 ? undefined : this.buckets[owner - 1];
  }

  /** Whether the page has a header: it is no overflow page of another. */
  isHead(id: number): boolean {
    return this.#heads.has(id);
  }

  /** The page that an overflow page belongs to. */
  headOf(id: number): number {
    let head = id;
    while (head > 0 && !this.#heads.has(head)) head--;
    return head;
  }

  enterBucket(bucket: BucketElement): boolean {
    const { bytes, nameOffset, nameBytes, header, depth } = bucket;
    this.#inside.length = depth;
    const outer = this.#current();
    outer.buckets++;
    // It was counted among the elements of its leaf.
    outer.keys--;
    this.bucketCount++;
    if (this.buckets.length < BUCKETS_KEPT) {
      const name = bytes.slice(nameOffset, nameOffset + nameBytes);
      this.buckets.push(newStats([...outer.path, name], header.rootId, header.sequence));
    }
    // Those that are too many share the last one.
    this.#inside.push(this.buckets.length - 1);
    this.#climbing = true;
    return true;
  }

  leaveBucket(depth: number): void {
    this.#inside.length = depth;
    this.#climbing = false;
  }

  branch(page: Page, depth: number): void {
    const bucket = this.#at(depth);
    if (this.#climbing) bucket.depth++;
    let used = PAGE_HEADER_BYTES + page.count * ELEMENT_BYTES;
    for (let i = 0; i < page.count; i++) used += branchKeyBytes(page, i);
    this.branchPages++;
    this.branchBytes += used;
    this.#own(page, bucket, used);
  }

  leaf(page: Page, depth: number): void {
    const bucket = this.#at(depth);
    this.#climbing = false;
    let used = PAGE_HEADER_BYTES + page.count * ELEMENT_BYTES;
    for (let i = 0; i < page.count; i++) {
      used += leafKeyBytes(page, i) + leafValueBytes(page, i);
    }
    bucket.keys += page.count;
    if (page.id === 0) {
      // An inline bucket's page lies within another one.
      bucket.usedBytes += used;
      return;
    }
    this.leafPages++;
    this.leafBytes += used;
    this.#own(page, bucket, used);
  }

  #own(page: Page, bucket: BucketStats, used: number): void {
    bucket.pages += page.overflow + 1;
    bucket.usedBytes += used;
    this.overflowPages += page.overflow;
    this.#heads.add(page.id);
    const number = (this.#inside[this.#inside.length - 1] as number) + 1;
    for (let id = page.id; id <= page.id + page.overflow; id++) {
      const chunk = Math.floor(id / 2 ** CHUNK_BITS);
      this.#owners[chunk] ??= new Uint32Array(2 ** CHUNK_BITS);
      (this.#owners[chunk] as Uint32Array)[id % 2 ** CHUNK_BITS] = number;
    }
  }

  #at(depth: number): BucketStats {
    this.#inside.length = depth + 1;
    return this.#current();
  }

  #current(): BucketStats {
    return this.buckets[this.#inside[this.#inside.length - 1] as number] as BucketStats;
  }
}

function newStats(path: Uint8Array[], rootId: number, sequence: bigint): BucketStats {
  return { path, rootId, sequence, keys: 0, buckets: 0, depth: 1, pages: 0, usedBytes: 0 };
}
