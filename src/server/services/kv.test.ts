import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryTree } from "../../../native-free/memory-tree.ts";
import { DecodedMessage } from "../../../test/support/decoded-message.ts";
import { ErrorDisk } from "../../../test/support/error-disk.ts";
import { type Answer, callFake, startFake } from "../../../test/support/fake-call.ts";
import { utf8 } from "../../base/bytes.ts";
import { Strata } from "../../engine/strata.ts";
import type { Service } from "../../grpc/service.ts";
import {
  encodeCompaction,
  encodeDeleteRange,
  encodePut,
  encodeRange,
  encodeTxn,
} from "../../proto/kv-requests.ts";
import {
  ALL_FROM,
  CompareResult,
  CompareTarget,
  type DeleteRangeRequest,
  NO_END,
  type PutRequest,
  type RangeRequest,
  type TxnRequest,
} from "../../proto/messages.ts";
import { kvService } from "./kv.ts";
import { ServiceContext } from "./service-context.ts";

let store: Strata;
let context: ServiceContext;
let kv: Service;

beforeEach(async () => {
  store = await Strata.open({ memory: true });
  context = new ServiceContext(store.member);
  kv = kvService(context);
});

afterEach(async () => {
  context.timeout.close();
  await store.close();
});

const put = (key: string, value: string, more: Partial<PutRequest> = {}): PutRequest => ({
  kind: "put",
  key: utf8(key),
  value: utf8(value),
  lease: 0n,
  prevKv: false,
  ignoreValue: false,
  ignoreLease: false,
  ...more,
});

const range = (key: string, more: Partial<RangeRequest> = {}): RangeRequest => ({
  kind: "range",
  key: utf8(key),
  rangeEnd: NO_END,
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  serializable: false,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
  ...more,
});

const deletion = (key: string, more: Partial<DeleteRangeRequest> = {}): DeleteRangeRequest => ({
  kind: "deleteRange",
  key: utf8(key),
  rangeEnd: NO_END,
  prevKv: false,
  ...more,
});

const all = { rangeEnd: ALL_FROM };

function only({ code, message, messages }: Answer): DecodedMessage {
  expect({ code, message }).toEqual({ code: 0, message: "" });
  expect(messages).toHaveLength(1);
  return new DecodedMessage(messages[0] as Buffer);
}

async function doPut(request: PutRequest): Promise<DecodedMessage> {
  return only(await callFake(kv, "Put", encodePut(request)));
}

async function doRange(request: RangeRequest): Promise<DecodedMessage> {
  return only(await callFake(kv, "Range", encodeRange(request)));
}

async function refusal(method: string, request: Uint8Array): Promise<[number, string]> {
  const { code, message, messages } = await callFake(kv, method, request);
  expect(messages).toEqual([]);
  return [code, message];
}

test("a put answers with the header of the member and the new revision, and is read back", async () => {
  const answer = await doPut(put("k", "v"));
  const header = answer.message(1);
  const { cluster, term } = store.member;
  expect(BigInt.asUintN(64, cluster.id)).toBe(cluster.id);
  expect([header.number(3), header.number(4)]).toEqual([2, term]);
  expect(header.has(1) && header.has(2)).toBe(true);
  expect(answer.has(2)).toBe(false);
  const found = await doRange(range("k"));
  expect([found.number(4), found.bool(3), found.message(1).number(3)]).toEqual([1, false, 2]);
  const pair = found.message(2);
  expect([pair.text(1), pair.text(5), pair.number(2), pair.number(4)]).toEqual(["k", "v", 2, 1]);
});

test("prev_kv comes with puts and deletes that ask for it", async () => {
  await doPut(put("a", "1"));
  const second = await doPut(put("a", "2", { prevKv: true }));
  expect(second.message(2).text(5)).toBe("1");
  await doPut(put("b", "3"));
  const request = encodeDeleteRange(deletion("a", { ...all, prevKv: true }));
  const deleted = only(await callFake(kv, "DeleteRange", request));
  expect(deleted.number(2)).toBe(2);
  expect(deleted.messages(3).map((pair) => pair.text(5))).toEqual(["2", "3"]);
  expect(deleted.message(1).number(3)).toBe(5);
});

