/**
 * A place in a bucket, moved in key order. Moving allocates nothing; `key()` and `value()` make views, and the fields
 * `bytes`, `keyOffset`, `keyBytes`, `valueBytes` give the same without.
 *
 * A bucket that changes under a write transaction's cursor does not break it: the next move starts from the key that
 * the cursor stood on, whether that key is still there or not.
 */
import { compareRanges } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { TREE_DEPTH_MAX } from "../base/limits.ts";
import { type Item, type Node, nodeOfPage, searchNodeBranch, searchNodeLeaf } from "./node.ts";
import {
  BUCKET_ELEMENT,
  branchChild,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  Page,
  searchBranch,
  searchLeaf,
} from "./page.ts";
import type { TxContext } from "./tx-context.ts";

export type TreeRef = Page | Node;

/** Where a cursor starts: the root of the bucket as it is now. */
export interface CursorTarget {
  root(): TreeRef;
}

/** Empty leaf pages in a row that a cursor steps over: a committed tree has none. */
const EMPTY_LEAVES_MAX = 4096;

const NO_BYTES = new Uint8Array(0);

export class Cursor {
  readonly #target: CursorTarget;
  readonly #tx: TxContext;
  readonly #refs: TreeRef[] = [];
  readonly #indexes: number[] = [];
  #depth = 0;
  #mutations: number;

  /** Whether the cursor stands on an element; the fields below are of that element. */
  valid = false;
  bytes: Uint8Array = NO_BYTES;
  keyOffset = 0;
  keyBytes = 0;
  /** The value starts at `keyOffset + keyBytes`. */
  valueBytes = 0;
  /** The element is a bucket: its value is the bucket's header, not data. */
  isBucket = false;

  constructor(target: CursorTarget, tx: TxContext) {
    this.#target = target;
    this.#tx = tx;
    this.#mutations = tx.mutations;
  }

  /** The key as a view, valid while the transaction is open and for as long as it is held. */
  key(): Uint8Array {
    return this.bytes.subarray(this.keyOffset, this.keyOffset + this.keyBytes);
  }

  /** The value as a view; undefined for a bucket. */
  value(): Uint8Array | undefined {
    if (this.isBucket) return undefined;
    const at = this.keyOffset + this.keyBytes;
    return this.bytes.subarray(at, at + this.valueBytes);
  }

  /** To the first element. @returns false if there is none */
  first(): boolean {
    this.#start();
    this.#descend(this.#target.root(), false);
    return this.#loadForward();
  }

  /** To the last element. @returns false if there is none */
  last(): boolean {
    this.#start();
    this.#descend(this.#target.root(), true);
    return this.#loadBackward();
  }

  /** To the first element whose key is ≥ `key`. @returns false if there is none */
  seek(key: Uint8Array): boolean {
    this.#start();
    let ref = this.#target.root();
    for (;;) {
      if (ref instanceof Page) {
        if (ref.isLeaf) {
          const at = searchLeaf(ref, key);
          this.#push(ref, at < 0 ? ~at : at);
          return this.#loadForward();
        }
        const at = searchBranch(ref, key);
        this.#push(ref, at);
        if (ref.count === 0) return this.#loadForward();
        ref = this.#tx.page(branchChild(ref, at));
      } else {
        if (ref.isLeaf) {
          const at = searchNodeLeaf(ref, key);
          this.#push(ref, at < 0 ? ~at : at);
          return this.#loadForward();
        }
        const at = searchNodeBranch(ref, key);
        this.#push(ref, at);
        ref = this.#childOf(ref.item(at));
      }
    }
  }

  /** One forward. @returns false at the end: the cursor then stands nowhere */
  next(): boolean {
    if (!this.valid) return false;
    this.#tx.assertOpen();
    return this.#tx.mutations === this.#mutations ? this.#forward() : this.#nextAfter(this.key());
  }

  /** One back. @returns false before the first: the cursor then stands nowhere */
  prev(): boolean {
    if (!this.valid) return false;
    this.#tx.assertOpen();
    return this.#tx.mutations === this.#mutations ? this.#backward() : this.#prevBefore(this.key());
  }

