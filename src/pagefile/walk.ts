/**
 * The one walk over a tree that every job shares: check, hash, copy, free list, inspection.
 *
 * Depth first, in key order, buckets inside right after the leaf that holds them. Whatever the file says, the walk
 * ends: no page is entered twice, no page outside the file is read, and depth is bounded.
 */
import { compareRanges, hex } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { BUCKET_DEPTH_MAX, PATH_PAGES_MAX, TREE_DEPTH_MAX } from "../base/limits.ts";
import { type BucketHeader, inlinePage, readBucketHeader } from "./bucket.ts";
import {
  BRANCH,
  BUCKET_ELEMENT,
  branchChild,
  branchKeyBytes,
  branchKeyOffset,
  LEAF,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  type Page,
  pageFault,
  pageTypeName,
} from "./page.ts";
import type { PageBitmap } from "./page-bitmap.ts";
import { PageRun, type WalkSource } from "./page-runs.ts";

/** A bucket's element as the walk comes to it; the bytes are valid during the call. */
export interface BucketElement {
  readonly bytes: Uint8Array;
  readonly nameOffset: number;
  readonly nameBytes: number;
  readonly header: BucketHeader;
  /** 1 = top level. */
  readonly depth: number;
}

export interface WalkVisitor {
  /**
   * Every leaf page of every bucket, in key order; valid during the call. An inline bucket's page has id 0.
   * @param depth  0 = the root bucket, whose elements are the top-level buckets
   */
  leaf?(page: Page, depth: number): void;
  branch?(page: Page, depth: number): void;
  /** A bucket, before its pages. @returns false to pass over what is inside */
  enterBucket?(bucket: BucketElement): boolean;
  leaveBucket?(depth: number): void;
  /** Called at every page that is entered: for progress and cancellation. */
  entered?(pages: number): void;
  /**
   * Something that the format does not allow, in the words of bbolt's check where it has them. Without this member
   * the walk throws CorruptionError instead; with it, it goes on past the fault.
   */
  fault?(what: string, offsetBytes: number): void;
}

export interface WalkOptions {
  /** Filled with every page that is reached. */
  readonly reached: PageBitmap;
  /** Pages that the free list calls free. */
  readonly isFree?: (id: number) => boolean;
  /** Check that keys ascend, within pages and between them. */
  readonly order: boolean;
  /** Asked after each page: whether `steps` is to stop there until it is called again. Default: never. */
  readonly isTime?: () => boolean;
}

/** What is still to be walked below a page that was entered. */
type Below = "nothing" | "children" | "buckets";

const where = { offsetBytes: 0 };

export class TreeWalk {
  readonly #source: WalkSource;
  readonly #visitor: WalkVisitor;
  readonly #reached: PageBitmap;
  readonly #isFree: (id: number) => boolean;
  readonly #order: boolean;
  readonly #isTime: () => boolean;
  readonly #runs: PageRun[] = [];
  readonly #roots: PageRun[] = [];
  #stack: number[] = [];
  /** Pages on the way to the root of the bucket that is walked. */
  #above = 0;

  constructor(source: WalkSource, visitor: WalkVisitor, options: WalkOptions) {
    this.#source = source;
    this.#visitor = visitor;
    this.#reached = options.reached;
    this.#isFree = options.isFree ?? ((): boolean => false);
    this.#order = options.order;
    this.#isTime = options.isTime ?? ((): boolean => false);
  }

  /**
   * Walks one bucket's tree and what is inside.
   * @param depth  the bucket's own: 0 for the file's root bucket
   */
  bucket(rootId: number, depth: number): void {
    const steps = this.steps(rootId, depth);
    while (!steps.next().done);
  }

