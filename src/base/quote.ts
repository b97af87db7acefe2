/**
 * Bytes as text that stands on one line, in the way of Go's `%q`, by which operators know etcd's logs: printable text
 * as it is, the rest as `\n`, `\x00`, `\u200b`.
 */

import { latin1 } from "./bytes.ts";

const PLAIN = /^[ !#-[\]-~]*$/;
const ASCII = /^[ -~]*$/;
/** What Go's `strconv.IsPrint` lets through: letters, marks, numbers, punctuation, symbols, and the one space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const ALL_PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

const SHORT: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** In quotes, and without anything that a terminal would obey. */
export function quoted(bytes: Uint8Array): string {
  const plain = latin1(bytes);
  if (PLAIN.test(plain)) return `"${plain}"`;
  const text = decoded(bytes);
  let out = '"';
  if (text !== undefined) {
    for (const character of text) out += escaped(character);
    return `${out}"`;
  }
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceBytes(bytes[at] as number);
    const character =
      at + length > bytes.length ? undefined : decoded(bytes.subarray(at, at + length));
    if (character === undefined) {
      out += `\\x${(bytes[at] as number).toString(16).padStart(2, "0")}`;
      at++;
    } else {
      out += escaped(character);
      at += length;
    }
  }
  return `${out}"`;
}

/** The bytes as text, if that is printable and nothing is lost. */
export function printableText(bytes: Uint8Array): string | undefined {
  const plain = latin1(bytes);
  if (ASCII.test(plain)) return plain;
  const text = decoded(bytes);
  return text !== undefined && ALL_PRINTABLE.test(text) ? text : undefined;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** How long a UTF-8 sequence claims to be by its first byte. */
function sequenceBytes(first: number): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

function escaped(character: string): string {
  const short = SHORT.get(character);
  if (short !== undefined) return short;
  if (PRINTABLE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x1_0000
    ? `\\u${code.toString(16).padStart(4, "0")}`
    : `\\U${code.toString(16).padStart(8, "0")}`;
}
