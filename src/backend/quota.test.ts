import { expect, test } from "vitest";
import type { PutRequest, RangeRequest, RequestOp, TxnRequest } from "../proto/messages.ts";
import { costOf, QUOTA_BYTES_DEFAULT, Quota } from "./quota.ts";

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

test("the quota is not to be reached; 0 is the default and below there is none", () => {
  const quota = new Quota(1000);
  const at = (size: number) => ({ size, sizeInUse: 10 });
  expect([quota.available(at(900), 99), quota.available(at(900), 100)]).toEqual([true, false]);
  expect([quota.available(at(5000), 0), quota.remaining(at(1200))]).toEqual([true, -200]);
  expect(new Quota().bytes).toBe(QUOTA_BYTES_DEFAULT);
  expect(new Quota(0).available(at(2 ** 31 - 65), 64)).toBe(true);
  expect(new Quota(0).available(at(2 ** 31 - 64), 64)).toBe(false);
  expect(new Quota(-1).available(at(2 ** 52), 2 ** 30)).toBe(true);
});

test("judged by what is in use, a file at the quota goes on once it has free pages", () => {
  const quota = new Quota(1000, "sizeInUse");
  expect(quota.available({ size: 1000, sizeInUse: 700 }, 299)).toBe(true);
  expect(quota.available({ size: 1000, sizeInUse: 700 }, 300)).toBe(false);
  expect(quota.remaining({ size: 1000, sizeInUse: 700 })).toBe(300);
});