test("limit, more and count", async () => {
  for (const key of ["a", "b", "c"]) await doPut(put(key, key));
  const some = await doRange(range("a", { ...all, limit: 2 }));
  expect(some.messages(2).map((pair) => pair.text(1))).toEqual(["a", "b"]);
  expect([some.bool(3), some.number(4)]).toEqual([true, 3]);
  const count = await doRange(range("a", { ...all, countOnly: true }));
  expect([count.messages(2).length, count.number(4)]).toEqual([0, 3]);
});

test("a large range comes in parts, whole and in order", async () => {
  const value = "v".repeat(5000);
  const large = "l".repeat(40_000);
  for (let i = 0; i < 40; i++) await doPut(put(`k${100 + i}`, i % 8 === 3 ? large : value));
  const call = startFake(kv, "Range", encodeRange(range("k", all)));
  await call.whenEnded();
  expect(call.parts[0]).toBeGreaterThan(5);
  const found = new DecodedMessage(call.messages[0] as Buffer);
  expect(found.number(4)).toBe(40);
  expect(found.message(1).number(3)).toBe(41);
  const pairs = found.messages(2);
  expect(pairs.map((pair) => pair.text(1))).toEqual(pairs.map((_, i) => `k${100 + i}`));
  expect(pairs.every((pair, i) => pair.text(5) === (i % 8 === 3 ? large : value))).toBe(true);
});

test("a range is answered in steps, while others are answered in between, and one revision is read", async () => {
  const keys = Array.from({ length: 10_000 }, (_, i) => `k${100_000 + i}`);
  await Promise.all(keys.map((key) => store.member.put(put(key, "value"))));
  const calls = Array.from({ length: 8 }, () =>
    startFake(kv, "Range", encodeRange(range("k", all))),
  );
  expect(calls.every(({ ended }) => ended)).toBe(false);
  const small = await doRange(range("k100007"));
  expect(small.number(4)).toBe(1);
  expect(calls.some(({ ended }) => !ended)).toBe(true);
  await doPut(put("k2", "later"));
  for (const call of calls) {
    expect(await call.whenEnded()).toMatchObject({ code: 0 });
    // Each put was a revision: whenever it was begun, the header says what was read.
    const found = new DecodedMessage(call.messages[0] as Buffer);
    expect(found.number(4)).toBe(found.message(1).number(3) - 1);
    expect(found.messages(2)).toHaveLength(found.number(4));
  }
});

test("a call that has ended is not worked for any more", async () => {
  for (let i = 0; i < 2000; i++) await doPut(put(`k${i}`, "value"));
  const calls = Array.from({ length: 50 }, () =>
    startFake(kv, "Range", encodeRange(range("k", all))),
  );
  for (const call of calls) call.cancel();
  await doRange(range("k", all));
  expect(context.turns.size).toBe(0);
  expect(calls.filter(({ messages }) => messages.length === 0).length).toBeGreaterThan(0);
});

