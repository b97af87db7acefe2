/**
 * A bucket: keys in byte order, each with a value or with a bucket inside.
 *
 * In its parent's leaf it is a value of 16 bytes, | root page id: u64 | sequence: u64 |; root 0 means that the bucket's
 * one page follows right there (an inline bucket).
 *
 * Reading goes straight to the pages. A write takes the pages on its way apart into nodes; commit then merges what has
 * become too small (`rebalance`), cuts what has become too large and gives everything new pages (`spill`).
 */
import { PagePlace } from "../../native-free/page-cache.ts";
import {
  equalBytes,
  latin1,
  readU64,
  readU64Big,
  viewOf,
  writeU64,
  writeU64Big,
} from "../base/bytes.ts";
import { CorruptionError, StrataError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import {
  BUCKET_DEPTH_MAX,
  KEY_BYTES_MAX,
  PATH_PAGES_MAX,
  TREE_DEPTH_MAX,
  VALUE_BYTES_MAX,
} from "../base/limits.ts";
import { Cursor, materialise, type TreeRef } from "./cursor.ts";
import { encodePart, partOf } from "./encode-part.ts";
import {
  type Entry,
  FILL_PERCENT_DEFAULT,
  holdsBucket,
  Item,
  Node,
  nodeOfPage,
  searchNodeBranch,
  searchNodeLeaf,
  separatorOf,
  splitEnds,
} from "./node.ts";
import {
  BRANCH,
  BUCKET_ELEMENT,
  branchChild,
  branchChildAt,
  claimedCount,
  claimedFlags,
  descendInto,
  findInBranch,
  findInLeaf,
  LEAF,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueAt,
  leafValueBytes,
  PAGE_HEADER_BYTES,
  Page,
  parsePage,
  searchBranch,
  searchLeaf,
  seekKey,
} from "./page.ts";
import { Pruning, type Sieve } from "./prune.ts";
import type { TxContext } from "./tx-context.ts";

/** Root page id and sequence, before an inline page. */
export const BUCKET_HEADER_BYTES = 16;

/** Where the lookup under way has come to. No lookup begins inside another. */
const place = new PagePlace();

/** A bucket's value, read. */
export interface BucketHeader {
  /** 0 = inline. */
  readonly rootId: number;
  readonly sequence: bigint;
}

/** @throws CorruptionError if the value is too short to be a bucket */
export function readBucketHeader(
  bytes: Uint8Array,
  offset: number,
  valueBytes: number,
  path: string,
): BucketHeader {
  if (valueBytes < BUCKET_HEADER_BYTES) {
    throw new CorruptionError(
      path,
      0,
      `a bucket's value has ${valueBytes} bytes, at least 16 are needed`,
    );
  }
  const view = viewOf(bytes.subarray(offset, offset + BUCKET_HEADER_BYTES));
  return { rootId: readU64(view, 0), sequence: readU64Big(view, 8) };
}

/**
 * The page inside an inline bucket's value.
 * @throws CorruptionError if it is not a whole leaf page
 */
export function inlinePage(
  bytes: Uint8Array,
  offset: number,
  valueBytes: number,
  path: string,
): Page {
  const length = valueBytes - BUCKET_HEADER_BYTES;
  if (length < PAGE_HEADER_BYTES) {
    throw new CorruptionError(
      path,
      0,
      `an inline bucket has ${length} bytes for its page, 16 are the least`,
    );
  }
  const at = offset + BUCKET_HEADER_BYTES;
  const page = new Page(0, bytes, viewOf(bytes), at, length);
  if (page.flags !== LEAF || page.overflow !== 0) {
    throw new CorruptionError(
      path,
      0,
      `an inline bucket's page has flags ${page.flags}, overflow ${page.overflow}`,
    );
  }
  return parsePage(page, path, 0);
}

export class Bucket {
  readonly #tx: TxContext;
  readonly #depth: number;
  #rootId: number;
  #sequence: bigint;
  #inline: Page | undefined;
  /** The root taken apart, once something was written. */
  #root: Node | undefined;
  #inlineValue: Uint8Array | undefined;
  readonly #children = new Map<string, Bucket>();
  /** The last leaf of the tree, once a put went there: most keys of a log come in order. */
  #tail: Node | undefined;
  #deleted = false;

  /**
   * How full pages are made when they are cut, 0.1 … 1; not stored. bbolt's default 0.5 leaves room for keys that come
   * in any order, etcd uses 0.9 for keys that come in order.
   */
  fillPercent: number = FILL_PERCENT_DEFAULT;

  constructor(
    tx: TxContext,
    rootId: number,
    sequence: bigint,
    inline: Page | undefined,
    depth: number,
  ) {
    this.#tx = tx;
    this.#rootId = rootId;
    this.#sequence = sequence;
    this.#inline = inline;
    this.#depth = depth;
  }

  /** Page id of the root page; 0 for an inline bucket. */
  get rootId(): number {
    return this.#rootId;
  }

  /** A number that belongs to the bucket and is changed only by hand. */
  get sequence(): bigint {
    return this.#sequence;
  }

  /** @param sequence  0 … 2^64-1 */
  setSequence(sequence: bigint): void {
    this.#assertWritable();
    if (sequence < 0n || sequence >= 1n << 64n) {
      throw new StrataError("BAD_ARGUMENT", `sequence ${sequence} is not in 0 … 2^64-1`);
    }
    this.#takeRoot();
    this.#sequence = sequence;
  }

  /** Adds one to the sequence and returns it. */
  nextSequence(): bigint {
    this.setSequence(BigInt.asUintN(64, this.#sequence + 1n));
    return this.#sequence;
  }

  /**
   * The value of `key` as a view, or undefined when there is none or it is a bucket. The view's bytes stay as they
   * are for as long as it is held, and hold a piece of the cache: copy what is to be kept for long.
   */
  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen();
    if (this.#root === undefined && this.#inline === undefined) return this.#getBelow(key);
    let ref = this.root();
    for (let depth = 0; depth < TREE_DEPTH_MAX; depth++) {
      if (ref instanceof Page) {
        if (ref.isLeaf) {
          const at = searchLeaf(ref, key);
          if (at < 0 || (leafFlags(ref, at) & BUCKET_ELEMENT) !== 0) return undefined;
          const start = leafKeyOffset(ref, at) + leafKeyBytes(ref, at);
          return ref.bytes.subarray(start, start + leafValueBytes(ref, at));
        }
        if (ref.count === 0) return undefined;
        ref = this.#tx.page(branchChild(ref, searchBranch(ref, key)));
      } else {
        if (ref.isLeaf) {
          const at = searchNodeLeaf(ref, key);
          const item = at < 0 ? undefined : ref.item(at);
          if (item === undefined || item.isBucket) return undefined;
          this.#tx.arena.lent = true;
          return item.value();
        }
        const item = ref.item(searchNodeBranch(ref, key));
        ref = item.node ?? this.#tx.page(item.child);
      }
    }
    throw this.#tooDeep();
  }

  /** `get` of a tree that nothing was written to, from its pages alone. */
  #getBelow(key: Uint8Array): Uint8Array | undefined {
    let id = this.#rootId;
    seekKey(key);
    for (let depth = 0; depth < TREE_DEPTH_MAX; depth++) {
      this.#tx.find(id, place);
      const { bytes, view, base } = place;
      const flags = claimedFlags(view, base);
      if (flags === LEAF) {
        const at = findInLeaf(bytes, view, base);
        return at < 0 ? undefined : leafValueAt(bytes, view, base, at);
      }
      if (flags !== BRANCH) this.#tx.page(id); // Throws: it is not a page of a tree.
      if (claimedCount(view, base) === 0) return undefined;
      const at = findInBranch(bytes, view, base);
      descendInto(view, base, at);
      id = branchChildAt(view, base, at);
    }
    throw this.#tooDeep();
  }

  /**
   * Sets `key` to `value`; both are copied.
   * @param key  1 … 32,768 bytes
   * @param value  0 … 2^31-2 bytes
   * @throws StrataError BAD_ARGUMENT for a length out of range, INCOMPATIBLE if the key is a bucket
   */
  put(key: Uint8Array, value: Uint8Array): void {
    this.#assertWritable();
    assertKey(key);
    if (value.length > VALUE_BYTES_MAX) {
      throw new StrataError(
        "BAD_ARGUMENT",
        `value of ${value.length} bytes, the most is ${VALUE_BYTES_MAX}`,
      );
    }
    this.#set(key, value, 0);
  }

  /**
   * Removes `key`. @returns whether it was there
   * @throws StrataError INCOMPATIBLE if the key is a bucket
   */
  delete(key: Uint8Array): boolean {
    this.#assertWritable();
    const { arena } = this.#tx;
    const { lent } = arena;
    const found = this.#find(key);
    arena.lent = lent; // The cursor is ours alone.
    if (found === undefined) return false;
    if (found.isBucket) throw incompatible(key, "a bucket, not a value");
    this.#remove(key);
    return true;
  }

  /**
   * Takes out all keys at or after `from` that `sieve` lets go; at once, not one by one. Nothing may have been written
   * to the bucket in this transaction.
   * @returns how many that were
   */
  prune(from: Uint8Array, sieve: Sieve): number {
    this.#assertWritable();
    const root = this.root();
    const pruning = new Pruning(this.#tx, sieve);
    try {
      if (root.isLeaf || root.count === 0) {
        pruning.leaf(this.#takeRoot(), from);
      } else {
        invariant(root instanceof Page, "nothing was written to the bucket before");
        const pruned = pruning.branch(this.#tx.pageToChange(root.id), from);
        // Nothing is left: what is put next needs a leaf.
        if (pruned?.count === 0) pruned.isLeaf = true;
        this.#root = pruned;
      }
    } catch (error) {
      this.#tx.breakBy(error);
      throw error;
    }
    this.#tx.mutations++;
    return pruning.gone;
  }

  cursor(): Cursor {
    this.#assertOpen();
    return new Cursor(this, this.#tx);
  }

  /** The bucket inside, or undefined when there is none of that name. */
  bucket(name: Uint8Array): Bucket | undefined {
    this.#assertOpen();
    const known = this.#children.get(latin1(name));
    if (known !== undefined) return known;
    const cursor = this.#find(name);
    if (cursor === undefined || !cursor.isBucket) return undefined;
    return this.#openChild(cursor);
  }

  /**
   * Makes a bucket inside.
   * @throws StrataError EXISTS, INCOMPATIBLE if the name is a key with a value, BAD_ARGUMENT for a bad name
   */
  createBucket(name: Uint8Array): Bucket {
    this.#assertWritable();
    assertKey(name);
    const found = this.#find(name);
    if (found !== undefined) {
      if (found.isBucket) throw new StrataError("EXISTS", `bucket ${shown(name)} exists already`);
      throw incompatible(name, "a value, not a bucket");
    }
    if (this.#depth + 1 > BUCKET_DEPTH_MAX) {
      throw new StrataError("BAD_ARGUMENT", `buckets nest at most ${BUCKET_DEPTH_MAX} deep`);
    }
    const child = new Bucket(this.#tx, 0, 0n, undefined, this.#depth + 1);
    child.#root = new Node(true, []);
    this.#set(name, child.#inlineImage(child.#root), BUCKET_ELEMENT);
    this.#children.set(latin1(name), child);
    return child;
  }

  createBucketIfNotExists(name: Uint8Array): Bucket {
    return this.bucket(name) ?? this.createBucket(name);
  }

  /**
   * Removes a bucket with all that is in it.
   * @throws StrataError NOT_FOUND, INCOMPATIBLE if the name is a key with a value
   */
  deleteBucket(name: Uint8Array): void {
    this.#assertWritable();
    const found = this.#find(name);
    if (found === undefined) throw new StrataError("NOT_FOUND", `bucket ${shown(name)} not found`);
    if (!found.isBucket) throw incompatible(name, "a value, not a bucket");
    const child = this.#children.get(latin1(name)) ?? this.#openChild(found);
    try {
      child.#releaseAll(0);
      this.#remove(name);
    } catch (error) {
      this.#tx.breakBy(error);
      throw error;
    }
    this.#children.delete(latin1(name));
  }

  // What the transaction and the cursor ask of a bucket.

  /** The root as it is now. */
  root(): TreeRef {
    return this.#root ?? this.#inline ?? this.#tx.page(this.#rootId);
  }

  /** Merges what has become too small. Before `spill`, once. */
  rebalance(): void {
    for (const child of this.#children.values()) child.rebalance();
    if (this.#root === undefined) return;
    if (!this.#root.isLeaf) this.#rebalanceChildren(this.#root);
    while (this.#root.unbalanced && !this.#root.isLeaf && this.#root.count <= 1) {
      if (this.#root.count === 0) {
        this.#root.isLeaf = true;
        break;
      }
      const child = materialise(this.#tx, this.#root.item(0));
      this.#release(this.#root);
      child.unbalanced = true;
      this.#root = child;
    }
  }

  /**
   * Gives everything that changed a new page.
   * @param isRoot  the file's root bucket, which is never inline
   * @returns whether the parent must be given a new value for this bucket
   */
  spill(isRoot: boolean): boolean {
    for (const [name, child] of this.#children) {
      if (child.spill(false))
        this.#set(Buffer.from(name, "latin1"), child.#value(), BUCKET_ELEMENT);
    }
    const root = this.#root;
    if (root === undefined) return false;
    if (!isRoot && this.#fitsInline(root)) {
      this.#release(root);
      this.#rootId = 0;
      this.#inlineValue = this.#inlineImage(root);
      return true;
    }
    let items = this.#spillNode(root);
    while (items.length > 1) items = this.#spillNode(new Node(false, items));
    this.#rootId = (items[0] as Item).child;
    this.#inlineValue = undefined;
    return true;
  }

  #assertOpen(): void {
    this.#tx.assertOpen();
    if (this.#deleted)
      throw new StrataError("CLOSED", "the bucket was deleted in this transaction");
  }

  #assertWritable(): void {
    this.#tx.assertWritable();
    if (this.#deleted)
      throw new StrataError("CLOSED", "the bucket was deleted in this transaction");
  }

  #tooDeep(pages = TREE_DEPTH_MAX): CorruptionError {
    const what = `the tree under page ${this.#rootId} is deeper than ${pages} pages`;
    return new CorruptionError(this.#tx.path, this.#rootId * this.#tx.pageBytes, what);
  }

  /** A cursor on exactly that key. */
  #find(key: Uint8Array): Cursor | undefined {
    const cursor = new Cursor(this, this.#tx);
    return cursor.seek(key) && equalBytes(cursor.key(), key) ? cursor : undefined;
  }

  #openChild(at: Cursor): Bucket {
    const name = latin1(at.key());
    if (this.#depth + 1 > BUCKET_DEPTH_MAX) {
      throw new CorruptionError(this.#tx.path, 0, `buckets nest deeper than ${BUCKET_DEPTH_MAX}`);
    }
    const valueOffset = at.keyOffset + at.keyBytes;
    const { rootId, sequence } = readBucketHeader(
      at.bytes,
      valueOffset,
      at.valueBytes,
      this.#tx.path,
    );
    const inline =
      rootId === 0 ? inlinePage(at.bytes, valueOffset, at.valueBytes, this.#tx.path) : undefined;
    const child = new Bucket(this.#tx, rootId, sequence, inline, this.#depth + 1);
    this.#children.set(name, child);
    return child;
  }

  #takeRoot(): Node {
    this.#root ??= nodeOfPage(this.#inline ?? this.#tx.pageToChange(this.#rootId));
    return this.#root;
  }

  /** The leaf under which `key` belongs, everything on the way taken apart. */
  #takeLeaf(key: Uint8Array): Node {
    let node = this.#takeRoot();
    let last = true;
    for (let depth = 0; depth < TREE_DEPTH_MAX; depth++) {
      if (node.isLeaf) {
        this.#tail = last ? node : this.#tail;
        return node;
      }
      const at = searchNodeBranch(node, key);
      last &&= at === node.count - 1;
      node = materialise(this.#tx, node.item(at));
    }
    throw this.#tooDeep();
  }

  #set(key: Uint8Array, value: Uint8Array, flags: number): void {
    const { arena } = this.#tx;
    const tail = this.#tail;
    if (tail !== undefined && tail.count > 0 && isAbove(key, tail.item(tail.count - 1))) {
      arena.copy(key, value);
      tail.insert(
        tail.count,
        new Item(arena.bytes, arena.offset, key.length, value.length, flags, 0),
      );
      this.#tx.mutations++;
      return;
    }
    const node = this.#takeLeaf(key);
    const at = searchNodeLeaf(node, key);
    if (at >= 0 && (node.item(at).flags & BUCKET_ELEMENT) !== flags) {
      throw incompatible(key, flags === 0 ? "a bucket, not a value" : "a value, not a bucket");
    }
    arena.copy(key, value);
    const item = new Item(arena.bytes, arena.offset, key.length, value.length, flags, 0);
    if (at >= 0) node.replace(at, item);
    else node.insert(~at, item);
    this.#tx.mutations++;
  }

  #remove(key: Uint8Array): void {
    const node = this.#takeLeaf(key);
    const at = searchNodeLeaf(node, key);
    if (at < 0) {
      // A cursor found it, so it is in another leaf than the separators say.
      const what = `page ${node.pageId}: key ${shown(key)} belongs here and is elsewhere`;
      const error = new CorruptionError(this.#tx.path, node.pageId * this.#tx.pageBytes, what);
      this.#tx.breakBy(error);
      throw error;
    }
    node.remove(at);
    this.#tx.mutations++;
  }

  #release(node: Node): void {
    if (node.pageId === 0) return;
    this.#tx.release(node.pageId, node.overflow);
    node.pageId = 0;
  }

  /**
   * Merges children that are at most a quarter full, or too short, with a neighbour; drops empty ones.
   * @see bbolt node.go rebalance; unlike it, a merged node that is still too small merges again
   */
  #rebalanceChildren(node: Node): void {
    const threshold = this.#tx.pageBytes / 4;
    let i = 0;
    while (i < node.count) {
      const child = node.childNode(i);
      if (child === undefined) {
        i++;
        continue;
      }
      if (!child.isLeaf) this.#rebalanceChildren(child);
      const elementsMin = child.isLeaf ? 1 : 2;
      const small = child.sizeBytes <= threshold || child.count <= elementsMin;
      if (!child.unbalanced || (!small && child.count > 0)) {
        i++;
        continue;
      }
      child.unbalanced = false;
      if (child.count === 0) {
        this.#release(child);
        node.remove(i);
        continue;
      }
      if (node.count === 1) break;
      const left = i === 0 ? 0 : i - 1;
      const into = materialise(this.#tx, node.item(left));
      const from = materialise(this.#tx, node.item(left + 1));
      if (into.count === 0 || from.count === 0) {
        // A branch without children, which bbolt may leave behind: nothing to merge with.
        const empty = into.count === 0 ? into : from;
        this.#release(empty);
        node.remove(empty === into ? left : left + 1);
        child.unbalanced = true;
        i = left;
        continue;
      }
      if (into.isLeaf !== from.isLeaf) {
        i++;
        continue;
      }
      into.append(from);
      into.unbalanced = true;
      this.#release(from);
      node.remove(left + 1);
      i = left;
    }
    this.#tail = undefined;
  }

  /** Writes a node and what hangs below it; returns the branch items that lead to its pages. */
  #spillNode(node: Node): Item[] {
    if (!node.isLeaf) this.#spillChildren(node);
    this.#release(node);
    const parts: Item[] = [];
    let from = 0;
    for (const end of splitEnds(node, this.#tx.pageBytes, this.fillPercent)) {
      const id = this.#tx.write(partOf(node, from, end));
      parts.push(separatorOf(node, from, id));
      from = end;
    }
    return parts;
  }

  #spillChildren(node: Node): void {
    // Most children that were changed fit the page that they had.
    let items: Entry[] | undefined;
    for (let i = 0; i < node.count; i++) {
      const entry = node.items[i] as Entry;
      if (typeof entry === "number" || entry.node === undefined) {
        items?.push(entry);
        continue;
      }
      const parts = this.#spillNode(entry.node);
      const [only] = parts;
      if (items === undefined && parts.length === 1 && only !== undefined) node.replace(i, only);
      else {
        items ??= node.items.slice(0, i);
        for (const part of parts) items.push(part);
      }
    }
    if (items !== undefined) node.setItems(items);
  }

  /** bbolt's rule: one leaf, no bucket inside, at most a quarter of a page. */
  #fitsInline(root: Node): boolean {
    if (!root.isLeaf || root.sizeBytes > Math.floor(this.#tx.pageBytes / 4)) return false;
    return !holdsBucket(root);
  }

  #inlineImage(root: Node): Uint8Array {
    const value = new Uint8Array(BUCKET_HEADER_BYTES + root.sizeBytes);
    const view = viewOf(value);
    writeU64(view, 0, 0);
    writeU64Big(view, 8, this.#sequence);
    const part = partOf(root, 0, root.count);
    encodePart(part, 0, 0, value, view, BUCKET_HEADER_BYTES, root.sizeBytes);
    return value;
  }

  #value(): Uint8Array {
    if (this.#inlineValue !== undefined) return this.#inlineValue;
    const value = new Uint8Array(BUCKET_HEADER_BYTES);
    const view = viewOf(value);
    writeU64(view, 0, this.#rootId);
    writeU64Big(view, 8, this.#sequence);
    return value;
  }

  /** Frees every page of the bucket and of the buckets inside. @param depth  pages above it that are being freed */
  #releaseAll(depth: number): void {
    this.#releaseTree(this.root(), depth);
    this.#deleted = true;
  }

  #releaseTree(ref: TreeRef, depth: number): void {
    if (depth >= PATH_PAGES_MAX) throw this.#tooDeep(PATH_PAGES_MAX);
    const node = ref instanceof Page ? nodeOfPage(ref) : ref;
    for (let i = 0; i < node.count; i++) {
      const item = node.item(i);
      if (!node.isLeaf) {
        this.#releaseTree(item.node ?? this.#tx.page(item.child), depth + 1);
      } else if (item.isBucket) {
        const name = item.key();
        const child = this.#children.get(latin1(name)) ?? this.#openChildOf(item);
        child.#releaseAll(depth + 1);
        this.#children.delete(latin1(name));
      }
    }
    this.#release(node);
  }

  #openChildOf(item: Item): Bucket {
    const at = this.#find(item.key());
    if (at === undefined) throw this.#tooDeep();
    return this.#openChild(at);
  }
}

function isAbove(key: Uint8Array, item: Item): boolean {
  const { bytes, offset, keyBytes } = item;
  const shared = Math.min(keyBytes, key.length);
  for (let i = 0; i < shared; i++) {
    const difference = (key[i] as number) - (bytes[offset + i] as number);
    if (difference !== 0) return difference > 0;
  }
  return key.length > keyBytes;
}

function assertKey(key: Uint8Array): void {
  if (key.length === 0) throw new StrataError("BAD_ARGUMENT", "key required: it has no bytes");
  if (key.length > KEY_BYTES_MAX) {
    throw new StrataError(
      "BAD_ARGUMENT",
      `key of ${key.length} bytes, the most is ${KEY_BYTES_MAX}`,
    );
  }
}

function shown(name: Uint8Array): string {
  return JSON.stringify(latin1(name));
}

function incompatible(key: Uint8Array, is: string): StrataError {
  return new StrataError("INCOMPATIBLE", `${shown(key)} is ${is}`);
}
