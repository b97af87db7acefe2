/**
 * Sorts many keys at once, as a restart does: by six characters at a time, which are packed into two words, digit by
 * digit, so that nothing is compared. What all keys of a group share is skipped; only keys with the same six go on to
 * the next.
 */

/** Of each of the two words. A digit is a character and one, or 0 behind the end of the key. */
const DIGITS = 3;
const DIGIT_BITS = 9;
const DIGIT_VALUES = 2 ** DIGIT_BITS;
const DIGIT_MASK = DIGIT_VALUES - 1;
const HEAD_CHARACTERS = 2 * DIGITS;

/** So few are sorted by comparing them. */
const FEW = 48;

/** Of one position in the keys: the words, and the places that move with them. */
interface Columns {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly order: Uint32Array;
}

/** @param keys  all different, one character a byte. @returns their places in `keys`, in byte order of the keys */
export function sortKeys(keys: readonly string[]): Uint32Array {
  const order = new Uint32Array(keys.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  if (isSorted(keys)) return order;
  const columns = { ...newColumns(keys.length), order };
  const spare = newColumns(keys.length);
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
    sortByHead(keys, columns, spare, from, to, depth);
    const { high, low } = columns;
    for (let start = from; start < to; ) {
      let end = start + 1;
      while (end < to && high[end] === high[start] && low[end] === low[start]) end++;
      if (end - start > 1) groups.push(start, end, depth + HEAD_CHARACTERS);
      start = end;
    }
  }
  return order;
}

/** Keys that were made in their order, as counters are, are as common as any. */
function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) {
    if ((keys[i - 1] as string) > (keys[i] as string)) return false;
  }
  return true;
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

/** Fills the words of a group from the six characters at `depth`, and sorts it by them: from the last digit on. */
function sortByHead(
  keys: readonly string[],
  columns: Columns,
  spare: Columns,
  from: number,
  to: number,
  depth: number,
): void {
  const { high, low, order } = columns;
  for (let i = from; i < to; i++) {
    const key = keys[order[i] as number] as string;
    high[i] = wordAt(key, depth);
    low[i] = wordAt(key, depth + DIGITS);
  }
  let now = columns;
  let spent = spare;
  for (let digit = 0; digit < HEAD_CHARACTERS; digit++) {
    const isLow = digit < DIGITS;
    const shift = (digit % DIGITS) * DIGIT_BITS;
    if (!pass(now, spent, isLow ? now.low : now.high, shift, from, to)) continue;
    [now, spent] = [spent, now];
  }
  if (now === columns) return;
  high.set(now.high.subarray(from, to), from);
  low.set(now.low.subarray(from, to), from);
  order.set(now.order.subarray(from, to), from);
}

function wordAt(key: string, depth: number): number {
  let word = 0;
  for (let i = depth; i < depth + DIGITS; i++) {
    word = (word << DIGIT_BITS) | (i < key.length ? key.charCodeAt(i) + 1 : 0);
  }
  return word;
}

const counts = new Uint32Array(DIGIT_VALUES);

/** Moves a group by one digit, keeping the order within it. @returns false if all have the same: nothing was moved */
function pass(
  now: Columns,
  there: Columns,
  word: Uint32Array,
  shift: number,
  from: number,
  to: number,
): boolean {
  counts.fill(0);
  for (let i = from; i < to; i++) {
    const digit = ((word[i] as number) >>> shift) & DIGIT_MASK;
    counts[digit] = (counts[digit] as number) + 1;
  }
  if (counts[((word[from] as number) >>> shift) & DIGIT_MASK] === to - from) return false;
  let start = from;
  for (let digit = 0; digit < DIGIT_VALUES; digit++) {
    const count = counts[digit] as number;
    counts[digit] = start;
    start += count;
  }
  const { high, low, order } = now;
  for (let i = from; i < to; i++) {
    const digit = ((word[i] as number) >>> shift) & DIGIT_MASK;
    const at = counts[digit] as number;
    counts[digit] = at + 1;
    there.high[at] = high[i] as number;
    there.low[at] = low[i] as number;
    there.order[at] = order[i] as number;
  }
  return true;
}

function newColumns(length: number): Columns {
  return {
    high: new Uint32Array(length),
    low: new Uint32Array(length),
    order: new Uint32Array(length),
  };
}
