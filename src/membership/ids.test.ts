import { expect, test } from "vitest";
import { clusterId, memberId } from "./ids.ts";
import { RequestIds } from "./request-ids.ts";

test("the golden fixture's ids", () => {
  const id = memberId(["http://127.0.0.1:23800"], "tok");
  expect(id).toBe(0x25351fad42b3c84cn);
  expect(clusterId([id])).toBe(0x3d3fd201ef4996abn);
});

test("the restored cluster's, in any order", () => {
  const r1 = memberId(["http://127.0.0.1:33800"], "newtok");
  const r2 = memberId(["http://127.0.0.1:33801"], "newtok");
  expect([r1, r2]).toEqual([0x6dc1cbb84e0b2884n, 0x703fffe1beb81d81n]);
  expect(clusterId([r2, r1])).toBe(0xc63c9d7d173b9294n);
  expect(clusterId([r1, r2])).toBe(0xc63c9d7d173b9294n);
});

test("several URLs count in the order of their bytes; the time of joining counts", () => {
  const [a, b] = ["http://a:1", "http://b:1"];
  expect(memberId([a, b], "t")).toBe(memberId([b, a], "t"));
  expect(memberId([a], "t", 1_700_000_000.9)).toBe(memberId([a], "t", 1_700_000_000));
  expect(memberId([a], "t", 1_700_000_000)).not.toBe(memberId([a], "t"));
});

test("requests: member, milliseconds, count", () => {
  // The first ids of the golden log full.wal.
  const ids = new RequestIds(0x25351fad42b3c84cn, 0x01_a201_c76d_94);
  expect([ids.next(), ids.next()]).toEqual([0xc84ca201c76d9401n, 0xc84ca201c76d9402n]);
  expect(ids.nextLease()).toBe(0x484ca201c76d9403n);
  expect(new RequestIds(1n, 5, 7).next()).toBe(0x0001_0000_0000_0508n);
  const last = new RequestIds(0xffffn, 2 ** 40 - 1, 255);
  expect(last.next()).toBe(0xffff_0000_0000_0000n);
  // Zero is no lease.
  expect(new RequestIds(0x8000n, 2 ** 40 - 1, 255).nextLease()).toBe(1n);
  let before = 0n;
  const many = new RequestIds(3n, 2 ** 24 - 1, 250);
  for (let i = 0; i < 1000; i++) {
    const id = many.next();
    expect(id).toBeGreaterThan(before);
    before = id;
  }
});
