import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes, latin1, utf8 } from "../base/bytes.ts";
import { KeyTable } from "./key-table.ts";

/** Few letters, so that keys share beginnings and come twice. */
const key = fc.oneof(
  fc.uint8Array({ maxLength: 6, max: 2 }),
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ maxLength: 5 }).map((text) => utf8(`/registry/pods/${text}`)),
);

test("an entry is the place of a key's first arrival, as in a Map", () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200 }), (keys) => {
      const table = new KeyTable();
      const model = new Map<string, number>();
      for (const each of keys) {
        const name = latin1(each);
        expect(table.find(each, 0, each.length)).toBe(model.get(name) ?? -1);
        if (!model.has(name)) model.set(name, model.size);
        expect(table.add(each, 0, each.length)).toBe(model.get(name));
      }
      expect(table.count).toBe(model.size);
      for (const [name, entry] of model) {
        expect(latin1(table.key(entry))).toBe(name);
        expect(table.keyBytes(entry)).toBe(name.length);
      }
    }),
  );
});

test("sorting gives byte order", () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 300 }), (keys) => {
      const table = new KeyTable();
      for (const each of keys) table.add(each, 0, each.length);
      const entries = Uint32Array.from({ length: table.count }, (_, i) => i);
      table.sort(entries);
      const unique = [...new Map(keys.map((each) => [latin1(each), each])).values()];
      const expected = unique.sort(compareBytes).map((each) => latin1(each));
      expect(Array.from(entries, (entry) => latin1(table.key(entry)))).toEqual(expected);
    }),
  );
});

test("many keys with a beginning of 200,000 bytes in common are no danger to the stack", () => {
  const table = new KeyTable();
  const long = new Uint8Array(200_001);
  for (let i = 63; i >= 0; i--) {
    long[200_000] = i;
    table.add(long, 0, long.length);
  }
  const entries = Uint32Array.from({ length: table.count }, (_, i) => i);
  table.sort(entries);
  expect(Array.from(entries)).toEqual(Array.from({ length: 64 }, (_, i) => 63 - i));
});

test("it grows past its first size and keeps every key", () => {
  const table = new KeyTable();
  for (let i = 0; i < 20_000; i++) {
    const bytes = utf8(`key-${i}`);
    expect(table.add(bytes, 0, bytes.length)).toBe(i);
  }
  for (let i = 0; i < 20_000; i += 7) {
    const bytes = utf8(`  key-${i}`);
    expect(table.find(bytes, 2, bytes.length - 2)).toBe(i);
  }
});
