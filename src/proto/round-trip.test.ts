import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TXN_DEPTH_MAX } from "../base/limits.ts";
import { decodeRequest, encodeRequest, RequestEncoder } from "./internal-request.ts";
import { decodeKeyValueAt, keyValueBytesMax, putKeyValue, putTombstone } from "./key-value.ts";
import {
  decodeCompaction,
  decodeCompare,
  decodeDeleteRange,
  decodePut,
  decodeRange,
  decodeTxn,
  encodeCompaction,
  encodeCompare,
  encodeDeleteRange,
  encodePut,
  encodeRange,
  encodeTxn,
} from "./kv-requests.ts";
import { decodeAlarm, decodeLeaseGrant, encodeAlarm, encodeLeaseGrant } from "./lease-requests.ts";
import type { LoggedRequest, PutRequest, RequestOp, TxnRequest } from "./messages.ts";
import { decodeNormalEntry } from "./normal-entry.ts";
import { FieldWriter } from "./protobuf.ts";
import { encodeV2Put } from "./v2-request.ts";

/** One after the other; no Buffer, which vitest tells from other bytes. */
const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

const bytes = fc.uint8Array({ maxLength: 40 });
const int53 = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, 1, -1, 127, 128));
const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, 1));
const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constant(0n));
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(0n));
const text = fc.string({ unit: "grapheme", maxLength: 8 });
const of = <T extends string>(kind: T): fc.Arbitrary<T> => fc.constant(kind);

const range = fc.record({
  kind: of("range"),
  key: bytes,
  rangeEnd: bytes,
  limit: int53,
  revision: int53,
  sortOrder: int32,
  sortTarget: int32,
  serializable: fc.boolean(),
  keysOnly: fc.boolean(),
  countOnly: fc.boolean(),
  minModRevision: int53,
  maxModRevision: int53,
  minCreateRevision: int53,
  maxCreateRevision: int53,
});
const put = fc.record({
  kind: of("put"),
  key: bytes,
  value: bytes,
  lease: int64,
  prevKv: fc.boolean(),
  ignoreValue: fc.boolean(),
  ignoreLease: fc.boolean(),
});
const deleteRange = fc.record({
  kind: of("deleteRange"),
  key: bytes,
  rangeEnd: bytes,
  prevKv: fc.boolean(),
});
const compare = fc.record({
  result: int32,
  target: int32,
  key: bytes,
  rangeEnd: bytes,
  operand: fc.oneof(
    fc.constant(undefined),
    fc.record({ target: fc.constantFrom(0, 1, 2), number: int53 }),
    fc.record({ target: fc.constant(3), value: bytes }),
    fc.record({ target: fc.constant(4), lease: int64 }),
  ),
});
const { txn } = fc.letrec<{ txn: TxnRequest; op: RequestOp }>((tie) => ({
  txn: fc.record({
    kind: of("txn"),
    compare: fc.array(compare, { maxLength: 3 }),
    success: fc.array(tie("op"), { maxLength: 3 }),
    failure: fc.array(tie("op"), { maxLength: 3 }),
  }) as fc.Arbitrary<TxnRequest>,
  op: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    put,
    range,
    deleteRange,
    fc.record({ kind: of("none") }),
    tie("txn"),
  ),
}));
const compaction = fc.record({ kind: of("compaction"), revision: int53, physical: fc.boolean() });
const leaseGrant = fc.record({ kind: of("leaseGrant"), ttl: int53, id: int64 });
const alarm = fc.record({ kind: of("alarm"), action: int32, memberId: uint64, alarm: int32 });
const request = fc.oneof(
  range,
  put,
  deleteRange,
  txn,
  compaction,
  leaseGrant,
  alarm,
  fc.record({ kind: of("leaseRevoke"), id: int64 }),
  fc.record({
    kind: of("leaseCheckpoint"),
    checkpoints: fc.array(fc.record({ id: int64, remainingTtl: int53 }), { maxLength: 4 }),
  }),
  fc.record({ kind: of("clusterVersionSet"), version: text }),
  fc.record({
    kind: of("clusterMemberAttrSet"),
    memberId: uint64,
    name: text,
    clientUrls: fc.array(text, { maxLength: 3 }),
  }),
  fc.record({ kind: of("downgradeInfoSet"), enabled: fc.boolean(), version: text }),
  fc.record({ kind: of("auth"), field: fc.constantFrom(1000, 1013, 1100, 1204), bytes }),
);
const logged = fc.record({
  id: uint64,
  username: text,
  authRevision: int53,
  request: fc.option(request, { nil: undefined }),
}) as fc.Arbitrary<LoggedRequest>;

