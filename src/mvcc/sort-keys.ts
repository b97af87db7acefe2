/**
 * Sorts many keys at once, as a restart does: by six characters at a time, packed into a number, so that a comparison
 * looks at no string. What all keys of a group share is skipped; only keys with the same six go on to the next.
 */

const HEAD_CHARACTERS = 6;
/** 256 characters, and the end of the key below them; 257^6 < 2^53. */
const HEAD_BASE = 257;
/** So few are sorted by insertion. */
const FEW = 12;

/** @param keys  all different, one character a byte. @returns their places in `keys`, in byte order of the keys */
export function sortKeys(keys: readonly string[]): Uint32Array {
  const order = new Uint32Array(keys.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  const heads = new Float64Array(keys.length);
  // Groups still to sort: from, to, and how many characters all keys between them share. Not recursion: with long keys
  // in each other's prefix it would go thousands deep.
  const groups = [0, keys.length, 0];
  while (groups.length > 0) {
    const shared = groups.pop() as number;
    const to = groups.pop() as number;
    const from = groups.pop() as number;
    if (to - from <= FEW) {
      sortFew(keys, order, from, to);
      continue;
    }
    const depth = sharedPrefix(keys, order, from, to, shared);
    for (let i = from; i < to; i++) heads[i] = headOf(keys[order[i] as number] as string, depth);
    sortByHead(heads, order, from, to);
    for (let start = from; start < to; ) {
      let end = start + 1;
      while (end < to && heads[end] === heads[start]) end++;
      if (end - start > 1) groups.push(start, end, depth + HEAD_CHARACTERS);
      start = end;
    }
  }
  return order;
}

/** How many characters the keys of a group share, given that `shared` are known to be the same. */
function sharedPrefix(
  keys: readonly string[],
  order: Uint32Array,
  from: number,
  to: number,
  shared: number,
): number {
  const first = keys[order[from] as number] as string;
  let length = first.length;
  for (let i = from + 1; i < to && length > shared; i++) {
    const key = keys[order[i] as number] as string;
    if (key.length < length) length = key.length;
    let same = shared;
    while (same < length && key.charCodeAt(same) === first.charCodeAt(same)) same++;
    length = same;
  }
  return length;
}

function headOf(key: string, depth: number): number {
  let head = 0;
  for (let i = depth; i < depth + HEAD_CHARACTERS; i++) {
    head = head * HEAD_BASE + (i < key.length ? key.charCodeAt(i) + 1 : 0);
  }
  return head;
}

function sortFew(keys: readonly string[], order: Uint32Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    const place = order[i] as number;
    const key = keys[place] as string;
    let at = i;
    for (; at > from && (keys[order[at - 1] as number] as string) > key; at--) {
      order[at] = order[at - 1] as number;
    }
    order[at] = place;
  }
}

/** Quicksort in three parts, because many heads are the same; both columns move together. */
function sortByHead(heads: Float64Array, order: Uint32Array, start: number, end: number): void {
  let from = start;
  let to = end;
  while (to - from > 1) {
    const pivot = middleOf(
      heads[from] as number,
      heads[(from + to) >>> 1] as number,
      heads[to - 1] as number,
    );
    let less = from;
    let more = to;
    for (let i = from; i < more; ) {
      const head = heads[i] as number;
      if (head < pivot) swap(heads, order, i++, less++);
      else if (head > pivot) swap(heads, order, i, --more);
      else i++;
    }
    // The smaller part by recursion, so that it is never deep.
    if (less - from < to - more) {
      sortByHead(heads, order, from, less);
      from = more;
    } else {
      sortByHead(heads, order, more, to);
      to = less;
    }
  }
}

function swap(heads: Float64Array, order: Uint32Array, a: number, b: number): void {
  const head = heads[a] as number;
  heads[a] = heads[b] as number;
  heads[b] = head;
  const place = order[a] as number;
  order[a] = order[b] as number;
  order[b] = place;
}

function middleOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
