/** Our encoder against our decoder, and blocks that no encoder should send. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { HeaderList } from "../exchange.ts";
import { CompressionError, HpackDecoder } from "./decoder.ts";
import { HpackEncoder, writeInteger } from "./encoder.ts";

function decode(decoder: HpackDecoder, block: Buffer): [string, string][] {
  const fields: [string, string][] = [];
  decoder.decode(block, 0, block.length, {
    field: ({ name, value }) => void fields.push([name, value]),
  });
  return fields;
}

function encode(encoder: HpackEncoder, list: HeaderList): Buffer {
  const room = Buffer.alloc(encoder.bytesMax(list));
  const end = encoder.encode(list, room, 0);
  expect(end).toBeLessThanOrEqual(room.length);
  return room.subarray(0, end);
}

const HEAD: HeaderList = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];
const TRAILERS: HeaderList = [["grpc-status", "0"]];

test("what returns costs a byte each", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096);
  for (const list of [HEAD, TRAILERS, HEAD, TRAILERS]) {
    expect(decode(decoder, encode(encoder, list))).toEqual(list);
  }
  expect(encode(encoder, HEAD)).toHaveLength(2);
  expect(encode(encoder, TRAILERS)).toHaveLength(1);
});

test("what varies stays out of the peer's table", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096);
  decode(decoder, encode(encoder, TRAILERS));
  const { changes } = encoder;
  for (let i = 0; i < 100; i++) {
    const list: HeaderList = [
      ["grpc-status", "0"],
      ["grpc-message", `no ${i}`],
    ];
    expect(decode(decoder, encode(encoder, list))).toEqual(list);
  }
  expect(encoder.changes).toBe(changes);
  expect(decoder.table.count).toBe(1);
});

test("a table that is full is left as it is", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096);
  for (let i = 0; i < 500; i++) {
    const list: HeaderList = [["x-field", `value ${i}`]];
    expect(decode(decoder, encode(encoder, list))).toEqual(list);
  }
  expect(decoder.table.bytes).toBeLessThanOrEqual(4096);
  const { changes } = encoder;
  expect(encode(encoder, [["x-field", "value 0"]]).length).toBeLessThan(3);
  encode(encoder, [["x-field", "another"]]);
  expect(encoder.changes).toBe(changes);
});

test("lists of any fields come back, while the table is made smaller now and then", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const value = fc
    .uint8Array({ maxLength: 60 })
    .map((bytes) => Buffer.from(bytes).toString("latin1"));
  const list = fc.array(fc.tuple(name, value), { maxLength: 6 });
  const step = fc.oneof(
    { weight: 8, arbitrary: list.map((fields) => ({ fields })) },
    { weight: 1, arbitrary: fc.nat(5000).map((bytesMax) => ({ bytesMax })) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(4096);
      for (const each of steps) {
        if ("bytesMax" in each) encoder.limit(each.bytesMax);
        else expect(decode(decoder, encode(encoder, each.fields))).toEqual(each.fields);
      }
    }),
  );
});

test("integers of every size", () => {
  for (const value of [0, 30, 31, 32, 127, 128, 255, 1337, 65_536, 2 ** 27]) {
    const room = Buffer.alloc(8);
    const end = writeInteger(room, 0, 0x20, 0x1f, value);
    const decoder = new HpackDecoder(2 ** 28);
    decode(decoder, room.subarray(0, end));
    expect(decoder.table.bytesMax).toBe(value);
  }
});

test.each([
  ["index 0", "80"],
  ["an index beyond both tables", "be"],
  ["a name beyond both tables", "7f0061"],
  ["a string that ends early", "400a6375"],
  ["a name without a value", "4001 61"],
  ["an integer that ends early", "ff"],
  ["an integer without an end", "ffffffffffffffffff0f"],
  ["a table larger than agreed", "3fe21f"],
  ["a size update behind a field", "8220"],
  ["bad padding", "4001618100"],
  ["the end of a string within it", "40016184fffffffc"],
])("%s is an error", (_, hex) => {
  const decoder = new HpackDecoder(4096);
  expect(() => decode(decoder, Buffer.from(hex.replaceAll(" ", ""), "hex"))).toThrow(
    CompressionError,
  );
});

test("random bytes are fields or an error, and the table keeps its size", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 10 }), (blocks) => {
      const decoder = new HpackDecoder(200);
      for (const block of blocks) {
        try {
          decode(decoder, Buffer.from(block));
        } catch (error) {
          expect(error).toBeInstanceOf(CompressionError);
        }
        expect(decoder.table.bytes).toBeLessThanOrEqual(200);
      }
    }),
    { numRuns: 1000 },
  );
});
