/**
 * HPACK's Huffman code. It is canonical, so the length of each symbol's code says all; the codes, and the automaton that
 * reads four bits at a step, are made of them when the program starts.
 *
 * @see RFC 7541, 5.2 and Appendix B
 */

/** The length in bits of the code of each byte and, last, of the end of a string. */
const CODE_BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
  28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5,
  6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6,
  7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
  23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
  22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22,
  23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27,
  27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25,
  24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const END_OF_STRING = 256;

const CODES: Uint32Array = canonicalCodes();

function canonicalCodes(): Uint32Array {
  const symbols = CODE_BITS.map((bits, symbol) => ({ bits, symbol }));
  symbols.sort((a, b) => a.bits - b.bits || a.symbol - b.symbol);
  const codes = new Uint32Array(CODE_BITS.length);
  let code = 0;
  let before = 0;
  for (const { bits, symbol } of symbols) {
    code *= 2 ** (bits - before);
    codes[symbol] = code++;
    before = bits;
  }
  return codes;
}

/**
 * For each inner node of the code's tree (the root is 0), sixteen steps: bits 0-7 a symbol, bit 8 that there is one,
 * bit 9 that the string may end here, bit 10 that no string goes this way, bits 16 and up the next node.
 */
const SYMBOL = 1 << 8;
const MAY_END = 1 << 9;
const NO_WAY = 1 << 10;
const NODE_SHIFT = 16;

const STEPS: Uint32Array = automaton();

function automaton(): Uint32Array {
  /** Two children a node: a node's number, or -1 - symbol. */
  const children: [number, number][] = [[0, 0]];
  /** Nodes on the way of ones that are less than a byte: padding may end there. */
  const mayEnd = new Set<number>([0]);
  for (let symbol = 0; symbol < CODE_BITS.length; symbol++) {
    const bits = CODE_BITS[symbol] as number;
    let node = 0;
    for (let bit = bits - 1; bit >= 0; bit--) {
      const side = ((CODES[symbol] as number) >>> bit) & 1;
      const pair = children[node] as [number, number];
      if (bit === 0) {
        pair[side] = -1 - symbol;
      } else {
        if (pair[side] === 0) pair[side] = children.push([0, 0]) - 1;
        node = pair[side] as number;
        if (symbol === END_OF_STRING && bits - bit < 8) mayEnd.add(node);
      }
    }
  }
  const steps = new Uint32Array(children.length * 16);
  for (let from = 0; from < children.length; from++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      let node = from;
      let found = 0;
      for (let bit = 3; bit >= 0; bit--) {
        const next = (children[node] as [number, number])[(nibble >>> bit) & 1] as number;
        if (next >= 0) {
          node = next;
        } else {
          found = next === -1 - END_OF_STRING ? NO_WAY : SYMBOL | (-1 - next);
          node = 0;
        }
        if (found === NO_WAY) break;
      }
      steps[from * 16 + nibble] =
        found | (mayEnd.has(node) ? MAY_END : 0) | (node * 2 ** NODE_SHIFT);
    }
  }
  return steps;
}

/** The shortest code has five bits. */
export function huffmanDecodedBytesMax(encodedBytes: number): number {
  return Math.floor((encodedBytes * 8) / 5);
}

/**
 * @param into  has room for `huffmanDecodedBytesMax`
 * @returns how many bytes it is decoded, or -1: this is no code, or its padding is wrong
 */
export function huffmanDecode(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
): number {
  let length = 0;
  let step = MAY_END;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    step = STEPS[((step >>> NODE_SHIFT) << 4) | (byte >>> 4)] as number;
    if ((step & (SYMBOL | NO_WAY)) !== 0) {
      if ((step & NO_WAY) !== 0) return -1;
      into[length++] = step & 0xff;
    }
    step = STEPS[((step >>> NODE_SHIFT) << 4) | (byte & 15)] as number;
    if ((step & (SYMBOL | NO_WAY)) !== 0) {
      if ((step & NO_WAY) !== 0) return -1;
      into[length++] = step & 0xff;
    }
  }
  return (step & MAY_END) !== 0 ? length : -1;
}

/** @param text  one character a byte */
export function huffmanBytes(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += CODE_BITS[text.charCodeAt(i) & 0xff] as number;
  return Math.ceil(bits / 8);
}

/** Writes `huffmanBytes(text)` bytes. @returns the offset behind them */
export function huffmanEncode(text: string, into: Uint8Array, offset: number): number {
  let at = offset;
  /** Below 2^38: more than the operators for integers take. */
  let held = 0;
  let heldBits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 0xff;
    const bits = CODE_BITS[symbol] as number;
    held = held * 2 ** bits + (CODES[symbol] as number);
    heldBits += bits;
    while (heldBits >= 8) {
      heldBits -= 8;
      const unit = 2 ** heldBits;
      into[at++] = Math.floor(held / unit);
      held %= unit;
    }
  }
  if (heldBits > 0) into[at++] = (held << (8 - heldBits)) | (0xff >>> heldBits);
  return at;
}
