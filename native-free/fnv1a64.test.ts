import fc from "fast-check";
import { expect, test } from "vitest";
import { fnv1a64 } from "./fnv1a64.ts";

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

/** The definition, as it is written. */
function defined(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash;
}

/** Bytes 16 to 72 of a meta page in a new bbolt file: root page 3, freelist page 2, high-water mark 4. */
function pristineMeta(pageBytes: number, txid: number): Uint8Array {
  const meta = Buffer.alloc(56);
  meta.writeUInt32LE(0xed0cdaed, 0); // magic
  meta.writeUInt32LE(2, 4); // version
  meta.writeUInt32LE(pageBytes, 8);
  meta.writeBigUInt64LE(3n, 16); // root bucket's page
  meta.writeBigUInt64LE(2n, 32); // freelist page
  meta.writeBigUInt64LE(4n, 40); // high-water mark
  meta.writeBigUInt64LE(BigInt(txid), 48);
  return meta;
}

test.each([
  ["", 0xcbf29ce484222325n],
  ["a", 0xaf63dc4c8601ec8cn],
  ["b", 0xaf63df4c8601f1a5n],
  ["foobar", 0x85944171f73967e8n],
])("the published vector for %j", (text, hash) => {
  expect(fnv1a64(ascii(text))).toBe(hash);
});

test("the checksums that bbolt gives both metas of a new file of 4096-byte pages", () => {
  expect(fnv1a64(pristineMeta(4096, 0))).toBe(0x07516e114689fdeen);
  expect(fnv1a64(pristineMeta(4096, 1))).toBe(0x264c351a5179480fn);
});

test("any bytes hash as the definition says", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(fnv1a64(bytes)).toBe(defined(bytes));
    }),
  );
});

test("bytes of all ones, where every product is at its largest, stay exact", () => {
  const bytes = new Uint8Array(5000).fill(0xff);
  expect(fnv1a64(bytes)).toBe(defined(bytes));
});
