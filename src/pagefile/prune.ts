/**
 * Taking many keys out of a bucket at once, in key order: leaves are looked at where they lie, pages near each other
 * read in one go. A leaf of which nothing stays goes as a whole; what stays of others is packed together into full
 * ones; a leaf that loses nothing is left alone, and so is a branch above such leaves.
 *
 * To search for each key and take it out of its leaf costs ten times as much.
 */
import { compareRanges, viewOf } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { TREE_DEPTH_MAX } from "../base/limits.ts";
import { type Entry, Item, Node } from "./node.ts";
import {
  BRANCH,
  BUCKET_ELEMENT,
  branchChild,
  branchKeyBytes,
  branchKeyOffset,
  ELEMENT_BYTES,
  LEAF,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  type Page,
  pageTypeName,
  parsePage,
  searchBranch,
  searchLeaf,
} from "./page.ts";
import { PageRun, type WalkSource } from "./page-runs.ts";
import type { TxContext } from "./tx-context.ts";

/** What becomes of a key; "stop": it stays as well as all that follow, and nothing more is asked. */
export type Verdict = "stays" | "goes" | "stop";

/** Whoever decides. Buckets inside stay, unasked. */
export interface Sieve {
  /**
   * In key order. The memory is good during the call only.
   * @param view  of `bytes`
   */
  judge(bytes: Uint8Array, view: DataView, keyOffset: number, keyBytes: number): Verdict;
  /**
   * Between leaves: whether to go no further.
   * @param packedBytes  of keys and values that stay and have to be written anew, so far
   */
  isEnough(packedBytes: number): boolean;
}

export class Pruning {
  readonly #tx: TxContext;
  readonly #sieve: Sieve;
  readonly #source: WalkSource;
  /** By level: a level's pages lie near each other. */
  readonly #runs: PageRun[] = [];
  /** Elements of the leaf under way that stay. */
  #staying: number[] = [];
  #packedBytes = 0;
  #stopped = false;
  #gone = 0;

  constructor(tx: TxContext, sieve: Sieve) {
    this.#tx = tx;
    this.#sieve = sieve;
    this.#source = tx.storedPages();
  }

  /** Keys that were taken out. */
  get gone(): number {
    return this.#gone;
  }