test("a transaction's operations carry the revision alone, one inside it an empty header", async () => {
  await doPut(put("a", "1"));
  const inner: TxnRequest = { kind: "txn", compare: [], success: [put("c", "3")], failure: [] };
  const txn: TxnRequest = {
    kind: "txn",
    compare: [
      {
        result: CompareResult.equal,
        target: CompareTarget.value,
        key: utf8("a"),
        rangeEnd: NO_END,
        operand: { target: 3, value: utf8("1") },
      },
    ],
    success: [put("b", "2", { prevKv: true }), range("a"), deletion("a"), inner],
    failure: [],
  };
  const answer = only(await callFake(kv, "Txn", encodeTxn(txn)));
  expect(answer.bool(2)).toBe(true);
  expect(answer.message(1).number(3)).toBe(3);
  const ops = answer.messages(3);
  expect(ops).toHaveLength(4);
  const [putOp, rangeOp, deleteOp, txnOp] = ops.map((op, i) => op.message([2, 1, 3, 4][i] ?? 0));
  for (const op of [putOp, rangeOp, deleteOp]) {
    const header = op?.message(1);
    expect([header?.has(1), header?.has(2), header?.number(3), header?.has(4)]).toEqual([
      false,
      false,
      3,
      false,
    ]);
  }
  expect(rangeOp?.message(2).text(5)).toBe("1");
  expect(deleteOp?.number(2)).toBe(1);
  expect(txnOp?.has(1)).toBe(true);
  expect(txnOp?.all(1)[0]).toHaveLength(0);
  expect(txnOp?.messages(3)[0]?.message(2).message(1).number(3)).toBe(3);
});

test("errors are etcd's", async () => {
  await doPut(put("a", "1"));
  expect(await refusal("Put", encodePut(put("", "v")))).toEqual([
    3,
    "etcdserver: key is not provided",
  ]);
  expect(await refusal("Range", encodeRange(range("a", { revision: 9 })))).toEqual([
    11,
    "etcdserver: mvcc: required revision is a future revision",
  ]);
  expect(await refusal("Range", encodeRange(range("a", { ...all, revision: 9 })))).toEqual([
    11,
    "etcdserver: mvcc: required revision is a future revision",
  ]);
  expect(await refusal("Put", encodePut(put("a", "", { lease: 7n })))).toEqual([
    5,
    "etcdserver: requested lease not found",
  ]);
  const compaction = encodeCompaction({ kind: "compaction", revision: 9, physical: false });
  expect((await refusal("Compact", compaction))[0]).toBe(11);
  const [code, text] = await refusal("Put", Uint8Array.of(0x0a, 0xff));
  expect(code).toBe(13);
  expect(text).toMatch(/^grpc: error unmarshalling request: /);
});

test("a token is refused while auth is off, under both its names", async () => {
  for (const name of ["token", "authorization"]) {
    const options = { metadata: { [name]: "abc.1" } };
    for (const [method, request] of [
      ["Range", encodeRange(range("a"))],
      ["RangeStream", encodeRange(range("a"))],
      ["Put", encodePut(put("a", ""))],
      ["DeleteRange", encodeDeleteRange(deletion("a"))],
      ["Txn", encodeTxn({ kind: "txn", compare: [], success: [], failure: [] })],
      ["Compact", encodeCompaction({ kind: "compaction", revision: 1, physical: false })],
    ] as const) {
      expect(await callFake(kv, method, request, options)).toMatchObject({
        code: 16,
        message: "etcdserver: invalid auth token",
      });
    }
  }
});

test("a physical compaction answers when it is done", async () => {
  for (let i = 0; i < 10; i++) await doPut(put("a", String(i)));
  const request = encodeCompaction({ kind: "compaction", revision: 8, physical: true });
  const answer = only(await callFake(kv, "Compact", request));
  expect(answer.message(1).number(3)).toBe(11);
  expect(await refusal("Range", encodeRange(range("a", { revision: 7 })))).toEqual([
    11,
    "etcdserver: mvcc: required revision has been compacted",
  ]);
});

/** What a client makes of a stream: see api.md 4.7. */
function merged(messages: readonly Buffer[]): { keys: string[]; last: DecodedMessage } {
  const pages = messages.map((bytes) => new DecodedMessage(bytes).message(1));
  const last = pages.pop() as DecodedMessage;
  for (const page of pages) {
    expect([page.has(1), page.has(3), page.has(4), page.has(2)]).toEqual([
      false,
      false,
      false,
      true,
    ]);
  }
  const keys = [...pages, last].flatMap((page) => page.messages(2).map((pair) => pair.text(1)));
  return { keys, last };
}

