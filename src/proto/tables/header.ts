/** The head of every answer. @see etcd api/etcdserverpb/rpc.proto */
import { int64, type MessageTable, message, uint64 } from "./message-table.ts";

export interface ResponseHeader {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: bigint;
  readonly raftTerm: bigint;
}

export const RESPONSE_HEADER: MessageTable<ResponseHeader> = message(
  "etcdserverpb.ResponseHeader",
  {
    clusterId: uint64(1),
    memberId: uint64(2),
    revision: int64(3),
    raftTerm: uint64(4),
  },
);
