/** What the hot responses cost to write, by hand and by the generated code: cases for proto.ts. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  PutResponseSchema,
  RangeResponseSchema,
  WatchResponseSchema,
} from "../src/proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { Event_EventType } from "../src/proto/gen/etcd/api/mvccpb/kv_pb.ts";
import { keyValueBytesMax, putKeyValue } from "../src/proto/key-value.ts";
import { decodeRange, encodeRange } from "../src/proto/kv-requests.ts";
import { NO_END } from "../src/proto/messages.ts";
import { ResponseEncoder } from "../src/proto/response-encoder.ts";
import { encodeWatchId } from "../src/proto/watch-messages.ts";

export interface ResponseCase {
  readonly name: string;
  /** @returns a number made of the results, so that no work can be dropped. */
  run(times: number): number;
}

const CLUSTER_ID = 0xcdf8_1819_4e3a_8c32n;
const MEMBER_ID = 0x8e9e_05c5_2164_694dn;
const REVISION = 1_000_000;

function repeat(name: string, once: (i: number) => number): ResponseCase {
  return {
    name,
    run: (times) => {
      let digest = 0;
      for (let i = 0; i < times; i++) digest += once(i);
      return digest;
    },
  };
}

/** A key of 17 bytes, a value of 256. */
export function responseCases(): ResponseCase[] {
  const key = Uint8Array.from({ length: 17 }, (_, i) => 97 + i);
  const value = Uint8Array.from({ length: 256 }, (_, i) => i);
  const room = new Uint8Array(keyValueBytesMax(17, 256));
  const kv = room.slice(0, putKeyValue(room, 0, key, REVISION, REVISION, 3, value, 0n));
  const pair = {
    key,
    createRevision: BigInt(REVISION),
    modRevision: BigInt(REVISION),
    version: 3n,
    value,
    lease: 0n,
  };
  const encoder = new ResponseEncoder({ clusterId: CLUSTER_ID, memberId: MEMBER_ID, raftTerm: 2 });
  const header = (revision: number) => ({
    clusterId: CLUSTER_ID,
    memberId: MEMBER_ID,
    revision: BigInt(revision),
    raftTerm: 2n,
  });
  const request = encodeRange({
    kind: "range",
    key,
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
  });
  const watchId = encodeWatchId(7n);
  const events = encoder.events([{ type: "put", kv, prevKv: undefined }]);
  return [
    repeat("decode a range", () => (typeof decodeRange(request) === "object" ? 1 : 0)),
    repeat("encode a put's response", (i) => {
      return encoder.put({ revision: REVISION + i, prevKv: undefined }).length;
    }),
    repeat("encode a put's response, generated", (i) => {
      const init = { header: header(REVISION + i) };
      return toBinary(PutResponseSchema, create(PutResponseSchema, init)).length;
    }),
    repeat("encode a range's response", () => {
      return encoder.range({ kvs: [kv], more: false, count: 1 }, REVISION).length;
    }),
    repeat("encode a range's response, generated", () => {
      const init = { header: header(REVISION), kvs: [pair], count: 1n };
      return toBinary(RangeResponseSchema, create(RangeResponseSchema, init)).length;
    }),
    repeat("encode a watch's response of shared events", () => {
      return encoder.watchEvents(events, watchId, REVISION).length;
    }),
    repeat("encode a watch's response, generated", () => {
      const init = {
        header: header(REVISION),
        watchId: 7n,
        events: [{ type: Event_EventType.PUT, kv: pair }],
      };
      return toBinary(WatchResponseSchema, create(WatchResponseSchema, init)).length;
    }),
  ];
}
