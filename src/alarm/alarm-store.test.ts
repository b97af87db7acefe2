import { expect, test } from "vitest";
import { ALARM } from "../backend/buckets.ts";
import { hex } from "../base/bytes.ts";
import {
  AlarmAction,
  AlarmType,
  NO_END,
  type PutRequest,
  type RangeRequest,
  type Request,
  type RequestOp,
  type TxnRequest,
} from "../proto/messages.ts";
import { decodeAlarm } from "./alarm-record.ts";
import { AlarmStore } from "./alarm-store.ts";

const MEMBER = 0x886b_9325_9c9d_9a15n;

/** Rows of one bucket, keys in hex. */
class Rows {
  readonly keys = new Map<string, Uint8Array>();

  putRow(bucket: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    expect([bucket, value.length]).toEqual([ALARM, 0]);
    this.keys.set(hex(key), key);
  }

  deleteRow(bucket: Uint8Array, key: Uint8Array): void {
    expect(bucket).toBe(ALARM);
    this.keys.delete(hex(key));
  }
}

function alarm(action: number, type: number, memberId = MEMBER) {
  return { kind: "alarm", action, memberId, alarm: type } as const;
}

test("activated alarms are rows as etcd writes them, and come back from them", () => {
  const store = new AlarmStore();
  const rows = new Rows();
  const noSpace = { memberId: MEMBER, alarm: AlarmType.noSpace };
  expect(store.apply(alarm(AlarmAction.activate, AlarmType.noSpace), rows)).toEqual([noSpace]);
  expect(store.apply(alarm(AlarmAction.activate, AlarmType.noSpace), rows)).toEqual([noSpace]);
  store.apply(alarm(AlarmAction.activate, AlarmType.corrupt, 0n), rows);
  store.apply(alarm(AlarmAction.activate, AlarmType.noSpace, 7n), rows);
  expect([...rows.keys.keys()].sort()).toEqual(["08071001", "0895b4f6e4d9e4e4b588011001", "1002"]);

  const again = new AlarmStore();
  for (const key of rows.keys.values()) expect(again.load(key)).toBe(true);
  expect(again.load(new Uint8Array([0x0f]))).toBe(false);
  expect(again.get()).toEqual(store.get());
  expect(again.get()).toEqual([
    { memberId: 7n, alarm: AlarmType.noSpace },
    noSpace,
    { memberId: 0n, alarm: AlarmType.corrupt },
  ]);
  expect(again.apply(alarm(AlarmAction.get, AlarmType.corrupt), rows)).toEqual([
    { memberId: 0n, alarm: AlarmType.corrupt },
  ]);
  expect(decodeAlarm(rows.keys.get("1002") as Uint8Array)).toEqual({
    memberId: 0n,
    alarm: "CORRUPT",
  });
});

test("deactivating takes exactly that member's alarm away, and its row", () => {
  const store = new AlarmStore();
  const rows = new Rows();
  store.activate({ memberId: 1n, alarm: AlarmType.noSpace }, rows);
  store.activate({ memberId: 2n, alarm: AlarmType.noSpace }, rows);
  const deactivate = (type: number, memberId: bigint) =>
    store.apply(alarm(AlarmAction.deactivate, type, memberId), rows);
  expect(deactivate(AlarmType.corrupt, 1n)).toEqual([]);
  expect(deactivate(AlarmType.none, 1n)).toEqual([]);
  expect(deactivate(AlarmType.noSpace, 1n)).toHaveLength(1);
  expect([store.has(AlarmType.noSpace), rows.keys.size]).toEqual([true, 1]);
  expect(deactivate(AlarmType.noSpace, 2n)).toHaveLength(1);
  expect(deactivate(AlarmType.noSpace, 2n)).toEqual([]);
  expect([store.has(AlarmType.noSpace), rows.keys.size]).toEqual([false, 0]);
});

test("NONE is never activated, a type without a name is kept, an unknown action does nothing", () => {
  const store = new AlarmStore();
  const rows = new Rows();
  expect(store.apply(alarm(AlarmAction.activate, AlarmType.none), rows)).toEqual([]);
  expect(store.apply(alarm(7, AlarmType.noSpace), rows)).toEqual([]);
  expect(rows.keys.size).toBe(0);
  expect(store.apply(alarm(AlarmAction.activate, -3, 1n), rows)).toHaveLength(1);
  const again = new AlarmStore();
  for (const key of rows.keys.values()) again.load(key);
  expect(again.get()).toEqual([{ memberId: 1n, alarm: -3 }]);
});

const key = new Uint8Array([1]);
const range = { kind: "range", key, rangeEnd: NO_END } as RangeRequest;
const put = { kind: "put", key, value: key, lease: 0n } as PutRequest;
const deleteRange = { kind: "deleteRange", key, rangeEnd: NO_END, prevKv: false } as const;
const none = { kind: "none" } as const;

function txn(success: readonly RequestOp[], failure: readonly RequestOp[] = []): TxnRequest {
  return { kind: "txn", compare: [], success, failure };
}

test("what each alarm forbids", () => {
  // In the order: no alarm, NOSPACE, CORRUPT, both.
  const cases: readonly (readonly [string, Request, string])[] = [
    ["range", range, "- - - -"],
    ["put", put, "- S C C"],
    ["delete", deleteRange, "- - C C"],
    ["txn of nothing", txn([]), "- - - -"],
    ["txn of ranges", txn([range], [range]), "- - - -"],
    ["txn with a delete", txn([range], [deleteRange]), "- - C C"],
    ["txn with a put in the other branch", txn([range], [put]), "- S C C"],
    ["txn with an inner put", txn([txn([], [put])]), "- S C C"],
    ["txn with an inner range", txn([txn([range])]), "- - C C"],
    ["txn with an empty operation", txn([none]), "- - C C"],
    ["compaction", { kind: "compaction", revision: 1, physical: false }, "- - C C"],
    ["grant", { kind: "leaseGrant", ttl: 5, id: 1n }, "- S C C"],
    ["revoke", { kind: "leaseRevoke", id: 1n }, "- - C C"],
    ["checkpoint", { kind: "leaseCheckpoint", checkpoints: [] }, "- - - -"],
    ["alarm", alarm(AlarmAction.deactivate, AlarmType.noSpace), "- - - -"],
    ["auth", { kind: "auth", field: 1000, bytes: key }, "- - - -"],
    ["version", { kind: "clusterVersionSet", version: "3.4.0" }, "- - - -"],
  ];
  const rows = new Rows();
  const stores = [[], [AlarmType.noSpace], [AlarmType.corrupt], [2, 1]].map((types) => {
    const store = new AlarmStore();
    for (const type of types) store.activate({ memberId: MEMBER, alarm: type }, rows);
    return store;
  });
  const shown = { NO_SPACE: "S", CORRUPT_CLUSTER: "C" } as Readonly<Record<string, string>>;
  for (const [name, request, expected] of cases) {
    const verdicts = stores.map((store) => {
      const error = store.forbids(request);
      return error === undefined ? "-" : shown[error.code];
    });
    expect([name, verdicts.join(" ")]).toEqual([name, expected]);
  }
  expect(stores[1]?.forbids(put)?.message).toBe("etcdserver: mvcc: database space exceeded");
  expect(stores[2]?.forbids(put)?.grpcStatus).toBe(15);
});
