/**
 * What is different between two roots of one file, in the order of keys: what has to be done to a copy of the older one
 * to make it one of the newer.
 *
 * Pages that both roots lead to are passed over unread, whole subtrees of them: while the older root is pinned, none of
 * its pages is used again, so the same id is the same content. What is read is what was written since, and what that
 * has replaced.
 */
import { compareRanges, equalBytes } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { BUCKET_DEPTH_MAX, TREE_DEPTH_MAX } from "../base/limits.ts";
import { type BucketHeader, inlinePage, readBucketHeader } from "./bucket.ts";
import type { Meta } from "./meta.ts";
import {
  BUCKET_ELEMENT,
  branchChild,
  branchKeyBytes,
  branchKeyOffset,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  type Page,
} from "./page.ts";

/** One of the two roots; a `ReadTx` is one. */
export interface DiffRoot {
  readonly path: string;
  readonly pageBytes: number;
  readonly meta: Meta;
  /** A branch or leaf page. @throws CorruptionError if there is none at that id */
  page(id: number): Page;
}

/**
 * `put`, `delete`: a key of the bucket that was entered last. `deleteBucket`: the one of that name, with all in it.
 * `enter`: what follows is of the bucket of that name, which has that sequence; `create` also makes it first.
 * `leave`: of the one around it again.
 */
export type DiffKind = "put" | "delete" | "deleteBucket" | "create" | "enter" | "leave";

const NO_BYTES = new Uint8Array(0);

/** One bucket's tree in key order. What comes next is a page that has not been opened yet, or an element of a leaf. */
class Side {
  readonly #root: DiffRoot;
  /** From the root to a leaf; of each page the element that is next. */
  readonly #pages: Page[] = [];
  readonly #indexes: number[] = [];
  /** Not opened yet; 0: it is. */
  #rootId: number;
  /** Pages below the root's, down to the leaves, which are all at one depth. */
  readonly #rootHeight: number;

  /** @param inline  the one page of a bucket that has no root of its own */
  constructor(root: DiffRoot, rootId: number, inline?: Page) {
    this.#root = root;
    this.#rootId = inline === undefined ? rootId : 0;
    this.#rootHeight = inline === undefined && rootId !== 0 ? this.#heightOf(rootId) : 0;
    if (inline !== undefined) this.#push(inline);
  }