  /** The same, stopping where `isTime` says so. Pages of the source must stay what they are meanwhile. */
  *steps(rootId: number, depth: number): Generator<undefined, void> {
    const outer = this.#stack;
    this.#above += outer.length;
    this.#stack = [rootId];
    if (this.#mayEnter(rootId)) {
      this.#roots[depth] ??= new PageRun(this.#source);
      const page = this.#read(rootId, () => (this.#roots[depth] as PageRun).single(rootId));
      if (page !== undefined) {
        const below = this.#enter(page, depth, undefined, 0, undefined, 0);
        if (below === "children") yield* this.#children(page, depth, 1, undefined, 0);
        else if (below === "buckets") yield* this.#buckets(page, depth);
      }
    }
    this.#stack = outer;
    this.#above -= outer.length;
  }

  #fault(what: string, offsetBytes: number): void {
    if (this.#visitor.fault === undefined) {
      throw new CorruptionError(this.#source.path, offsetBytes, what);
    }
    this.#visitor.fault(what, offsetBytes);
  }

  #mayEnter(id: number): boolean {
    const at = Math.min(id, this.#source.pgid) * this.#source.pageBytes;
    if (id >= this.#source.pgid) {
      this.#fault(
        `page ${id}: out of bounds: ${this.#source.pgid} (stack: ${this.#shownStack()})`,
        at,
      );
      return false;
    }
    if (id < 2 || this.#reached.has(id)) {
      this.#fault(`page ${id}: multiple references (stack: ${this.#shownStack()})`, at);
      return false;
    }
    if (this.#above + this.#stack.length > PATH_PAGES_MAX) {
      this.#fault(`page ${id}: the buckets around it are deeper than ${PATH_PAGES_MAX} pages`, at);
      return false;
    }
    return true;
  }

  #read(id: number, read: () => Page): Page | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      // Not entered again; but an id far behind the file's end would make the set huge.
      if (id * this.#source.pageBytes < this.#source.size()) this.#reached.add(id);
      this.#fault(error.what, error.offsetBytes);
      return undefined;
    }
  }

  /** `lower` ≤ every key of the page < `upper`; each is a branch page and an index into it. */
  #enter(
    page: Page,
    depth: number,
    lower: Page | undefined,
    lowerIndex: number,
    upper: Page | undefined,
    upperIndex: number,
  ): Below {
    const at = page.id * this.#source.pageBytes;
    for (let id = page.id; id <= page.id + page.overflow; id++) {
      if (!this.#reached.add(id)) {
        this.#fault(`page ${id}: multiple references (stack: ${this.#shownStack()})`, at);
        if (id === page.id) return "nothing";
      }
      if (this.#isFree(id)) this.#fault(`page ${id}: reachable freed`, at);
    }
    this.#visitor.entered?.(page.overflow + 1);
    if (page.flags !== LEAF && page.flags !== BRANCH) {
      const type = pageTypeName(page.flags);
      this.#fault(`page ${page.id}: invalid type: ${type} (stack: ${this.#shownStack()})`, at + 8);
      return "nothing";
    }
    const what = pageFault(page, where);
    if (what !== undefined) {
      this.#fault(what, at + where.offsetBytes);
      return "nothing";
    }
    if (page.flags === LEAF) {
      if (this.#order) this.#checkLeafOrder(page, lower, lowerIndex, upper, upperIndex);
      this.#visitor.leaf?.(page, depth);
      return hasBuckets(page) ? "buckets" : "nothing";
    }
    if (this.#order) this.#checkBranchOrder(page, lower, lowerIndex, upper, upperIndex);
    this.#visitor.branch?.(page, depth);
    return "children";
  }

  /** Leaves without buckets, which is nearly all of a file, cost no generator of their own. */
  *#children(
    branch: Page,
    depth: number,
    level: number,
    upper: Page | undefined,
    upperIndex: number,
  ): Generator<undefined, void> {
    if (level >= TREE_DEPTH_MAX) {
      const what = `page ${branch.id}: the tree is deeper than ${TREE_DEPTH_MAX} pages`;
      this.#fault(what, branch.id * this.#source.pageBytes);
      return;
    }
    // A page read for a child must outlive the child's own children, and those of buckets inside it: a run each.
    const slot = depth * TREE_DEPTH_MAX + level;
    this.#runs[slot] ??= new PageRun(this.#source);
    const run = this.#runs[slot] as PageRun;
    for (let i = 0; i < branch.count; i++) {
      const id = branchChild(branch, i);
      this.#stack.push(id);
      if (this.#mayEnter(id)) {
        const page = this.#read(id, () => run.child(branch, i));
        if (page !== undefined) {
          const isLast = i === branch.count - 1;
          const after = isLast ? upper : branch;
          const afterIndex = isLast ? upperIndex : i + 1;
          const below = this.#enter(page, depth, branch, i, after, afterIndex);
          if (below === "children") {
            yield* this.#children(page, depth, level + 1, after, afterIndex);
          } else if (below === "buckets") {
            yield* this.#buckets(page, depth);
          }
        }
      }
      this.#stack.pop();
      if (this.#isTime()) yield;
    }
  }

  *#buckets(page: Page, depth: number): Generator<undefined, void> {
    for (let i = 0; i < page.count; i++) {
      if ((leafFlags(page, i) & BUCKET_ELEMENT) !== 0) yield* this.#nested(page, i, depth + 1);
    }
  }

  *#nested(page: Page, i: number, depth: number): Generator<undefined, void> {
    const { path, pageBytes } = this.#source;
    const nameOffset = leafKeyOffset(page, i);
    const nameBytes = leafKeyBytes(page, i);
    const valueOffset = nameOffset + nameBytes;
    const valueBytes = leafValueBytes(page, i);
    const at = page.id * pageBytes + (nameOffset - page.base);
    if (depth > BUCKET_DEPTH_MAX) {
      this.#fault(`buckets nest deeper than ${BUCKET_DEPTH_MAX}`, at);
      return;
    }
    let header: BucketHeader;
    let inline: Page | undefined;
    try {
      header = readBucketHeader(page.bytes, valueOffset, valueBytes, path);
      if (header.rootId === 0) inline = inlinePage(page.bytes, valueOffset, valueBytes, path);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#fault(error.what, at);
      return;
    }
    const element = { bytes: page.bytes, nameOffset, nameBytes, header, depth };
    if (this.#visitor.enterBucket?.(element) === false) return;
    if (inline === undefined) {
      yield* this.steps(header.rootId, depth);
    } else {
      if (this.#order) this.#checkLeafOrder(inline, undefined, 0, undefined, 0);
      this.#visitor.leaf?.(inline, depth);
      yield* this.#buckets(inline, depth);
    }
    this.#visitor.leaveBucket?.(depth);
  }

  #checkLeafOrder(
    page: Page,
    lower: Page | undefined,
    lowerIndex: number,
    upper: Page | undefined,
    upperIndex: number,
  ): void {
    const { bytes, count } = page;
    if (count === 0) return;
    let offset = leafKeyOffset(page, 0);
    let length = leafKeyBytes(page, 0);
    this.#checkFirst(page, "leaf", page.id, bytes, offset, length, lower, lowerIndex);
    for (let i = 1; i < count; i++) {
      const nextOffset = leafKeyOffset(page, i);
      const nextLength = leafKeyBytes(page, i);
      const order = compareRanges(bytes, nextOffset, nextLength, bytes, offset, length);
      if (order <= 0) {
        this.#misplaced(page, "leaf", page.id, i, nextOffset, nextLength, offset, length, order);
      }
      offset = nextOffset;
      length = nextLength;
    }
    this.#checkLast(page, "leaf", page.id, count - 1, offset, length, upper, upperIndex);
  }

  #checkBranchOrder(
    page: Page,
    lower: Page | undefined,
    lowerIndex: number,
    upper: Page | undefined,
    upperIndex: number,
  ): void {
    const { bytes, count } = page;
    if (count === 0) return;
    let offset = branchKeyOffset(page, 0);
    let length = branchKeyBytes(page, 0);
    this.#checkFirst(
      page,
      "branch",
      branchChild(page, 0),
      bytes,
      offset,
      length,
      lower,
      lowerIndex,
    );
    for (let i = 1; i < count; i++) {
      const nextOffset = branchKeyOffset(page, i);
      const nextLength = branchKeyBytes(page, i);
      const order = compareRanges(bytes, nextOffset, nextLength, bytes, offset, length);
      if (order <= 0) {
        const child = branchChild(page, i);
        this.#misplaced(page, "branch", child, i, nextOffset, nextLength, offset, length, order);
      }
      offset = nextOffset;
      length = nextLength;
    }
    const child = branchChild(page, count - 1);
    this.#checkLast(page, "branch", child, count - 1, offset, length, upper, upperIndex);
  }

  #checkFirst(
    page: Page,
    type: "leaf" | "branch",
    id: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    lower: Page | undefined,
    lowerIndex: number,
  ): void {
    if (lower === undefined) return;
    const lowerOffset = branchKeyOffset(lower, lowerIndex);
    const lowerBytes = branchKeyBytes(lower, lowerIndex);
    if (compareRanges(bytes, offset, length, lower.bytes, lowerOffset, lowerBytes) >= 0) return;
    const key = shownKey(bytes, offset, length);
    const bound = shownKey(lower.bytes, lowerOffset, lowerBytes);
    this.#fault(
      `the first key[0]=(hex)${key} on ${type} page(${id}) needs to be >= the key in the ancestor (${bound}). Stack: ${this.#shownStack()}`,
      page.id * this.#source.pageBytes + offset - page.base,
    );
  }

  #misplaced(
    page: Page,
    type: "leaf" | "branch",
    id: number,
    i: number,
    offset: number,
    length: number,
    beforeOffset: number,
    beforeLength: number,
    order: number,
  ): void {
    const key = shownKey(page.bytes, offset, length);
    const before = shownKey(page.bytes, beforeOffset, beforeLength);
    const found = order === 0 ? "=" : "<";
    this.#fault(
      `key[${i}]=(hex)${key} on ${type} page(${id}) needs to be > (found ${found}) than previous element (hex)${before}. Stack: ${this.#shownStack()}`,
      page.id * this.#source.pageBytes + offset - page.base,
    );
  }

  /** The last key alone: those before it were found to be smaller, or were reported. */
  #checkLast(
    page: Page,
    type: "leaf" | "branch",
    id: number,
    i: number,
    offset: number,
    length: number,
    upper: Page | undefined,
    upperIndex: number,
  ): void {
    if (upper === undefined) return;
    const upperOffset = branchKeyOffset(upper, upperIndex);
    const upperBytes = branchKeyBytes(upper, upperIndex);
    if (compareRanges(page.bytes, offset, length, upper.bytes, upperOffset, upperBytes) < 0) return;
    const key = shownKey(page.bytes, offset, length);
    const bound = shownKey(upper.bytes, upperOffset, upperBytes);
    this.#fault(
      `key[${i}]=(hex)${key} on ${type} page(${id}) needs to be < than key of the next element in ancestor (hex)${bound}. Pages stack: ${this.#shownStack()}`,
      page.id * this.#source.pageBytes + offset - page.base,
    );
  }

  #shownStack(): string {
    return `[${this.#stack.join(" ")}]`;
  }
}

function hasBuckets(page: Page): boolean {
  for (let i = 0; i < page.count; i++) {
    if ((leafFlags(page, i) & BUCKET_ELEMENT) !== 0) return true;
  }
  return false;
}

/** Keys can be 32 KiB; a message shows the beginning of such a one. */
const SHOWN_KEY_BYTES = 64;

function shownKey(bytes: Uint8Array, offset: number, length: number): string {
  const shown = hex(bytes.subarray(offset, offset + Math.min(length, SHOWN_KEY_BYTES)));
  return length > SHOWN_KEY_BYTES ? `${shown}… (${length} bytes)` : shown;
}
