/**
 * Intervals of strings, each with a value, asked which of them hold a point: an AVL tree by start and end, where every
 * node knows the highest end below it. A question costs O(log n) for each interval found, however they overlap.
 */

interface Node<T> {
  readonly start: string;
  readonly end: string;
  readonly value: T;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
  height: number;
  /** The highest end in this subtree. */
  maxEnd: string;
}

type Tree<T> = Node<T> | undefined;

/** Intervals are [start, end), and different from each other. */
export class IntervalTree<T> {
  #root: Tree<T>;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(start: string, end: string): T | undefined {
    let node = this.#root;
    while (node !== undefined) {
      const order = compare(start, end, node);
      if (order === 0) return node.value;
      node = order < 0 ? node.left : node.right;
    }
    return undefined;
  }

  /** @param start, end  not in the tree yet */
  add(start: string, end: string, value: T): void {
    this.#root = add(this.#root, start, end, value);
    this.#count++;
  }

  /** @param start, end  in the tree */
  remove(start: string, end: string): void {
    this.#root = remove(this.#root, start, end);
    this.#count--;
  }

  /** Whether any interval holds `point`. */
  holds(point: string): boolean {
    let node = this.#root;
    while (node !== undefined) {
      if (node.start <= point && point < node.end) return true;
      // If some interval on the left ends behind the point and none there holds it, that one starts behind it, and
      // with it all on the right.
      node = node.left !== undefined && node.left.maxEnd > point ? node.left : node.right;
    }
    return false;
  }

  /** Writes the values of all intervals that hold `point` into `into`, from place `at` on. @returns the place after */
  find(point: string, into: T[], at: number): number {
    return find(this.#root, point, into, at);
  }

  /** The longest way down: for tests. */
  get height(): number {
    return heightOf(this.#root);
  }
}

function find<T>(tree: Tree<T>, point: string, into: T[], from: number): number {
  let at = from;
  let node = tree;
  while (node !== undefined && node.maxEnd > point) {
    at = find(node.left, point, into, at);
    if (node.start > point) return at;
    if (node.end > point) into[at++] = node.value;
    node = node.right;
  }
  return at;
}

function compare<T>(start: string, end: string, node: Node<T>): number {
  if (start !== node.start) return start < node.start ? -1 : 1;
  if (end === node.end) return 0;
  return end < node.end ? -1 : 1;
}

function add<T>(tree: Tree<T>, start: string, end: string, value: T): Node<T> {
  if (tree === undefined) {
    return { start, end, value, left: undefined, right: undefined, height: 1, maxEnd: end };
  }
  if (compare(start, end, tree) < 0) tree.left = add(tree.left, start, end, value);
  else tree.right = add(tree.right, start, end, value);
  return balanced(tree);
}

function remove<T>(tree: Tree<T>, start: string, end: string): Tree<T> {
  if (tree === undefined) return undefined;
  const order = compare(start, end, tree);
  if (order < 0) tree.left = remove(tree.left, start, end);
  else if (order > 0) tree.right = remove(tree.right, start, end);
  else {
    if (tree.left === undefined) return tree.right;
    if (tree.right === undefined) return tree.left;
    let least = tree.right;
    while (least.left !== undefined) least = least.left;
    const right = remove(tree.right, least.start, least.end);
    least.left = tree.left;
    least.right = right;
    return balanced(least);
  }
  return balanced(tree);
}

/** A node whose subtrees are in balance each, and differ in height by two at most: rotated to differ by one. */
function balanced<T>(node: Node<T>): Node<T> {
  const { left, right } = node;
  const lean = heightOf(left) - heightOf(right);
  if (lean > 1 && left !== undefined) {
    if (heightOf(left.left) < heightOf(left.right)) node.left = rotatedLeft(left);
    return rotatedRight(node);
  }
  if (lean < -1 && right !== undefined) {
    if (heightOf(right.right) < heightOf(right.left)) node.right = rotatedRight(right);
    return rotatedLeft(node);
  }
  return summed(node);
}

function rotatedRight<T>(node: Node<T>): Node<T> {
  const top = node.left as Node<T>;
  node.left = top.right;
  top.right = summed(node);
  return summed(top);
}

function rotatedLeft<T>(node: Node<T>): Node<T> {
  const top = node.right as Node<T>;
  node.right = top.left;
  top.left = summed(node);
  return summed(top);
}

function summed<T>(node: Node<T>): Node<T> {
  const { left, right } = node;
  node.height = Math.max(heightOf(left), heightOf(right)) + 1;
  let maxEnd = node.end;
  if (left !== undefined && left.maxEnd > maxEnd) maxEnd = left.maxEnd;
  if (right !== undefined && right.maxEnd > maxEnd) maxEnd = right.maxEnd;
  node.maxEnd = maxEnd;
  return node;
}

function heightOf<T>(tree: Tree<T>): number {
  return tree === undefined ? 0 : tree.height;
}