  /** The page that comes next, not yet opened; 0 if it is an element that comes next, or nothing. */
  get pageId(): number {
    if (this.#rootId !== 0) return this.#rootId;
    const page = this.#top();
    return page === undefined || page.isLeaf ? 0 : branchChild(page, this.#index());
  }

  /** Of that page: 0 = a leaf. */
  get height(): number {
    return this.#rootId !== 0 ? this.#rootHeight : this.#rootHeight - this.#pages.length;
  }

  get isOver(): boolean {
    return this.#rootId === 0 && this.#pages.length === 0;
  }

  /** Order of what comes next: no key in it is lower than the one that is compared. */
  compareTo(other: Side): number {
    const a = this.#place();
    const b = other.#place();
    return compareRanges(a.bytes, a.offset, a.keyBytes, b.bytes, b.offset, b.keyBytes);
  }

  /** Takes the page that comes next apart: then its first child or element does. */
  open(): void {
    const page = this.#root.page(this.pageId);
    this.#rootId = 0;
    this.#push(page);
  }

  /** Passes over what comes next, page or element. */
  skip(): void {
    if (this.#rootId !== 0) {
      this.#rootId = 0;
      return;
    }
    this.#indexes[this.#indexes.length - 1] = this.#index() + 1;
    this.#pop();
  }

  /** Of the element that comes next. */
  element(): Element {
    const page = this.#top() as Page;
    const i = this.#index();
    const keyOffset = leafKeyOffset(page, i);
    const keyBytes = leafKeyBytes(page, i);
    const valueBytes = leafValueBytes(page, i);
    const isBucket = (leafFlags(page, i) & BUCKET_ELEMENT) !== 0;
    return { bytes: page.bytes, keyOffset, keyBytes, valueBytes, isBucket };
  }

  /** The tree of the bucket that comes next. */
  inside(element: Element, header: BucketHeader): Side {
    const { bytes, keyOffset, keyBytes, valueBytes } = element;
    const inline =
      header.rootId === 0
        ? inlinePage(bytes, keyOffset + keyBytes, valueBytes, this.#root.path)
        : undefined;
    return new Side(this.#root, header.rootId, inline);
  }

  headerOf({ bytes, keyOffset, keyBytes, valueBytes }: Element): BucketHeader {
    return readBucketHeader(bytes, keyOffset + keyBytes, valueBytes, this.#root.path);
  }

  #place(): { readonly bytes: Uint8Array; readonly offset: number; readonly keyBytes: number } {
    const page = this.#rootId !== 0 ? undefined : this.#top();
    if (page === undefined) return { bytes: NO_BYTES, offset: 0, keyBytes: 0 };
    const i = this.#index();
    return page.isLeaf
      ? { bytes: page.bytes, offset: leafKeyOffset(page, i), keyBytes: leafKeyBytes(page, i) }
      : { bytes: page.bytes, offset: branchKeyOffset(page, i), keyBytes: branchKeyBytes(page, i) };
  }

  #top(): Page | undefined {
    return this.#pages[this.#pages.length - 1];
  }

  #index(): number {
    return this.#indexes[this.#indexes.length - 1] as number;
  }

  #push(page: Page): void {
    if (page.isLeaf !== (this.#pages.length === this.#rootHeight)) {
      throw this.#fault(page.id, "the leaves of its tree are not all at one depth");
    }
    this.#pages.push(page);
    this.#indexes.push(0);
    this.#pop();
  }

  /** Leaves the pages that are over. */
  #pop(): void {
    for (;;) {
      const page = this.#top();
      if (page === undefined || this.#index() < page.count) return;
      this.#pages.pop();
      this.#indexes.pop();
      if (this.#pages.length > 0) this.#indexes[this.#indexes.length - 1] = this.#index() + 1;
    }
  }

  #heightOf(rootId: number): number {
    let page = this.#root.page(rootId);
    for (let height = 0; height < TREE_DEPTH_MAX; height++) {
      if (page.isLeaf) return height;
      if (page.count === 0) throw this.#fault(page.id, "a branch without children");
      page = this.#root.page(branchChild(page, 0));
    }
    throw this.#fault(rootId, `the tree is deeper than ${TREE_DEPTH_MAX} pages`);
  }

  #fault(id: number, what: string): CorruptionError {
    const { path, pageBytes } = this.#root;
    return new CorruptionError(path, id * pageBytes, `page ${id}: ${what}`);
  }
}

interface Element {
  readonly bytes: Uint8Array;
  readonly keyOffset: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly isBucket: boolean;
}

interface Frame {
  readonly older: Side;
  readonly newer: Side;
}

export class TreeDiff {
  /** What there is to do; what it is about is in the fields below, good until the next call of `next`. */
  kind: DiffKind = "leave";
  bytes: Uint8Array = NO_BYTES;
  keyOffset = 0;
  keyBytes = 0;
  /** The value follows its key. */
  valueBytes = 0;
  /** Of a bucket that is entered. */
  sequence = 0n;
  readonly #newer: DiffRoot;
  /** The bucket whose trees are compared, and those around it. */
  readonly #frames: Frame[] = [];

