/**
 * A set of keys in little memory: each key's bytes stand once in an arena, an open-addressing table finds them, and
 * an entry is a number from 0 in order of arrival. What is known of a key stands in columns of the table's user, by
 * that number. No object per key.
 */

const CHUNK_BYTES = 1024 * 1024;

/** So few keys are sorted by insertion. */
const INSERTION_KEYS = 12;

export class KeyTable {
  /** Slot → entry + 1; 0 = empty. Always a power of two long, at most half full. */
  #slots = new Int32Array(1 << 12);
  #hashes = new Uint32Array(1 << 11);
  /** Which chunk of the arena, and where in it. */
  #chunkOf = new Uint32Array(1 << 11);
  #offsets = new Uint32Array(1 << 11);
  #lengths = new Uint32Array(1 << 11);
  #count = 0;
  readonly #chunks: Uint8Array[] = [];
  /** Where the next key goes in the last chunk. */
  #end = CHUNK_BYTES;

  /** Keys in the table: entries are 0 … count - 1. */
  get count(): number {
    return this.#count;
  }

  /** The entry of the key, or -1. */
  find(bytes: Uint8Array, offset: number, length: number): number {
    const slot = this.#slotOf(bytes, offset, length, hashOf(bytes, offset, length));
    return (this.#slots[slot] as number) - 1;
  }

  /** The entry of the key, which is `count` as it was before the call if the key is new. */
  add(bytes: Uint8Array, offset: number, length: number): number {
    const hash = hashOf(bytes, offset, length);
    let slot = this.#slotOf(bytes, offset, length, hash);
    if (this.#slots[slot] === 0) {
      if ((this.#count + 1) * 2 > this.#slots.length) {
        this.#grow();
        slot = this.#slotOf(bytes, offset, length, hash);
      }
      this.#slots[slot] = this.#append(bytes, offset, length, hash) + 1;
    }
    return (this.#slots[slot] as number) - 1;
  }

  keyBytes(entry: number): number {
    return this.#lengths[entry] as number;
  }

  /** The key, as a view. */
  key(entry: number): Uint8Array {
    const chunk = this.#chunks[this.#chunkOf[entry] as number] as Uint8Array;
    const at = this.#offsets[entry] as number;
    return chunk.subarray(at, at + (this.#lengths[entry] as number));
  }

  /**
   * Sorts entries by their keys, in byte order, in place. Multikey quicksort: keys that share a long beginning, as
   * etcd's do, are looked at once per byte and not once per comparison; no recursion, so no key is too long.
   */
  sort(entries: Uint32Array): void {
    const todo: number[] = [0, entries.length, 0];
    while (todo.length > 0) {
      const depth = todo.pop() as number;
      const end = todo.pop() as number;
      const start = todo.pop() as number;
      if (end - start <= INSERTION_KEYS) {
        this.#insertionSort(entries, start, end, depth);
        continue;
      }
      const pivot = this.#pivot(entries, start, end, depth);
      let less = start;
      let more = end;
      for (let i = start; i < more; ) {
        const entry = entries[i] as number;
        const byte = this.#byteAt(entry, depth);
        if (byte < pivot) {
          entries[i++] = entries[less] as number;
          entries[less++] = entry;
        } else if (byte > pivot) {
          entries[i] = entries[--more] as number;
          entries[more] = entry;
        } else {
          i++;
        }
      }
      if (less - start > 1) todo.push(start, less, depth);
      if (end - more > 1) todo.push(more, end, depth);
      // Keys that end here are equal, and keys are unique: nothing is left to sort.
      if (pivot >= 0 && more - less > 1) todo.push(less, more, depth + 1);
    }
  }

  /** The median of three. */
  #pivot(entries: Uint32Array, start: number, end: number, depth: number): number {
    const a = this.#byteAt(entries[start] as number, depth);
    const b = this.#byteAt(entries[(start + end) >>> 1] as number, depth);
    const c = this.#byteAt(entries[end - 1] as number, depth);
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }

  /** The key's byte at `depth`, -1 past its end. */
  #byteAt(entry: number, depth: number): number {
    if (depth >= (this.#lengths[entry] as number)) return -1;
    const chunk = this.#chunks[this.#chunkOf[entry] as number] as Uint8Array;
    return chunk[(this.#offsets[entry] as number) + depth] as number;
  }

  #insertionSort(entries: Uint32Array, start: number, end: number, depth: number): void {
    for (let i = start + 1; i < end; i++) {
      const entry = entries[i] as number;
      let at = i;
      while (at > start && this.#compare(entries[at - 1] as number, entry, depth) > 0) {
        entries[at] = entries[at - 1] as number;
        at--;
      }
      entries[at] = entry;
    }
  }

  #compare(a: number, b: number, depth: number): number {
    for (let i = depth; ; i++) {
      const byteA = this.#byteAt(a, i);
      const difference = byteA - this.#byteAt(b, i);
      if (difference !== 0) return difference;
      if (byteA < 0) return 0;
    }
  }

  /** The slot that holds the key, or the empty one where it belongs. */
  #slotOf(bytes: Uint8Array, offset: number, length: number, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] as number) - 1;
      if (entry < 0) return slot;
      if (this.#hashes[entry] === hash && this.#equals(entry, bytes, offset, length)) return slot;
    }
  }

  #equals(entry: number, bytes: Uint8Array, offset: number, length: number): boolean {
    if (this.#lengths[entry] !== length) return false;
    const chunk = this.#chunks[this.#chunkOf[entry] as number] as Uint8Array;
    const at = this.#offsets[entry] as number;
    for (let i = 0; i < length; i++) if (chunk[at + i] !== bytes[offset + i]) return false;
    return true;
  }

  #append(bytes: Uint8Array, offset: number, length: number, hash: number): number {
    if (this.#end + length > CHUNK_BYTES || this.#chunks.length === 0) {
      this.#chunks.push(new Uint8Array(Math.max(CHUNK_BYTES, length)));
      this.#end = 0;
    }
    const index = this.#chunks.length - 1;
    const chunk = this.#chunks[index] as Uint8Array;
    for (let i = 0; i < length; i++) chunk[this.#end + i] = bytes[offset + i] as number;
    const entry = this.#count++;
    this.#hashes[entry] = hash;
    this.#chunkOf[entry] = index;
    this.#offsets[entry] = this.#end;
    this.#lengths[entry] = length;
    this.#end += length;
    return entry;
  }

  #grow(): void {
    const capacity = this.#slots.length;
    this.#hashes = extended(this.#hashes, new Uint32Array(capacity));
    this.#chunkOf = extended(this.#chunkOf, new Uint32Array(capacity));
    this.#offsets = extended(this.#offsets, new Uint32Array(capacity));
    this.#lengths = extended(this.#lengths, new Uint32Array(capacity));
    this.#slots = new Int32Array(capacity * 2);
    const mask = this.#slots.length - 1;
    for (let entry = 0; entry < this.#count; entry++) {
      let slot = (this.#hashes[entry] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }
}

/** A column's values, in a longer one. */
export function extended<
  A extends Uint8Array | Uint16Array | Uint32Array | Float64Array | BigInt64Array,
>(old: A, larger: A): A {
  // Both are of one type, which the compiler cannot say of `set`.
  (larger as Uint8Array).set(old as Uint8Array);
  return larger;
}

/** FNV-1a, 32 bits, with a last stir: keys that differ in their last byte alone must not cluster. */
function hashOf(bytes: Uint8Array, offset: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = offset; i < offset + length; i++) {
    hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  }
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