  #forward(): boolean {
    const top = this.#depth - 1;
    this.#indexes[top] = (this.#indexes[top] as number) + 1;
    return this.#loadForward();
  }

  #backward(): boolean {
    const top = this.#depth - 1;
    this.#indexes[top] = (this.#indexes[top] as number) - 1;
    return this.#loadBackward();
  }

  /** Forward from a key that may be gone. Where keys do not ascend, a search could come out before it for ever. */
  #nextAfter(key: Uint8Array): boolean {
    let more = this.seek(key);
    if (more && this.#compareTo(key) === 0) more = this.#forward();
    if (more && this.#compareTo(key) <= 0) throw this.#unsorted();
    return more;
  }

  #prevBefore(key: Uint8Array): boolean {
    const more = this.seek(key) ? this.#backward() : this.last();
    if (more && this.#compareTo(key) >= 0) throw this.#unsorted();
    return more;
  }

  #compareTo(key: Uint8Array): number {
    return compareRanges(this.bytes, this.keyOffset, this.keyBytes, key, 0, key.length);
  }

  #unsorted(): CorruptionError {
    const ref = this.#refs[this.#depth - 1] as TreeRef;
    const id = ref instanceof Page ? ref.id : ref.pageId;
    const what = `page ${id}: its keys do not ascend`;
    return new CorruptionError(this.#tx.path, id * this.#tx.pageBytes, what);
  }

  #start(): void {
    this.#tx.assertOpen();
    this.#mutations = this.#tx.mutations;
    this.#depth = 0;
    this.valid = false;
  }

  #push(ref: TreeRef, index: number): void {
    if (this.#depth >= TREE_DEPTH_MAX) {
      const id = ref instanceof Page ? ref.id : ref.pageId;
      const what = `page ${id}: the tree is deeper than ${TREE_DEPTH_MAX} pages`;
      throw new CorruptionError(this.#tx.path, id * this.#tx.pageBytes, what);
    }
    this.#refs[this.#depth] = ref;
    this.#indexes[this.#depth] = index;
    this.#depth++;
  }

  #childOf(item: Item): TreeRef {
    return item.node ?? this.#tx.page(item.child);
  }

  #childAt(ref: TreeRef, index: number): TreeRef {
    if (ref instanceof Page) return this.#tx.page(branchChild(ref, index));
    return this.#childOf(ref.item(index));
  }

  /** Down to a leaf, along the first or the last children. */
  #descend(from: TreeRef, toLast: boolean): void {
    let ref = from;
    for (;;) {
      const index = toLast ? ref.count - 1 : 0;
      this.#push(ref, index);
      if (ref.isLeaf || ref.count === 0) return;
      ref = this.#childAt(ref, index);
    }
  }

  /** Loads the element at the top, or the first one of the leaves that follow. */
  #loadForward(): boolean {
    let emptyPages = 0;
    for (let hopped: 0 | 1 = 0; ; hopped = 1) {
      const top = this.#depth - 1;
      const ref = this.#refs[top] as TreeRef;
      const index = this.#indexes[top] as number;
      if (ref.isLeaf && index < ref.count) return this.#load(ref, index, hopped);
      if (!this.#climb(1)) return false;
      emptyPages = this.#countEmpty(ref, emptyPages);
    }
  }

  #loadBackward(): boolean {
    let emptyPages = 0;
    for (let hopped: 0 | -1 = 0; ; hopped = -1) {
      const top = this.#depth - 1;
      const ref = this.#refs[top] as TreeRef;
      const index = this.#indexes[top] as number;
      if (ref.isLeaf && index >= 0 && index < ref.count) return this.#load(ref, index, hopped);
      if (!this.#climb(-1)) return false;
      emptyPages = this.#countEmpty(ref, emptyPages);
    }
  }

  /** Up to the nearest branch that goes on in that direction, one child on, and down to a leaf again. */
  #climb(step: 1 | -1): boolean {
    this.#depth--;
    while (this.#depth > 0) {
      const top = this.#depth - 1;
      const ref = this.#refs[top] as TreeRef;
      const index = (this.#indexes[top] as number) + step;
      if (index >= 0 && index < ref.count) {
        this.#indexes[top] = index;
        this.#descend(this.#childAt(ref, index), step === -1);
        return true;
      }
      this.#depth--;
    }
    this.valid = false;
    return false;
  }

  /**
   * @param hopped  1 or -1 when the cursor came over from another leaf: then the key must lie beyond the last one. A
   *   tree whose pages lead back to themselves would otherwise be walked for ever.
   */
  #load(ref: TreeRef, index: number, hopped: 0 | 1 | -1): boolean {
    const { bytes, keyOffset, keyBytes } = this;
    const stood = this.valid;
    if (ref instanceof Page) {
      this.bytes = ref.bytes;
      this.keyOffset = leafKeyOffset(ref, index);
      this.keyBytes = leafKeyBytes(ref, index);
      this.valueBytes = leafValueBytes(ref, index);
      this.isBucket = (leafFlags(ref, index) & BUCKET_ELEMENT) !== 0;
    } else {
      const item = ref.item(index);
      this.#tx.arena.lent = true;
      this.bytes = item.bytes;
      this.keyOffset = item.offset;
      this.keyBytes = item.keyBytes;
      this.valueBytes = item.valueBytes;
      this.isBucket = item.isBucket;
    }
    if (hopped !== 0 && stood) {
      const order = compareRanges(
        this.bytes,
        this.keyOffset,
        this.keyBytes,
        bytes,
        keyOffset,
        keyBytes,
      );
      if (order * hopped <= 0) {
        const id = ref instanceof Page ? ref.id : ref.pageId;
        const what = `page ${id}: its keys do not follow those of the page before it`;
        throw new CorruptionError(this.#tx.path, id * this.#tx.pageBytes, what);
      }
    }
    this.valid = true;
    return true;
  }

  /** A transaction may have emptied any number of nodes, but pages that are empty in a row were forged. */
  #countEmpty(ref: TreeRef, before: number): number {
    if (!(ref instanceof Page)) return before;
    if (before < EMPTY_LEAVES_MAX) return before + 1;
    const what = `page ${ref.id}: ${EMPTY_LEAVES_MAX} empty leaf pages in a row`;
    throw new CorruptionError(this.#tx.path, ref.id * this.#tx.pageBytes, what);
  }
}

/** Takes a tree page apart, for a write. */
export function materialise(tx: TxContext, item: Item): Node {
  item.node ??= nodeOfPage(tx.pageToChange(item.child));
  return item.node;
}
