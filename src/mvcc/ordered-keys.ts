/**
 * Keys in byte order, each with its id: a B+tree of latin1 strings, whose order in JavaScript is that of their bytes.
 *
 * At a million keys the misses of the processor's cache decide, and most of them come from looking into the strings of
 * a leaf. So an insert looks into none: it appends to the leaf, and whoever needs the leaf in order (a scan, a removal,
 * a split) puts it in order then. That alone made inserts twice as fast. Numeric heads, shared prefixes or keys in an
 * arena of bytes did not pay: the strings are there anyway, for the table beside.
 */
import { invariant } from "../base/invariant.ts";

/** @returns false to stop */
export type KeyVisitor = (key: string, id: number) => boolean;

/** An array of half of it grows, as V8 grows arrays, to just this and no more: 32 → 65 places. */
const NODE_MAX = 64;
/** Below this a node is joined with a neighbour, if the two then leave room to grow. */
const NODE_MIN: number = NODE_MAX / 4;
const JOINED_MAX: number = NODE_MAX - NODE_MIN;
/** What `load` puts into a node: the first insert after a restart must not split everything. */
const NODE_LOAD: number = NODE_MAX - NODE_MAX / 8;

class Leaf {
  keys: string[];
  ids: number[];
  /** So many at the front are in order; what follows is as it came. */
  sorted: number;

  constructor(keys: string[], ids: number[]) {
    this.keys = keys;
    this.ids = ids;
    this.sorted = keys.length;
  }

  /** Puts all keys in order, each of the others by insertion: there are few, and often they are in order already. */
  tidy(): void {
    const { keys, ids } = this;
    for (let i = this.sorted; i < keys.length; i++) {
      const key = keys[i] as string;
      if (i === 0 || (keys[i - 1] as string) < key) continue;
      const id = ids[i] as number;
      const at = lowerBound(keys, key, i);
      for (let j = i; j > at; j--) {
        keys[j] = keys[j - 1] as string;
        ids[j] = ids[j - 1] as number;
      }
      keys[at] = key;
      ids[at] = id;
    }
    this.sorted = keys.length;
  }
}

class Branch {
  /** keys[i] ≤ all keys below children[i + 1], and > all below children[i]. */
  keys: string[];
  children: Node[];

  constructor(keys: string[], children: Node[]) {
    this.keys = keys;
    this.children = children;
  }
}

type Node = Leaf | Branch;

export class OrderedKeys {
  #root: Node = new Leaf([], []);
  #count = 0;
  /** Counts changes of the tree's shape, so that a scan notices one made under it. */
  #edits = 0;
  /** The right half of the child that `#insertInto` split, and the least key it may hold. */
  #splitNode: Node | undefined;
  #splitKey = "";
  /** Set by `#descend`. */
  #bound: string | undefined;

  get count(): number {
    return this.#count;
  }

  /** @param key  not in the tree */
  insert(key: string, id: number): void {
    this.#edits++;
    this.#count++;
    this.#insertInto(this.#root, key, id);
    const right = this.#splitNode;
    if (right === undefined) return;
    this.#splitNode = undefined;
    this.#root = new Branch([this.#splitKey], [this.#root, right]);
  }

  /** @param key  in the tree */
  remove(key: string): void {
    this.#edits++;
    this.#count--;
    this.#removeFrom(this.#root, key);
    while (this.#root instanceof Branch && this.#root.children.length <= 1) {
      this.#root = this.#root.children[0] ?? new Leaf([], []);
    }
  }

  /**
   * Visits keys ≥ `start` and < `end` (undefined: to the last) in order. The visitor may change the tree: what follows
   * the key it was called with is then seen as it is.
   * @returns false if the visitor stopped it
   */
  scan(start: string, end: string | undefined, visit: KeyVisitor): boolean {
    let from: string | undefined = start;
    while (from !== undefined) {
      const { keys, ids } = this.#leafOf(from);
      let resumeAt: string | undefined = this.#bound;
      const edits = this.#edits;
      for (let i = lowerBound(keys, from, keys.length); i < keys.length; i++) {
        const key = keys[i] as string;
        if (end !== undefined && key >= end) return true;
        if (!visit(key, ids[i] as number)) return false;
        if (this.#edits !== edits) {
          resumeAt = `${key}\0`;
          break;
        }
      }
      from = resumeAt;
    }
    return true;
  }

