/**
 * Which user keys are alive, counted exactly and in little memory while revisions pass by in order: an open-addressing
 * table over a byte arena, no object per key.
 */

const CHUNK_BYTES = 1024 * 1024;
const DEAD = 0;
const ALIVE = 1;

export class LiveKeys {
  /** Slot → entry + 1; 0 = empty. Always a power of two long, at most half full. */
  #slots = new Int32Array(1 << 12);
  #hashes = new Uint32Array(1 << 11);
  #offsets = new Float64Array(1 << 11);
  #lengths = new Uint32Array(1 << 11);
  #states = new Uint8Array(1 << 11);
  #entries = 0;
  readonly #chunks: Uint8Array[] = [];
  /** Where the next key goes: chunk and offset within it. */
  #end = CHUNK_BYTES;
  #alive = 0;

  get count(): number {
    return this.#alive;
  }

  /** A put of the key. */
  put(bytes: Uint8Array, offset: number, length: number): void {
    const hash = hashOf(bytes, offset, length);
    let slot = this.#find(bytes, offset, length, hash);
    if (this.#slots[slot] === 0) {
      if ((this.#entries + 1) * 2 > this.#slots.length) {
        this.#grow();
        slot = this.#find(bytes, offset, length, hash);
      }
      this.#slots[slot] = this.#append(bytes, offset, length, hash) + 1;
    }
    const entry = (this.#slots[slot] as number) - 1;
    if (this.#states[entry] === DEAD) {
      this.#states[entry] = ALIVE;
      this.#alive++;
    }
  }

  /** A tombstone of the key. */
  remove(bytes: Uint8Array, offset: number, length: number): void {
    const slot = this.#find(bytes, offset, length, hashOf(bytes, offset, length));
    const entry = (this.#slots[slot] as number) - 1;
    if (entry >= 0 && this.#states[entry] === ALIVE) {
      this.#states[entry] = DEAD;
      this.#alive--;
    }
  }

  /** The slot that holds the key, or the empty one where it belongs. */
  #find(bytes: Uint8Array, offset: number, length: number, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] as number) - 1;
      if (entry < 0) return slot;
      if (this.#hashes[entry] === hash && this.#equals(entry, bytes, offset, length)) return slot;
    }
  }

  #equals(entry: number, bytes: Uint8Array, offset: number, length: number): boolean {
    if (this.#lengths[entry] !== length) return false;
    const place = this.#offsets[entry] as number;
    const chunk = this.#chunks[Math.floor(place / CHUNK_BYTES)] as Uint8Array;
    const at = place % CHUNK_BYTES;
    for (let i = 0; i < length; i++) if (chunk[at + i] !== bytes[offset + i]) return false;
    return true;
  }

  #append(bytes: Uint8Array, offset: number, length: number, hash: number): number {
    if (this.#end + length > CHUNK_BYTES) {
      this.#chunks.push(new Uint8Array(Math.max(CHUNK_BYTES, length)));
      this.#end = 0;
    }
    const index = this.#chunks.length - 1;
    const chunk = this.#chunks[index] as Uint8Array;
    for (let i = 0; i < length; i++) chunk[this.#end + i] = bytes[offset + i] as number;
    const entry = this.#entries++;
    this.#hashes[entry] = hash;
    this.#offsets[entry] = index * CHUNK_BYTES + this.#end;
    this.#lengths[entry] = length;
    this.#states[entry] = DEAD;
    this.#end += length;
    return entry;
  }

  #grow(): void {
    const capacity = this.#slots.length;
    this.#hashes = extended(this.#hashes, new Uint32Array(capacity));
    this.#offsets = extended(this.#offsets, new Float64Array(capacity));
    this.#lengths = extended(this.#lengths, new Uint32Array(capacity));
    this.#states = extended(this.#states, new Uint8Array(capacity));
    this.#slots = new Int32Array(capacity * 2);
    const mask = this.#slots.length - 1;
    for (let entry = 0; entry < this.#entries; entry++) {
      let slot = (this.#hashes[entry] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }
}

function extended<A extends Uint32Array | Float64Array | Uint8Array>(old: A, larger: A): A {
  larger.set(old);
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
