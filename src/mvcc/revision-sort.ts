/**
 * Sorts revisions held in two columns, by main, then sub, in steps that stop and go on: a million of them never hold
 * the main loop.
 *
 * A radix sort, eight digits of 11 bits at most: three of sub, three of main's low word, two of its high word. One
 * pass counts all digits, then each that is not the same everywhere costs one pass that moves the revisions.
 */
const DIGIT_BITS = 11;
const DIGIT_VALUES = 2 ** DIGIT_BITS;
const DIGIT_MASK = DIGIT_VALUES - 1;
const DIGITS = 8;
const DIGITS_PER_WORD = 3;
const TWO_32 = 2 ** 32;

/** @param isShared  in memory that other threads can be shown */
export function newMains(count: number, isShared: boolean): Float64Array {
  return isShared ? new Float64Array(new SharedArrayBuffer(8 * count)) : new Float64Array(count);
}

export function newSubs(count: number, isShared: boolean): Uint32Array {
  return isShared ? new Uint32Array(new SharedArrayBuffer(4 * count)) : new Uint32Array(count);
}

export class RevisionSort {
  readonly count: number;
  #mains: Float64Array;
  #subs: Uint32Array;
  #otherMains: Float64Array;
  #otherSubs: Uint32Array;
  /** -1 while digits are counted, then the digit by which revisions move. */
  #digit = -1;
  /** The revision that the pass under way comes to next. */
  #at = 0;
  /** Digit by digit, how often each value occurs. */
  readonly #counts: Uint32Array = new Uint32Array(DIGITS * DIGIT_VALUES);
  /** For each value of the digit, where the next revision with it goes. */
  readonly #places: Uint32Array = new Uint32Array(DIGIT_VALUES);

  /** The columns belong to the sort from here on; their first `count` revisions count. */
  constructor(mains: Float64Array, subs: Uint32Array, count: number, isShared = false) {
    this.count = count;
    this.#mains = mains;
    this.#subs = subs;
    this.#otherMains = newMains(count, isShared);
    this.#otherSubs = newSubs(count, isShared);
  }

  /** Once done: the revisions in order. */
  get mains(): Float64Array {
    return this.#mains;
  }

  get subs(): Uint32Array {
    return this.#subs;
  }

  /** Sorts on. @param work  revisions to look at, at most. @returns whether all is done */
  step(work: number): boolean {
    let left = work;
    while (this.#digit < DIGITS && left > 0) {
      const end = Math.min(this.count, this.#at + left);
      left -= end - this.#at;
      if (this.#digit === -1) this.#countDigits(this.#at, end);
      else this.#moveByDigit(this.#at, end);
      this.#at = end;
      if (end === this.count) this.#endPass();
    }
    return this.#digit === DIGITS;
  }

  #countDigits(from: number, end: number): void {
    const counts = this.#counts;
    for (let i = from; i < end; i++) {
      const main = this.#mains[i] as number;
      const sub = this.#subs[i] as number;
      for (let digit = 0; digit < DIGITS; digit++) {
        const at = digit * DIGIT_VALUES + digitOf(main, sub, digit);
        counts[at] = (counts[at] as number) + 1;
      }
    }
  }

  #moveByDigit(from: number, end: number): void {
    const digit = this.#digit;
    const places = this.#places;
    for (let i = from; i < end; i++) {
      const main = this.#mains[i] as number;
      const sub = this.#subs[i] as number;
      const value = digitOf(main, sub, digit);
      const place = places[value] as number;
      places[value] = place + 1;
      this.#otherMains[place] = main;
      this.#otherSubs[place] = sub;
    }
  }

  #endPass(): void {
    if (this.#digit >= 0) {
      [this.#mains, this.#otherMains] = [this.#otherMains, this.#mains];
      [this.#subs, this.#otherSubs] = [this.#otherSubs, this.#subs];
    }
    this.#at = 0;
    do this.#digit++;
    while (this.#digit < DIGITS && this.#isSameEverywhere(this.#digit));
    if (this.#digit < DIGITS) this.#placeValues();
  }

  #isSameEverywhere(digit: number): boolean {
    if (this.count === 0) return true;
    const first = digitOf(this.#mains[0] as number, this.#subs[0] as number, digit);
    return this.#counts[digit * DIGIT_VALUES + first] === this.count;
  }

  #placeValues(): void {
    let place = 0;
    for (let value = 0; value < DIGIT_VALUES; value++) {
      this.#places[value] = place;
      place += this.#counts[this.#digit * DIGIT_VALUES + value] as number;
    }
  }
}

function digitOf(main: number, sub: number, digit: number): number {
  if (digit < DIGITS_PER_WORD) return (sub >>> (digit * DIGIT_BITS)) & DIGIT_MASK;
  if (digit < 2 * DIGITS_PER_WORD) {
    return ((main >>> 0) >>> ((digit - DIGITS_PER_WORD) * DIGIT_BITS)) & DIGIT_MASK;
  }
  return ((main / TWO_32) >>> ((digit - 2 * DIGITS_PER_WORD) * DIGIT_BITS)) & DIGIT_MASK;
}
