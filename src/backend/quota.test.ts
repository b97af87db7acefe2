import { expect, test } from "vitest";
import type { PutRequest, RangeRequest, RequestOp, TxnRequest } from "../proto/messages.ts";
import { costOf, QUOTA_BYTES_DEFAULT, Quota, type SpaceUse } from "./quota.ts";

function put(keyBytes: number, valueBytes: number): PutRequest {
  return {
    kind: "put",
    key: new Uint8Array(keyBytes),
    value: new Uint8Array(valueBytes),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  };
}

function txn(success: readonly RequestOp[], failure: readonly RequestOp[] = []): TxnRequest {
  return { kind: "txn", compare: [], success, failure };
}

const range = { kind: "range" } as RangeRequest;

test("what requests are charged", () => {
  expect(costOf(put(0, 0))).toBe(256);
  expect(costOf(put(3, 4))).toBe(263);
  expect(costOf({ kind: "leaseGrant", ttl: 1, id: 1n })).toBe(64);
  expect(costOf({ kind: "leaseRevoke", id: 1n })).toBe(0);
  expect(costOf({ kind: "compaction", revision: 1, physical: true })).toBe(0);
  expect(costOf(range)).toBe(0);
  expect(costOf(txn([range], []))).toBe(0);
});

test("a txn is charged its dearer branch, inner txns included", () => {
  expect(costOf(txn([put(1, 0), put(1, 0)], [put(1, 300)]))).toBe(557);
  expect(costOf(txn([put(1, 0), put(1, 0)], [put(1, 0)]))).toBe(514);
  expect(costOf(txn([put(0, 0), txn([put(0, 1)], [put(0, 2), range])]))).toBe(256 + 258);
  expect(costOf(txn([{ kind: "none" }]))).toBe(0);
});

const MIB = 2 ** 20;

function use(some: Partial<SpaceUse>): SpaceUse {
  const none = { sizeBytes: 0, reusableBytes: 0, pinnedBytes: 0, bufferedBytes: 0 };
  return { ...none, hasReaders: false, ...some };
}

test("the quota is not to be reached; 0 is the default and below there is none", () => {
  const quota = new Quota(1000);
  const at = (sizeBytes: number) => use({ sizeBytes, reusableBytes: 800, bufferedBytes: 5000 });
  expect([quota.available(at(900), 99), quota.available(at(900), 100)]).toEqual([true, false]);
  expect([quota.available(at(5000), 0), quota.remaining(at(1200))]).toEqual([true, -200]);
  expect(new Quota().bytes).toBe(QUOTA_BYTES_DEFAULT);
  expect(new Quota(0).available(at(2 ** 31 - 65), 64)).toBe(true);
  expect(new Quota(0).available(at(2 ** 31 - 64), 64)).toBe(false);
  expect(new Quota(-1).available(at(2 ** 52), 2 ** 30)).toBe(true);
  expect(new Quota(-1, "allocatable").available(at(2 ** 52), 2 ** 30)).toBe(true);
});

test("allocatable: free and pinned pages are room, and what is buffered is not", () => {
  const quota = new Quota(1000, "allocatable");
  const file = { sizeBytes: 1000, reusableBytes: 200, pinnedBytes: 100 };
  expect(quota.available(use(file), 299)).toBe(true);
  expect(quota.available(use(file), 300)).toBe(false);
  expect(quota.remaining(use({ ...file, bufferedBytes: 50 }))).toBe(250);
  expect(quota.remaining(use({ ...file, hasReaders: true }))).toBe(300);
  expect(quota.remaining(use({ sizeBytes: 3000, reusableBytes: 1000 }))).toBe(-1000);
});

test("allocatable: pages that are read are room until the file is twice the quota", () => {
  const quota = new Quota(100 * MIB, "allocatable");
  const read = (size: number, free: number, pinned: number, hasReaders = true): number => {
    const file = { sizeBytes: size * MIB, reusableBytes: free * MIB, pinnedBytes: pinned * MIB };
    return quota.remaining(use({ ...file, bufferedBytes: MIB, hasReaders })) / MIB;
  };
  expect(read(150, 0, 100)).toBe(49);
  expect(read(190, 0, 140)).toBe(9);
  expect(read(200, 0, 150)).toBe(-1);
  expect(read(250, 0, 200)).toBe(-1);
  expect(read(250, 20, 180)).toBe(19);
  expect(read(250, 0, 200, false)).toBe(49);
  const small = new Quota(MIB, "allocatable");
  const file = use({ sizeBytes: 60 * MIB, pinnedBytes: 60 * MIB, hasReaders: true });
  expect(small.remaining(file)).toBe(MIB);
});
