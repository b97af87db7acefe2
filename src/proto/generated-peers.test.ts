/** The codecs of requests that are written by hand, against those that are generated from the .proto files. */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as pb from "./gen/etcd/api/etcdserverpb/rpc_pb.ts";
import * as kv from "./kv-requests.ts";
import * as lease from "./lease-requests.ts";
import type {
  AlarmRequest,
  CompactionRequest,
  Compare,
  DeleteRangeRequest,
  LeaseGrantRequest,
  LeaseRevokeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "./messages.ts";
import { FieldWriter } from "./protobuf.ts";

const bytes = fc.uint8Array({ maxLength: 40 });
const int53 = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, 1, -1, 127, 128, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
);
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)),
);
const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 2n ** 63n, 2n ** 64n - 1n),
);
const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, 1));
const of = <T extends string>(kind: T): fc.Arbitrary<T> => fc.constant(kind);

const range: fc.Arbitrary<RangeRequest> = fc.record({
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
const put: fc.Arbitrary<PutRequest> = fc.record({
  kind: of("put"),
  key: bytes,
  value: bytes,
  lease: int64,
  prevKv: fc.boolean(),
  ignoreValue: fc.boolean(),
  ignoreLease: fc.boolean(),
});
const deleteRange: fc.Arbitrary<DeleteRangeRequest> = fc.record({
  kind: of("deleteRange"),
  key: bytes,
  rangeEnd: bytes,
  prevKv: fc.boolean(),
});
const compare: fc.Arbitrary<Compare> = fc.record({
  result: int32,
  target: int32,
  key: bytes,
  rangeEnd: bytes,
  operand: fc.oneof(
    fc.constant(undefined),
    fc.record({ target: fc.constantFrom(0 as const, 1 as const, 2 as const), number: int53 }),
    fc.record({ target: fc.constant(3 as const), value: bytes }),
    fc.record({ target: fc.constant(4 as const), lease: int64 }),
  ),
});
const { txn } = fc.letrec<{ txn: TxnRequest; op: RequestOp }>((tie) => ({
  txn: fc.record({
    kind: of("txn"),
    compare: fc.array(compare, { maxLength: 3 }),
    success: fc.array(tie("op"), { maxLength: 3 }),
    failure: fc.array(tie("op"), { maxLength: 3 }),
  }),
  op: fc.oneof(
    { maxDepth: 2, depthIdentifier: "op" },
    range,
    put,
    deleteRange,
    fc.record({ kind: of("none") }),
    tie("txn"),
  ),
}));

type Init<T> = T extends GenMessage<infer M> ? MessageInitShape<GenMessage<M>> : never;

/** What the generated code says for the same request. */
function rangeInit(from: RangeRequest): Init<typeof pb.RangeRequestSchema> {
  return {
    key: from.key,
    rangeEnd: from.rangeEnd,
    limit: BigInt(from.limit),
    revision: BigInt(from.revision),
    sortOrder: from.sortOrder as pb.RangeRequest_SortOrder,
    sortTarget: from.sortTarget as pb.RangeRequest_SortTarget,
    serializable: from.serializable,
    keysOnly: from.keysOnly,
    countOnly: from.countOnly,
    minModRevision: BigInt(from.minModRevision),
    maxModRevision: BigInt(from.maxModRevision),
    minCreateRevision: BigInt(from.minCreateRevision),
    maxCreateRevision: BigInt(from.maxCreateRevision),
  };
}

function putInit({ kind: _, ...rest }: PutRequest): Init<typeof pb.PutRequestSchema> {
  return rest;
}

function deleteInit({
  kind: _,
  ...rest
}: DeleteRangeRequest): Init<typeof pb.DeleteRangeRequestSchema> {
  return rest;
}

const OPERANDS = ["version", "createRevision", "modRevision"] as const;

function compareInit({ operand, ...each }: Compare): Init<typeof pb.CompareSchema> {
  const result = each.result as pb.Compare_CompareResult;
  const rest = { ...each, result, target: each.target as pb.Compare_CompareTarget };
  if (operand === undefined) return rest;
  const targetUnion =
    operand.target === 3
      ? ({ case: "value", value: operand.value } as const)
      : operand.target === 4
        ? ({ case: "lease", value: operand.lease } as const)
        : ({ case: OPERANDS[operand.target], value: BigInt(operand.number) } as const);
  return { ...rest, targetUnion };
}

function opInit(op: RequestOp): Init<typeof pb.RequestOpSchema> {
  switch (op.kind) {
    case "range":
      return { request: { case: "requestRange", value: rangeInit(op) } };
    case "put":
      return { request: { case: "requestPut", value: putInit(op) } };
    case "deleteRange":
      return { request: { case: "requestDeleteRange", value: deleteInit(op) } };
    case "txn":
      return { request: { case: "requestTxn", value: txnInit(op) } };
    case "none":
      return {};
  }
}

function txnInit(from: TxnRequest): Init<typeof pb.TxnRequestSchema> {
  return {
    compare: from.compare.map(compareInit),
    success: from.success.map(opInit),
    failure: from.failure.map(opInit),
  };
}

/** Fields that neither knows: a number, and bytes. */
const UNKNOWN = new FieldWriter()
  .number(1000, 7)
  .message(1001, Uint8Array.of(1, 2, 3))
  .bytes();

const plain = (from: Uint8Array): Uint8Array => Uint8Array.from(from);

function peers<T, M extends Parameters<typeof fromBinary>[0]>(
  name: string,
  requests: fc.Arbitrary<T>,
  encode: (request: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T | string,
  schema: M,
  init: (request: T) => MessageInitShape<M>,
): void {
  const encodeThere = (request: T): Uint8Array => toBinary(schema, create(schema, init(request)));

  describe(`${name}, by hand and generated`, () => {
    test("what is encoded here is decoded there, to the same bytes", () => {
      fc.assert(
        fc.property(requests, (request) => {
          const again = toBinary(schema, fromBinary(schema, plain(encode(request))));
          expect(plain(again)).toEqual(plain(encodeThere(request)));
        }),
      );
    });

    test("what is encoded there is decoded here, unknown fields or not", () => {
      fc.assert(
        fc.property(requests, fc.boolean(), (request, withUnknown) => {
          const there = encodeThere(request);
          const sent = withUnknown ? Uint8Array.from([...UNKNOWN, ...there, ...UNKNOWN]) : there;
          expect(decode(sent)).toEqual(request);
        }),
      );
    });
  });
}

const compaction: fc.Arbitrary<CompactionRequest> = fc.record({
  kind: of("compaction"),
  revision: int53,
  physical: fc.boolean(),
});
const grant: fc.Arbitrary<LeaseGrantRequest> = fc.record({
  kind: of("leaseGrant"),
  ttl: int53,
  id: int64,
});
const revoke: fc.Arbitrary<LeaseRevokeRequest> = fc.record({ kind: of("leaseRevoke"), id: int64 });
const alarm: fc.Arbitrary<AlarmRequest> = fc.record({
  kind: of("alarm"),
  action: int32,
  memberId: uint64,
  alarm: int32,
});

peers("range", range, kv.encodeRange, kv.decodeRange, pb.RangeRequestSchema, rangeInit);
peers("put", put, kv.encodePut, kv.decodePut, pb.PutRequestSchema, putInit);
peers(
  "deleteRange",
  deleteRange,
  kv.encodeDeleteRange,
  kv.decodeDeleteRange,
  pb.DeleteRangeRequestSchema,
  deleteInit,
);
peers("compare", compare, kv.encodeCompare, kv.decodeCompare, pb.CompareSchema, compareInit);
peers("txn", txn, kv.encodeTxn, kv.decodeTxn, pb.TxnRequestSchema, txnInit);
peers(
  "compaction",
  compaction,
  kv.encodeCompaction,
  kv.decodeCompaction,
  pb.CompactionRequestSchema,
  ({ revision, physical }) => ({ revision: BigInt(revision), physical }),
);
peers(
  "leaseGrant",
  grant,
  lease.encodeLeaseGrant,
  lease.decodeLeaseGrant,
  pb.LeaseGrantRequestSchema,
  ({ ttl, id }) => ({ TTL: BigInt(ttl), ID: id }),
);
peers(
  "leaseRevoke",
  revoke,
  lease.encodeLeaseRevoke,
  lease.decodeLeaseRevoke,
  pb.LeaseRevokeRequestSchema,
  ({ id }) => ({ ID: id }),
);
peers(
  "alarm",
  alarm,
  lease.encodeAlarm,
  lease.decodeAlarm,
  pb.AlarmRequestSchema,
  ({ action, memberId, alarm: type }) => ({
    action: action as pb.AlarmRequest_AlarmAction,
    memberID: memberId,
    alarm: type as pb.AlarmType,
  }),
);