describe("what is encoded decodes to the same", () => {
  test("requests of the log", () => {
    const encoder = new RequestEncoder();
    fc.assert(
      fc.property(logged, (one) => {
        const encoded = encodeRequest(one);
        expect(decodeRequest(encoded)).toEqual(one);
        expect(decodeNormalEntry(encoded)).toEqual({ kind: "request", logged: one });
        expect(encoder.encode(one)).toEqual(encoded);
      }),
      { numRuns: 500 },
    );
  });

  const pairs = [
    ["range", range, encodeRange, decodeRange],
    ["put", put, encodePut, decodePut],
    ["deleteRange", deleteRange, encodeDeleteRange, decodeDeleteRange],
    ["txn", txn, encodeTxn, decodeTxn],
    ["compare", compare, encodeCompare, decodeCompare],
    ["compaction", compaction, encodeCompaction, decodeCompaction],
    ["leaseGrant", leaseGrant, encodeLeaseGrant, decodeLeaseGrant],
    ["alarm", alarm, encodeAlarm, decodeAlarm],
  ] as unknown as [
    string,
    fc.Arbitrary<object>,
    (message: object) => Uint8Array,
    (bytes: Uint8Array, start?: number, end?: number) => object | string,
  ][];
  test.each(pairs)("%s, alone and within other bytes", (_, arbitrary, encode, decode) => {
    fc.assert(
      fc.property(arbitrary, bytes, bytes, (message, before, after) => {
        const encoded = encode(message);
        expect(decode(encoded)).toEqual(message);
        const within = join(before, encoded, after);
        expect(decode(within, before.length, before.length + encoded.length)).toEqual(message);
      }),
    );
  });

  test("key-values", () => {
    const positive = fc.nat({ max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(
        bytes,
        positive,
        positive,
        positive,
        fc.uint8Array({ maxLength: 300 }),
        int64,
        (key, createRevision, modRevision, version, value, lease) => {
          const into = new Uint8Array(3 + keyValueBytesMax(key.length, value.length));
          const end = putKeyValue(into, 3, key, createRevision, modRevision, version, value, lease);
          expect(end).toBeLessThanOrEqual(into.length);
          expect(decodeKeyValueAt(into, 3, end - 3)).toEqual({
            key,
            createRevision,
            modRevision,
            version,
            value,
            lease,
          });
          const tombstone = putTombstone(into, 0, key);
          expect(decodeKeyValueAt(into, 0, tombstone)).toMatchObject({ key, version: 0 });
        },
      ),
    );
  });
});

const aPut: PutRequest = {
  kind: "put",
  key: new Uint8Array([107]),
  value: new Uint8Array(100_000).fill(7),
  lease: 0n,
  prevKv: false,
  ignoreValue: false,
  ignoreLease: false,
};

test("a request beyond 64 KiB is its own, a smaller one lasts until the next", () => {
  const encoder = new RequestEncoder();
  const large = { id: 1n, username: "", authRevision: 0, request: aPut };
  const small = { ...large, request: { ...aPut, value: new Uint8Array(10) } };
  const first = encoder.encode(large);
  expect(encoder.encode(small).buffer).not.toBe(first.buffer);
  expect(decodeRequest(first)).toEqual(large);
  const second = encoder.encode(small);
  expect(encoder.encode(small).buffer).toBe(second.buffer);
});

test("the largest int64, which clients send for no bound, stays the largest", () => {
  const compaction = { kind: "compaction", revision: 2 ** 63, physical: false } as const;
  expect(Buffer.from(encodeCompaction(compaction)).toString("hex")).toBe("08ffffffffffffffff7f");
  expect(decodeCompaction(encodeCompaction(compaction))).toEqual(compaction);
});

test("fields that nobody knows are passed over", () => {
  const unknown = new FieldWriter().message(77, new Uint8Array(3)).number(9000, 5).bytes();
  const put = { ...aPut, value: new Uint8Array([1]) };
  expect(decodePut(join(unknown, encodePut(put), unknown))).toEqual(put);
  const logged = { id: 1n, username: "u", authRevision: 3, request: put };
  expect(decodeRequest(join(unknown, encodeRequest(logged), unknown))).toEqual(logged);
  const later = new FieldWriter().message(9900, new Uint8Array()).bytes();
  const none = encodeRequest({ ...logged, request: undefined });
  expect(decodeRequest(join(none, later))).toEqual({ ...logged, request: undefined });
});

describe("requests of the v2 API", () => {
  const v2Put = { id: 5n, path: "/0/version", value: "3.4.0" };

  test("bare, and in field 2 before anything else", () => {
    const bare = encodeV2Put(v2Put);
    expect(decodeNormalEntry(bare)).toEqual({ kind: "v2", put: v2Put });
    const header = encodeRequest({ id: 1n, username: "", authRevision: 0, request: aPut });
    const wrapped = join(new FieldWriter().message(2, bare).bytes(), header);
    expect(decodeNormalEntry(wrapped)).toEqual({ kind: "v2", put: v2Put });
    expect(decodeRequest(wrapped)).toBe("a request of the v2 API: PUT");
    expect(typeof decodeRequest(bare)).toBe("string");
  });

  test("reads, as of GET /health, and the clock do nothing", () => {
    for (const method of ["QGET", "SYNC"]) {
      const bare = new FieldWriter().bigint(1, 1n).message(2, Buffer.from(method)).bytes();
      expect(decodeNormalEntry(bare)).toEqual({ kind: "noop" });
    }
  });

  test("others than PUT are named", () => {
    for (const method of ["DELETE", "POST"]) {
      const bare = new FieldWriter().bigint(1, 1n).message(2, Buffer.from(method)).bytes();
      const why = `a request of the v2 API: ${method}`;
      expect(decodeNormalEntry(bare)).toEqual({ kind: "unknown", why });
    }
  });
});

test("of several requests, which etcd never wrote, the first of its dispatch counts", () => {
  const checkpoint = encodeRequest({
    id: 1n,
    username: "",
    authRevision: 0,
    request: { kind: "leaseCheckpoint", checkpoints: [] },
  });
  const alarm = encodeRequest({
    id: 1n,
    username: "",
    authRevision: 0,
    request: { kind: "alarm", action: 1, memberId: 1n, alarm: 1 },
  });
  for (const both of [join(alarm, checkpoint), join(checkpoint, alarm)]) {
    expect(decodeRequest(both)).toMatchObject({ request: { kind: "leaseCheckpoint" } });
  }
});

describe("what is no request is said to be none", () => {
  test("arbitrary bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        for (const result of [
          decodeRequest(noise),
          decodePut(noise),
          decodeRange(noise),
          decodeTxn(noise),
          decodeCompare(noise),
          decodeNormalEntry(noise),
          decodeKeyValueAt(noise, 0, noise.length) ?? "",
        ]) {
          expect(["object", "string"]).toContain(typeof result);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("requests with one byte changed, or cut", () => {
    fc.assert(
      fc.property(logged, fc.nat(), fc.nat(255), (one, at, byte) => {
        const damaged = encodeRequest(one).slice();
        if (damaged.length > 0) damaged[at % damaged.length] = byte;
        expect(["object", "string"]).toContain(typeof decodeRequest(damaged));
        const cut = encodeRequest(one).subarray(0, at % (damaged.length + 1));
        expect(["object", "string"]).toContain(typeof decodeRequest(cut));
      }),
      { numRuns: 2000 },
    );
  });

  test("transactions within transactions, to any depth", () => {
    let message = new Uint8Array();
    const wrap = (depth: number): void => {
      for (let i = 0; i < depth; i++) {
        const op = new FieldWriter().message(4, message).bytes();
        message = new FieldWriter().message(2, op).bytes() as Uint8Array<ArrayBuffer>;
      }
    };
    wrap(TXN_DEPTH_MAX - 1);
    expect(typeof decodeTxn(message)).toBe("object");
    wrap(1);
    expect(decodeTxn(message)).toMatch("more than 256");
    wrap(3000);
    expect(decodeTxn(message)).toMatch("more than 256");
  });
});
