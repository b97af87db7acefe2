/** The hand-written responses against the generated code, byte by byte; and requests that the generated code wrote. */
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CompactionResponseSchema,
  DeleteRangeResponseSchema,
  LeaseGrantResponseSchema,
  LeaseKeepAliveRequestSchema,
  LeaseLeasesResponseSchema,
  LeaseTimeToLiveRequestSchema,
  LeaseTimeToLiveResponseSchema,
  PutResponseSchema,
  RangeResponseSchema,
  RangeStreamResponseSchema,
  TxnResponseSchema,
  WatchCreateRequest_FilterType,
  WatchRequestSchema,
  WatchResponseSchema,
} from "./gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { Event_EventType, KeyValueSchema } from "./gen/etcd/api/mvccpb/kv_pb.ts";
import type { ResponseOp as Op, TxnResponse } from "./kv-responses.ts";
import { decodeLeaseKeepAlive, decodeLeaseTimeToLive } from "./lease-responses.ts";
import { MessageParts } from "./message-parts.ts";
import { ResponseEncoder } from "./response-encoder.ts";
import { decodeWatchRequest, encodeWatchId, encodeWatchRequest } from "./watch-messages.ts";

const binary = <D extends DescMessage>(schema: D, init: MessageInitShape<D>): Buffer =>
  Buffer.from(toBinary(schema, create(schema, init)));

const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(0n));
const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constant(0n));
const count = fc.oneof(fc.maxSafeInteger(), fc.nat(300)).map(Math.abs);
const bytes = fc.uint8Array({ maxLength: 40 });

const ids = fc.record({ clusterId: uint64, memberId: uint64, raftTerm: fc.nat() });
type Ids = typeof ids extends fc.Arbitrary<infer T> ? T : never;

const keyValue = fc.record({
  key: bytes,
  createRevision: int64,
  modRevision: int64,
  version: int64,
  value: bytes,
  lease: int64,
});
type KeyValueInit = typeof keyValue extends fc.Arbitrary<infer T> ? T : never;
const encoded = (kv: KeyValueInit): Buffer => binary(KeyValueSchema, kv);

const header = ({ clusterId, memberId, raftTerm }: Ids, revision: number) => ({
  clusterId,
  memberId,
  revision: BigInt(revision),
  raftTerm: BigInt(raftTerm),
});

const rangeOf = fc.record({
  kvs: fc.array(keyValue, { maxLength: 4 }),
  more: fc.boolean(),
  count,
});
type RangeInit = typeof rangeOf extends fc.Arbitrary<infer T> ? T : never;
const ours = ({ kvs, more, count }: RangeInit) => ({ kvs: kvs.map(encoded), more, count });
const theirs = ({ kvs, more, count }: RangeInit) => ({ kvs, more, count: BigInt(count) });

test("a header is written anew for each revision, and for none", () => {
  fc.assert(
    fc.property(ids, fc.array(count, { minLength: 1 }), (all, revisions) => {
      const encoder = new ResponseEncoder(all);
      for (const revision of revisions) {
        const expected = binary(CompactionResponseSchema, { header: header(all, revision) });
        expect(Buffer.from(encoder.empty(revision))).toEqual(expected);
      }
    }),
  );
});

test("a range, at once, in parts and as a page of a stream", () => {
  fc.assert(
    fc.property(ids, count, rangeOf, (all, revision, range) => {
      const encoder = new ResponseEncoder(all);
      const init = { header: header(all, revision), ...theirs(range) };
      const expected = binary(RangeResponseSchema, init);
      expect(Buffer.from(encoder.range(ours(range), revision))).toEqual(expected);
      const parts = new MessageParts();
      encoder.beginRange(parts, revision);
      for (const kv of range.kvs) parts.addKeyValue(encoded(kv));
      encoder.endRange(parts, ours(range));
      expect(Buffer.concat(parts.take())).toEqual(expected);
      expect(Buffer.from(encoder.rangePage(ours(range), revision))).toEqual(
        binary(RangeStreamResponseSchema, { rangeResponse: init }),
      );
      expect(Buffer.from(encoder.rangePage(ours(range), undefined))).toEqual(
        binary(RangeStreamResponseSchema, { rangeResponse: theirs(range) }),
      );
    }),
  );
});

