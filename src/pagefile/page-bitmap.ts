/** A set of page ids, one bit each: a gigabyte of 4 KiB pages is 32 KiB of bits. */
export class PageBitmap {
  #words: Uint32Array;
  #count = 0;

  /** @param pages  ids expected to stay below this; the set grows when one does not */
  constructor(pages = 1024) {
    this.#words = new Uint32Array((pages >>> 5) + 1);
  }

  /** A set of its own, with the same ids. */
  clone(): PageBitmap {
    const copy = new PageBitmap(0);
    copy.#words = this.#words.slice();
    copy.#count = this.#count;
    return copy;
  }

  /** Ids in the set. */
  get count(): number {
    return this.#count;
  }

  has(id: number): boolean {
    const word = Math.floor(id / 32);
    return word < this.#words.length && (((this.#words[word] as number) >>> (id & 31)) & 1) === 1;
  }

  /** @returns false if it was there already */
  add(id: number): boolean {
    const word = Math.floor(id / 32);
    if (word >= this.#words.length) this.#grow(word);
    const old = this.#words[word] as number;
    const bit = 1 << (id & 31);
    if ((old & bit) !== 0) return false;
    this.#words[word] = old | bit;
    this.#count++;
    return true;
  }

  /** @returns false if it was not there */
  delete(id: number): boolean {
    const word = Math.floor(id / 32);
    if (word >= this.#words.length) return false;
    const old = this.#words[word] as number;
    const bit = 1 << (id & 31);
    if ((old & bit) === 0) return false;
    this.#words[word] = old & ~bit;
    this.#count--;
    return true;
  }

  /** The lowest id ≥ `from` in the set, or -1. */
  next(from: number): number {
    let word = Math.floor(from / 32);
    if (word >= this.#words.length) return -1;
    let bits = (this.#words[word] as number) & (-1 << (from & 31));
    while (bits === 0) {
      word++;
      if (word >= this.#words.length) return -1;
      bits = this.#words[word] as number;
    }
    return word * 32 + (31 - Math.clz32(bits & -bits));
  }

  /** The lowest id ≥ `from` that starts `length` ids in a row, or -1. */
  findRun(length: number, from: number): number {
    let start = this.next(from);
    while (start !== -1) {
      let got = 1;
      while (got < length && this.has(start + got)) got++;
      if (got === length) return start;
      start = this.next(start + got);
    }
    return -1;
  }

  /** Ids in ascending order. */
  *ids(): Generator<number> {
    for (let id = this.next(0); id !== -1; id = this.next(id + 1)) yield id;
  }

  #grow(word: number): void {
    const larger = new Uint32Array(Math.max(word + 1, this.#words.length * 2));
    larger.set(this.#words);
    this.#words = larger;
  }
}