  /**
   * @param page  of this transaction alone (`pageToChange`)
   * @param from  the first key to ask about; undefined: the first below it
   * @returns the branch without what goes, to be rebalanced and spilled; undefined if all stays as it is
   * @throws CorruptionError, StrataError CORRUPT at a page that the format does not allow: then the transaction is broken
   */
  branch(page: Page, from: Uint8Array | undefined, level = 0): Node | undefined {
    if (level + 1 >= TREE_DEPTH_MAX) {
      throw this.#fault(page.id, `the tree is deeper than ${TREE_DEPTH_MAX} pages`);
    }
    const entries: Entry[] = [];
    const first = from === undefined ? 0 : searchBranch(page, from);
    for (let i = 0; i < first; i++) entries.push(i);
    const before = this.#gone;
    let sought = from;
    let packing: Node | undefined;
    for (let i = first; i < page.count; i++) {
      const gone = this.#gone;
      if (this.#stopped) {
        entries.push(i);
        continue;
      }
      const child = this.#child(page, i, level);
      if (!child.isLeaf) {
        const below = this.branch(this.#tx.pageToChange(child.id), sought, level + 1);
        packing = undefined;
        if (below === undefined) entries.push(i);
        else if (below.count === 0) this.#tx.release(child.id, child.overflow);
        else entries.push(itemTo(page, i, below));
      } else {
        this.#judgeLeaf(child, sought);
        if (this.#gone === gone) {
          packing = undefined;
          entries.push(i);
        } else {
          packing = this.#pack(child, entries, packing);
          this.#tx.release(child.id, child.overflow);
        }
        if (!this.#stopped) this.#stopped = this.#sieve.isEnough(this.#packedBytes);
      }
      sought = undefined;
    }
    if (this.#gone === before) return undefined;
    const node = new Node(false, entries, page);
    node.unbalanced = true;
    return node;
  }

  /** The same with a leaf that was taken apart: the only one of its bucket. */
  leaf(node: Node, from: Uint8Array): void {
    const entries: Entry[] = [];
    for (let i = 0; i < node.count; i++) {
      const item = node.item(i);
      const { bytes, offset, keyBytes, isBucket } = item;
      const asked =
        !(this.#stopped || isBucket) &&
        compareRanges(bytes, offset, keyBytes, from, 0, from.length) >= 0;
      if (!asked || this.#stays(bytes, viewOf(bytes), offset, keyBytes)) entries.push(item);
    }
    if (this.#gone === 0) return;
    node.setItems(entries);
    node.unbalanced = true;
  }

  #child(page: Page, i: number, level: number): Page {
    const id = branchChild(page, i);
    const { pgid, path, pageBytes } = this.#source;
    if (id < 2 || id >= pgid) throw this.#fault(id, `out of bounds: ${pgid}`);
    this.#runs[level] ??= new PageRun(this.#source);
    const child = (this.#runs[level] as PageRun).child(page, i);
    parsePage(child, path, id * pageBytes);
    if (child.flags !== BRANCH && child.flags !== LEAF) {
      throw this.#fault(id, `invalid type: ${pageTypeName(child.flags)}`);
    }
    return child;
  }

  /** Sets `#staying`, and counts the others. */
  #judgeLeaf(leaf: Page, from: Uint8Array | undefined): void {
    const { bytes, view, count } = leaf;
    const staying = this.#staying;
    staying.length = 0;
    let i = 0;
    if (from !== undefined) {
      const at = searchLeaf(leaf, from);
      for (const end = at < 0 ? ~at : at; i < end; i++) staying.push(i);
    }
    for (; i < count; i++) {
      if (
        this.#stopped ||
        (leafFlags(leaf, i) & BUCKET_ELEMENT) !== 0 ||
        this.#stays(bytes, view, leafKeyOffset(leaf, i), leafKeyBytes(leaf, i))
      ) {
        staying.push(i);
      }
    }
  }

  #stays(bytes: Uint8Array, view: DataView, keyOffset: number, keyBytes: number): boolean {
    const verdict = this.#sieve.judge(bytes, view, keyOffset, keyBytes);
    if (verdict === "goes") {
      this.#gone++;
      return false;
    }
    if (verdict === "stop") this.#stopped = true;
    return true;
  }

  /**
   * Copies what stays of a leaf behind what stayed of the one before, as far as a page takes it.
   * @param packing  the leaf being filled, the last of `entries`; undefined: none is
   * @returns the leaf to go on with
   */
  #pack(leaf: Page, entries: Entry[], packing: Node | undefined): Node | undefined {
    const { arena, pageBytes } = this.#tx;
    let into = packing;
    for (const i of this.#staying) {
      const keyBytes = leafKeyBytes(leaf, i);
      const valueBytes = leafValueBytes(leaf, i);
      const length = keyBytes + valueBytes;
      arena.copyPair(leaf.bytes, leafKeyOffset(leaf, i), length);
      const { bytes, offset } = arena;
      const item = new Item(bytes, offset, keyBytes, valueBytes, leafFlags(leaf, i), 0);
      this.#packedBytes += length;
      // A page that is full to its last byte would be cut.
      if (into === undefined || into.sizeBytes + ELEMENT_BYTES + length >= pageBytes) {
        into = new Node(true, []);
        into.unbalanced = true;
        const separator = new Item(bytes, offset, keyBytes, 0, 0, 0);
        separator.node = into;
        entries.push(separator);
      }
      into.insert(into.count, item);
    }
    return into;
  }

  #fault(id: number, what: string): CorruptionError {
    const { path, pageBytes, pgid } = this.#source;
    return new CorruptionError(path, Math.min(id, pgid) * pageBytes, `page ${id}: ${what}`);
  }
}

/** Element `i` of a branch, leading to what its child has become. */
function itemTo(page: Page, i: number, node: Node): Item {
  const offset = branchKeyOffset(page, i);
  const item = new Item(page.bytes, offset, branchKeyBytes(page, i), 0, 0, branchChild(page, i));
  item.node = node;
  return item;
}