test("a range stream is what a range would have been, in bounded messages of one revision", async () => {
  const value = "v".repeat(3000);
  for (let i = 0; i < 300; i++) await doPut(put(`k${1000 + i}`, value));
  const call = startFake(kv, "RangeStream", encodeRange(range("k", all)));
  await doPut(put("k1000x", "later"));
  expect(await call.whenEnded()).toMatchObject({ code: 0 });
  expect(call.messages.length).toBeGreaterThan(3);
  expect(Math.max(...call.messages.map(({ length }) => length))).toBeLessThan(300_000);
  const { keys, last } = merged(call.messages);
  expect(keys).toEqual(Array.from({ length: 300 }, (_, i) => `k${1000 + i}`));
  expect([last.number(4), last.bool(3), last.message(1).number(3)]).toEqual([300, false, 301]);
});

test("a range stream waits for a client that does not read", async () => {
  const value = "v".repeat(100_000);
  for (let i = 0; i < 30; i++) await doPut(put(`k${10 + i}`, value));
  const call = startFake(kv, "RangeStream", encodeRange(range("k", all)), { full: true });
  await doPut(put("other", ""));
  expect(call.messages).toHaveLength(1);
  expect(call.ended).toBe(false);
  call.setFull(false);
  await call.whenEnded();
  expect(merged(call.messages).keys).toHaveLength(30);
});

test("a range stream counts the whole range, limit or not", async () => {
  for (let i = 0; i < 10; i++) await doPut(put(`k${i}`, "v"));
  for (const [more, keys, hasMore] of [
    [{ limit: 4 }, 4, true],
    [{ limit: 10 }, 10, false],
    [{ countOnly: true }, 0, false],
    [{ keysOnly: true }, 10, false],
  ] as const) {
    const request = encodeRange(range("k", { ...all, ...more }));
    const found = merged((await callFake(kv, "RangeStream", request)).messages);
    expect(found.keys).toHaveLength(keys);
    expect([found.last.bool(3), found.last.number(4)]).toEqual([hasMore, 10]);
  }
});

test("a range stream refuses orders and filters in etcd's words", async () => {
  const order: [number, string] = [12, "RangeStream does not support custom sort orders"];
  const filter: [number, string] = [12, "RangeStream does not support revision filters"];
  const refused = (more: Partial<RangeRequest>): Promise<[number, string]> =>
    refusal("RangeStream", encodeRange(range("k", { ...all, ...more })));
  expect(await refused({ sortOrder: 2 })).toEqual(order);
  expect(await refused({ sortTarget: 3, minModRevision: 1 })).toEqual(order);
  expect(await refused({ maxCreateRevision: 5 })).toEqual(filter);
  expect((await refused({ sortOrder: 9 }))[1]).toBe("etcdserver: invalid sort option");
  expect((await callFake(kv, "RangeStream", encodeRange(range("k", { sortOrder: 1 })))).code).toBe(
    0,
  );
});

test("whoever asks whether it is well is told that it cannot write any more; all else is read", async () => {
  const disk = new ErrorDisk(new MemoryTree());
  const broken = await Strata.open({ disk }, { unsafeNoFsync: true, log: () => undefined });
  const its = new ServiceContext(broken.member);
  const get = (key: string, serializable = false): Promise<Answer> =>
    callFake(kvService(its), "Range", encodeRange(range(key, { serializable })));
  await broken.put("k", "v");
  expect(await get("health")).toMatchObject({ code: 0 });
  disk.arm({ operations: "write", code: "EIO", nth: 1, lasts: "from then on" });
  await expect(broken.put("k", "w")).rejects.toThrow("a write failed");
  expect(await get("health")).toMatchObject({
    code: 14,
    message: expect.stringContaining("a write failed"),
  });
  expect(await get("health", true)).toMatchObject({ code: 0 });
  expect(await get("k")).toMatchObject({ code: 0 });
  its.timeout.close();
  await broken.member.abandon();
});
