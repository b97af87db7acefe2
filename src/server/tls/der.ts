/**
 * As much of ASN.1's DER as certificates and revocation lists need, written and read. A value here is its bytes, tag and
 * length included.
 *
 * @see ITU-T X.690
 */

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

type Bytes = Uint8Array;

export function der(tag: number, ...content: readonly Bytes[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const digits = body.length.toString(16);
  const length = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, body]);
}

export const sequence = (...items: readonly Bytes[]): Buffer => der(Tag.sequence, ...items);
export const set = (...items: readonly Bytes[]): Buffer => der(Tag.set, ...items);
export const octetString = (bytes: Bytes): Buffer => der(Tag.octetString, bytes);
export const utf8String = (text: string): Buffer => der(Tag.utf8String, Buffer.from(text));
export const TRUE: Buffer = der(Tag.boolean, Buffer.of(0xff));

/** @param unusedBits  at the end */
export function bitString(bytes: Bytes, unusedBits = 0): Buffer {
  return der(Tag.bitString, Buffer.of(unusedBits), bytes);
}

/** @param bytes  of a number that is not negative, the highest first */
export function integer(bytes: Bytes): Buffer {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from++;
  const plain = bytes.subarray(from);
  const isHigh = ((plain[0] ?? 0) & 0x80) !== 0;
  return der(Tag.integer, isHigh ? Buffer.of(0) : Buffer.of(), plain);
}

export function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(Tag.objectId, Buffer.from(bytes));
}

/** Up to 2049 in the old form, as certificates must. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  if (date.getUTCFullYear() < 2050) return der(Tag.utcTime, Buffer.from(digits.slice(2)));
  return der(Tag.generalizedTime, Buffer.from(digits));
}

/** `[n]`, around a whole value or in its place. */
export function tagged(n: number, content: Bytes, constructed = true): Buffer {
  return der((constructed ? 0xa0 : 0x80) | n, content);
}

export interface DerValue {
  readonly tag: number;
  readonly content: Bytes;
}

/** It is no DER. */
export class DerError extends Error {
  override readonly name: string = "DerError";
}

/** The values that lie one after another in `bytes`. @throws DerError */
export function derValues(bytes: Bytes): DerValue[] {
  const values: DerValue[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] as number;
    let length = bytes[at + 1] ?? 0;
    at += 2;
    if (length >= 0x80) {
      const size = length & 0x7f;
      if (size === 0 || size > 4) throw new DerError("a length of a form that DER does not have");
      length = 0;
      for (let i = 0; i < size; i++) length = length * 256 + (bytes[at + i] ?? 0);
      at += size;
    }
    if (at + length > bytes.length) throw new DerError("it ends in the middle of a value");
    values.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return values;
}
