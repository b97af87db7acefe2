/** What stands in quotes, as Go reads its string literals: the opposite of `quoted`. */
import { rawBytes } from "./raw-text.ts";

const SHORT: ReadonlyMap<string, number> = new Map([
  ["a", 0x07],
  ["b", 0x08],
  ["f", 0x0c],
  ["n", 0x0a],
  ["r", 0x0d],
  ["t", 0x09],
  ["v", 0x0b],
  ["\\", 0x5c],
  ['"', 0x22],
]);

const PIECE =
  /[^"\\\n]+|\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;

/** @param text  with its quotes, `"…"` or `` `…` `` @returns undefined if Go does not take it */
export function unquoted(text: string): Uint8Array | undefined {
  const quote = text[0];
  if (text.length < 2 || text.at(-1) !== quote) return undefined;
  const inside = text.slice(1, -1);
  if (quote === "`")
    return inside.includes("`") ? undefined : rawBytes(inside.replaceAll("\r", ""));
  if (quote !== '"') return undefined;
  const pieces: Uint8Array[] = [];
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < inside.length) {
    const match = PIECE.exec(inside);
    const piece = match === null ? undefined : pieceBytes(match);
    if (piece === undefined) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function pieceBytes([whole, short, hex, octal, u4, u8]: RegExpExecArray): Uint8Array | undefined {
  if (short !== undefined) {
    const code = SHORT.get(short);
    return code === undefined ? undefined : Buffer.of(code);
  }
  if (hex !== undefined) return Buffer.of(Number.parseInt(hex, 16));
  if (octal !== undefined) return Buffer.of(Number.parseInt(octal, 8));
  const digits = u4 ?? u8;
  if (digits === undefined) return rawBytes(whole);
  const code = Number.parseInt(digits, 16);
  const isCharacter = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isCharacter ? Buffer.from(String.fromCodePoint(code)) : undefined;
}