test("parts of all sizes come in their order", () => {
  const sizes = fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 16_000, max: 70_000 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(sizes, (lengths) => {
      const encoder = new ResponseEncoder({ clusterId: 1n, memberId: 2n, raftTerm: 3 });
      const kvs = lengths.map((length, i) => ({
        key: Uint8Array.of(i),
        value: Buffer.alloc(length, i),
      }));
      const parts = new MessageParts();
      encoder.beginRange(parts, 7);
      for (const kv of kvs) parts.addKeyValue(binary(KeyValueSchema, kv));
      encoder.endRange(parts, { kvs: [], more: true, count: 9 });
      const ids = { clusterId: 1n, memberId: 2n, raftTerm: 3 };
      const init = { header: header(ids, 7), kvs, more: true, count: 9n };
      expect(Buffer.concat(parts.take()).equals(binary(RangeResponseSchema, init))).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("a put, a delete", () => {
  const prev = fc.option(keyValue, { nil: undefined });
  fc.assert(
    fc.property(ids, count, prev, fc.array(keyValue), count, (all, revision, kv, kvs, deleted) => {
      const encoder = new ResponseEncoder(all);
      const head = header(all, revision);
      const prevKv = kv && encoded(kv);
      const put = binary(PutResponseSchema, { header: head, ...(kv && { prevKv: kv }) });
      expect(Buffer.from(encoder.put({ revision, prevKv }))).toEqual(put);
      const deletion = encoder.deleteRange({ revision, deleted, prevKvs: kvs.map(encoded) });
      const init = { header: head, deleted: BigInt(deleted), prevKvs: kvs };
      expect(Buffer.from(deletion)).toEqual(binary(DeleteRangeResponseSchema, init));
    }),
  );
});

type OpInit = NonNullable<MessageInitShape<typeof TxnResponseSchema>["responses"]>[number];
interface OpPair {
  readonly ours: Op;
  readonly theirs: OpInit;
}

const simpleOp: fc.Arbitrary<OpPair> = fc
  .tuple(fc.constantFrom("range", "put", "deleteRange"), count, rangeOf)
  .map(([kind, revision, range]): OpPair => {
    const head = { revision: BigInt(revision) };
    if (kind === "range") {
      const value = { header: head, ...theirs(range) };
      return {
        ours: { kind: "range", revision, ...ours(range) },
        theirs: { response: { case: "responseRange", value } },
      };
    }
    if (kind === "put") {
      const [kv] = range.kvs;
      return {
        ours: { kind: "put", revision, prevKv: kv && encoded(kv) },
        theirs: {
          response: { case: "responsePut", value: { header: head, ...(kv && { prevKv: kv }) } },
        },
      };
    }
    const { count: deleted, kvs } = range;
    return {
      ours: { kind: "deleteRange", revision, deleted, prevKvs: kvs.map(encoded) },
      theirs: {
        response: {
          case: "responseDeleteRange",
          value: { header: head, deleted: BigInt(deleted), prevKvs: kvs },
        },
      },
    };
  });

const op: fc.Arbitrary<OpPair> = fc.letrec<{ op: OpPair }>((tie) => ({
  op: fc.oneof(
    { maxDepth: 3, depthIdentifier: "txn" },
    simpleOp,
    fc.tuple(fc.array(tie("op"), { maxLength: 3, depthIdentifier: "txn" }), fc.boolean()).map(
      ([ops, succeeded]): OpPair => ({
        ours: { kind: "txn", revision: 77, succeeded, responses: ops.map((one) => one.ours) },
        theirs: {
          response: {
            case: "responseTxn",
            value: { header: {}, succeeded, responses: ops.map((one) => one.theirs) },
          },
        },
      }),
    ),
  ),
})).op;

test("a transaction, with others in it", () => {
  fc.assert(
    fc.property(ids, count, fc.boolean(), fc.array(op), (all, revision, succeeded, ops) => {
      const response: TxnResponse = { revision, succeeded, responses: ops.map((one) => one.ours) };
      const init = {
        header: header(all, revision),
        succeeded,
        responses: ops.map((one) => one.theirs),
      };
      const written = Buffer.from(new ResponseEncoder(all).txn(response));
      expect(written).toEqual(binary(TxnResponseSchema, init));
    }),
  );
});

test("a watch's answers, whole and in parts", () => {
  const event = fc.record({
    type: fc.constantFrom("put", "delete"),
    kv: keyValue,
    prevKv: fc.option(keyValue, { nil: undefined }),
  });
  fc.assert(
    fc.property(
      ids,
      count,
      int64,
      fc.array(event),
      fc.boolean(),
      (all, revision, id, some, cut) => {
        const encoder = new ResponseEncoder(all);
        const events = some.map(({ type, kv, prevKv }) => ({
          type: type === "put" ? ("put" as const) : ("delete" as const),
          kv: encoded(kv),
          prevKv: prevKv && encoded(prevKv),
        }));
        const init = {
          header: header(all, revision),
          watchId: id,
          events: some.map(({ type, kv, prevKv }) => ({
            type: type === "put" ? Event_EventType.PUT : Event_EventType.DELETE,
            kv,
            ...(prevKv && { prevKv }),
          })),
        };
        const idField = encodeWatchId(id);
        const written = Buffer.from(encoder.watchEvents(encoder.events(events), idField, revision));
        expect(written).toEqual(binary(WatchResponseSchema, init));
        const parts = Buffer.concat(encoder.watchParts(events, idField, revision, cut));
        expect(parts).toEqual(binary(WatchResponseSchema, { ...init, fragment: cut }));
      },
    ),
  );
});

test("a watch's notices", () => {
  const notice = fc.record({
    created: fc.boolean(),
    canceled: fc.boolean(),
    compactRevision: count,
    cancelReason: fc.string({ unit: "grapheme" }),
  });
  fc.assert(
    fc.property(ids, fc.constantFrom(0, 1, 300), int64, notice, (all, revision, id, one) => {
      const written = new ResponseEncoder(all).watchNotice(one, encodeWatchId(id), revision);
      const init = {
        header: header(all, revision),
        watchId: id,
        ...one,
        compactRevision: BigInt(one.compactRevision),
      };
      expect(Buffer.from(written)).toEqual(binary(WatchResponseSchema, init));
    }),
  );
});

test("leases", () => {
  fc.assert(
    fc.property(ids, count, int64, count, fc.array(bytes), (all, revision, id, ttl, keys) => {
      const encoder = new ResponseEncoder(all);
      const head = header(all, revision);
      const seconds = BigInt(ttl);
      expect(Buffer.from(encoder.leaseTtl(id, ttl, revision))).toEqual(
        binary(LeaseGrantResponseSchema, { header: head, ID: id, TTL: seconds }),
      );
      const response = { id, ttl: -1, grantedTtl: ttl, keys };
      expect(Buffer.from(encoder.leaseTimeToLive(response, revision))).toEqual(
        binary(LeaseTimeToLiveResponseSchema, {
          header: head,
          ID: id,
          TTL: -1n,
          grantedTTL: seconds,
          keys,
        }),
      );
      const leases = keys.map((_, i) => id ^ BigInt(i));
      expect(Buffer.from(encoder.leases(leases, revision))).toEqual(
        binary(LeaseLeasesResponseSchema, { header: head, leases: leases.map((ID) => ({ ID })) }),
      );
    }),
  );
});

test("what the generated code asks about leases is understood", () => {
  fc.assert(
    fc.property(int64, fc.boolean(), (id, keys) => {
      expect(decodeLeaseKeepAlive(binary(LeaseKeepAliveRequestSchema, { ID: id }))).toBe(id);
      const request = binary(LeaseTimeToLiveRequestSchema, { ID: id, keys });
      expect(decodeLeaseTimeToLive(request)).toEqual({ id, keys });
    }),
  );
});

test("requests of a watch are read and written as the generated code does", () => {
  const creation = fc.record({
    kind: fc.constant("create" as const),
    key: bytes,
    rangeEnd: bytes,
    startRevision: fc.maxSafeInteger(),
    progressNotify: fc.boolean(),
    noPut: fc.boolean(),
    noDelete: fc.boolean(),
    prevKv: fc.boolean(),
    watchId: int64,
    fragment: fc.boolean(),
  });
  fc.assert(
    fc.property(creation, (request) => {
      const { kind: _, noPut, noDelete, startRevision, ...rest } = request;
      const { NOPUT, NODELETE } = WatchCreateRequest_FilterType;
      const filters = [...(noPut ? [NOPUT] : []), ...(noDelete ? [NODELETE] : [])];
      const value = { ...rest, filters, startRevision: BigInt(startRevision) };
      const written = binary(WatchRequestSchema, {
        requestUnion: { case: "createRequest", value },
      });
      expect(Buffer.from(encodeWatchRequest(request))).toEqual(written);
      // Views of bytes are like bytes.
      const read = decodeWatchRequest(Uint8Array.from(written));
      expect(read).toEqual(request);
    }),
  );
  const cancel = binary(WatchRequestSchema, {
    requestUnion: { case: "cancelRequest", value: { watchId: -5n } },
  });
  expect(decodeWatchRequest(cancel)).toEqual({ kind: "cancel", watchId: -5n });
  expect(Buffer.from(encodeWatchRequest({ kind: "cancel", watchId: -5n }))).toEqual(cancel);
  const progress = binary(WatchRequestSchema, {
    requestUnion: { case: "progressRequest", value: {} },
  });
  expect(decodeWatchRequest(progress)).toEqual({ kind: "progress" });
  expect(decodeWatchRequest(new Uint8Array(0))).toEqual({ kind: "none" });
});

test("arbitrary bytes are a watch's request, or a fault", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (some) => {
      const read = decodeWatchRequest(some);
      expect(typeof read === "string" || typeof read.kind === "string").toBe(true);
    }),
    { numRuns: 2000 },
  );
});
