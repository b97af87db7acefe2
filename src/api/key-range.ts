/** How a caller names keys. */
import { latin1 } from "../base/bytes.ts";
import { StrataError } from "../base/errors.ts";
import { ALL_FROM, NO_END } from "../proto/messages.ts";

/** A string stands for its UTF-8 bytes. Not empty. */
export type Key = string | Uint8Array;

/**
 * One key; or many: those with a prefix ("" = all), or those from `start` on, up to but without `end` (none = to the
 * last; and so does "\0", which is how etcd says it).
 */
export type Keys =
  | Key
  | { readonly prefix: Key }
  | { readonly start: Key; readonly end?: Key | undefined };

/** As requests name a range. */
export interface RequestRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** The request's own: it is logged before it is applied, and both must be of the same bytes. */
export function bytesOf(key: Key): Uint8Array {
  return typeof key === "string" ? Buffer.from(key) : Buffer.from(key);
}

const ASCII = /^[\0-\x7f]*$/;

/** The same as the store has keys: a string of one character a byte. Only to look up with, not to be kept. */
export function textOf(key: Key): string {
  if (typeof key !== "string") return latin1(key);
  return ASCII.test(key) ? key : latin1(Buffer.from(key));
}

export function requestRange(keys: Keys): RequestRange {
  if (typeof keys === "string" || keys instanceof Uint8Array) {
    return { key: bytesOf(keys), rangeEnd: NO_END };
  }
  if ("prefix" in keys) return prefixRange(bytesOf(keys.prefix));
  if ("start" in keys) {
    const end = keys.end === undefined ? ALL_FROM : bytesOf(keys.end);
    const start = bytesOf(keys.start);
    return { key: start.length === 0 ? ALL_FROM : start, rangeEnd: end };
  }
  throw new StrataError("BAD_ARGUMENT", "keys are a key, { prefix } or { start, end }");
}

/** The end is the first key that is above all with the prefix: its last byte below 0xff one higher, the rest cut. */
function prefixRange(prefix: Uint8Array): RequestRange {
  if (prefix.length === 0) return { key: ALL_FROM, rangeEnd: ALL_FROM };
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return { key: prefix, rangeEnd: ALL_FROM };
  // Not `slice`: a Buffer's shares its bytes.
  const rangeEnd = Uint8Array.from(prefix.subarray(0, length));
  rangeEnd[length - 1] = (rangeEnd[length - 1] as number) + 1;
  return { key: prefix, rangeEnd };
}