  /** @throws CorruptionError also if the root bucket itself has a number or a value, which no etcd ever gave it */
  constructor(older: DiffRoot, newer: DiffRoot) {
    this.#newer = newer;
    if (older.meta.sequence !== newer.meta.sequence) {
      throw new CorruptionError(newer.path, 0, "the file's root bucket has a new sequence");
    }
    this.#frames.push({
      older: new Side(older, older.meta.root),
      newer: new Side(newer, newer.meta.root),
    });
  }

  /** Goes on to the next thing to do. @returns false at the end */
  next(): boolean {
    for (;;) {
      const frame = this.#frames[this.#frames.length - 1];
      if (frame === undefined) return false;
      const { older, newer } = frame;
      if (older.isOver && newer.isOver) {
        this.#frames.pop();
        if (this.#frames.length === 0) return false;
        this.kind = "leave";
        return true;
      }
      if (this.#compare(older, newer)) return true;
    }
  }

  /** One step. @returns whether it has come to something */
  #compare(older: Side, newer: Side): boolean {
    const olderPage = older.pageId;
    const newerPage = newer.pageId;
    if (olderPage !== 0 && olderPage === newerPage) {
      older.skip();
      newer.skip();
      return false;
    }
    const order = older.isOver ? 1 : newer.isOver ? -1 : older.compareTo(newer);
    if (order < 0) {
      if (olderPage === 0) return this.#gone(older);
      older.open();
      return false;
    }
    if (order > 0) {
      if (newerPage === 0) return this.#come(newer);
      newer.open();
      return false;
    }
    if (olderPage === 0 && newerPage === 0) return this.#both(older, newer);
    // The taller one first: the page that both have may be right below it.
    const taller = (newerPage === 0 ? -1 : newer.height) - (olderPage === 0 ? -1 : older.height);
    if (taller <= 0) older.open();
    if (taller >= 0) newer.open();
    return false;
  }

  #gone(older: Side): boolean {
    const element = older.element();
    older.skip();
    return this.#tell(element.isBucket ? "deleteBucket" : "delete", element);
  }

  #come(newer: Side): boolean {
    const element = newer.element();
    newer.skip();
    if (!element.isBucket) return this.#tell("put", element);
    const header = newer.headerOf(element);
    this.#enter(new Side(this.#newer, 0), newer.inside(element, header), header);
    return this.#tell("create", element);
  }

  #both(older: Side, newer: Side): boolean {
    const was = older.element();
    const is = newer.element();
    // One of another kind makes room first, and comes as something new.
    if (was.isBucket !== is.isBucket) return this.#gone(older);
    older.skip();
    newer.skip();
    if (sameValue(was, is)) return false;
    if (!is.isBucket) return this.#tell("put", is);
    const header = newer.headerOf(is);
    this.#enter(older.inside(was, older.headerOf(was)), newer.inside(is, header), header);
    return this.#tell("enter", is);
  }

  #enter(older: Side, newer: Side, { sequence }: BucketHeader): void {
    if (this.#frames.length > BUCKET_DEPTH_MAX) {
      throw new CorruptionError(this.#newer.path, 0, `buckets nest over ${BUCKET_DEPTH_MAX} deep`);
    }
    this.#frames.push({ older, newer });
    this.sequence = sequence;
  }

  #tell(kind: DiffKind, element: Element): true {
    this.kind = kind;
    this.bytes = element.bytes;
    this.keyOffset = element.keyOffset;
    this.keyBytes = element.keyBytes;
    this.valueBytes = element.valueBytes;
    return true;
  }

  /** Of the key, or the bucket's name. */
  key(): Uint8Array {
    return this.bytes.subarray(this.keyOffset, this.keyOffset + this.keyBytes);
  }

  value(): Uint8Array {
    const start = this.keyOffset + this.keyBytes;
    return this.bytes.subarray(start, start + this.valueBytes);
  }
}

function sameValue(a: Element, b: Element): boolean {
  if (a.valueBytes !== b.valueBytes) return false;
  const from = a.keyOffset + a.keyBytes;
  const to = b.keyOffset + b.keyBytes;
  return equalBytes(
    a.bytes.subarray(from, from + a.valueBytes),
    b.bytes.subarray(to, to + b.valueBytes),
  );
}
