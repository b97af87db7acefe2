/**
 * The end of a prefix's range was made by changing a slice of the prefix, which for a Buffer, and so for every string,
 * is no copy: key and end became the same, and a range, a delete or a watch of a prefix found nothing.
 */
import { expect, test } from "vitest";
import { requestRange } from "../../src/engine/key-range.ts";
import { Strata } from "../../src/index.ts";

test("a prefix keeps its bytes, whatever they are in", () => {
  for (const prefix of ["ab", Buffer.from("ab"), new Uint8Array([0x61, 0x62])]) {
    const { key, rangeEnd } = requestRange({ prefix });
    expect(Buffer.from(key).toString()).toBe("ab");
    expect(Buffer.from(rangeEnd).toString()).toBe("ac");
  }
  const mine = Buffer.from([0x61, 0xff]);
  const { rangeEnd } = requestRange({ prefix: mine });
  expect([...rangeEnd]).toEqual([0x62]);
  expect([...mine]).toEqual([0x61, 0xff]);
});

test("a range, a count and a delete of a prefix find its keys", async () => {
  await using store = await Strata.open({ memory: true });
  for (const key of ["a", "aa", "ab", "b"]) await store.put(key, "v");
  expect(await store.count({ prefix: "a" })).toBe(3);
  expect((await store.rangeAll({ prefix: "a" })).kvs.map(({ key }) => String(key))).toHaveLength(3);
  expect((await store.delete({ prefix: "a" })).deleted).toBe(3);
});