  /** Makes the tree of `keys`, strictly ascending, and their ids. The tree must be empty. */
  load(keys: readonly string[], ids: ArrayLike<number>): void {
    invariant(this.#count === 0, "a tree is loaded before it holds anything", { has: this.#count });
    if (keys.length === 0) return;
    let nodes: Node[] = [];
    let firsts: string[] = [];
    for (let at = 0; at < keys.length; at += NODE_LOAD) {
      const end = Math.min(at + NODE_LOAD, keys.length);
      const leaf = new Leaf([], []);
      for (let i = at; i < end; i++) {
        leaf.keys.push(keys[i] as string);
        leaf.ids.push(ids[i] as number);
      }
      leaf.sorted = leaf.keys.length;
      nodes.push(leaf);
      firsts.push(keys[at] as string);
    }
    while (nodes.length > 1) {
      const branches: Node[] = [];
      const branchFirsts: string[] = [];
      for (let at = 0; at < nodes.length; at += NODE_LOAD) {
        const end = at + NODE_LOAD;
        branches.push(new Branch(firsts.slice(at + 1, end), nodes.slice(at, end)));
        branchFirsts.push(firsts[at] as string);
      }
      nodes = branches;
      firsts = branchFirsts;
    }
    this.#root = nodes[0] as Node;
    this.#count = keys.length;
    this.#edits++;
  }

  /** How many nodes there are. */
  nodes(): number {
    return countNodes(this.#root);
  }

  /** The leaf where `key` belongs, in order; `#bound` is then the least key that the next leaf may hold. */
  #leafOf(key: string): Leaf {
    this.#bound = undefined;
    let node = this.#root;
    while (node instanceof Branch) {
      const i = upperBound(node.keys, key);
      if (i < node.keys.length) this.#bound = node.keys[i];
      node = node.children[i] as Node;
    }
    node.tidy();
    return node;
  }

  #insertInto(node: Node, key: string, id: number): void {
    if (node instanceof Leaf) {
      if (node.keys.length === NODE_MAX) this.#splitLeaf(node, key);
      const leaf =
        this.#splitNode instanceof Leaf && key >= this.#splitKey ? this.#splitNode : node;
      leaf.keys.push(key);
      leaf.ids.push(id);
      return;
    }
    const at = upperBound(node.keys, key);
    this.#insertInto(node.children[at] as Node, key, id);
    const right = this.#splitNode;
    if (right === undefined) return;
    node.keys.splice(at, 0, this.#splitKey);
    node.children.splice(at + 1, 0, right);
    this.#splitNode = undefined;
    if (node.children.length > NODE_MAX) this.#splitBranch(node, at);
  }

  /** Makes room for `key`. Keys often come in order, at the end of a prefix: then the full leaf stays full. */
  #splitLeaf(node: Leaf, key: string): void {
    node.tidy();
    if ((node.keys[NODE_MAX - 1] as string) < key) {
      this.#splitNode = new Leaf([], []);
      this.#splitKey = key;
      return;
    }
    const half = NODE_MAX / 2;
    this.#splitNode = new Leaf(node.keys.slice(half), node.ids.slice(half));
    this.#splitKey = node.keys[half] as string;
    node.keys = node.keys.slice(0, half);
    node.ids = node.ids.slice(0, half);
    node.sorted = half;
  }

  #splitBranch(node: Branch, inserted: number): void {
    const half = inserted === NODE_MAX - 1 ? NODE_MAX : NODE_MAX / 2;
    this.#splitNode = new Branch(node.keys.slice(half), node.children.slice(half));
    this.#splitKey = node.keys[half - 1] as string;
    node.keys = node.keys.slice(0, half - 1);
    node.children = node.children.slice(0, half);
  }

  #removeFrom(node: Node, key: string): void {
    if (node instanceof Leaf) {
      node.tidy();
      const at = lowerBound(node.keys, key, node.keys.length);
      if (node.keys[at] !== key) invariant(false, "a key that is removed is there", { key });
      node.keys.splice(at, 1);
      node.ids.splice(at, 1);
      node.sorted--;
      return;
    }
    const at = upperBound(node.keys, key);
    const child = node.children[at] as Node;
    this.#removeFrom(child, key);
    const size = sizeOf(child);
    if (size === 0) {
      node.children.splice(at, 1);
      node.keys.splice(Math.max(at - 1, 0), 1);
    } else if (size < NODE_MIN && !joinAt(node, at)) joinAt(node, at - 1);
  }
}

/** Joins children[left] and its right neighbour. @returns false if there are no two, or too much in them */
function joinAt(branch: Branch, left: number): boolean {
  const into = branch.children[left];
  const from = branch.children[left + 1];
  if (into === undefined || from === undefined) return false;
  if (sizeOf(into) + sizeOf(from) > JOINED_MAX) return false;
  if (into instanceof Leaf && from instanceof Leaf) {
    into.keys.push(...from.keys);
    into.ids.push(...from.ids);
    into.tidy();
  } else if (into instanceof Branch && from instanceof Branch) {
    into.keys.push(branch.keys[left] as string, ...from.keys);
    into.children.push(...from.children);
  }
  branch.keys.splice(left, 1);
  branch.children.splice(left + 1, 1);
  return true;
}

function sizeOf(node: Node): number {
  return node instanceof Leaf ? node.keys.length : node.children.length;
}

function countNodes(node: Node): number {
  if (node instanceof Leaf) return 1;
  return node.children.reduce((sum, child) => sum + countNodes(child), 1);
}

/** The first place below `end` whose key is ≥ `key`, or `end`. */
function lowerBound(keys: readonly string[], key: string, end: number): number {
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first place whose key is > `key`. */
function upperBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
