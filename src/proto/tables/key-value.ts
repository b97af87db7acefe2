/** One key at one revision. @see etcd api/mvccpb/kv.proto */
import { bytes, int64, type MessageTable, message } from "./message-table.ts";

export interface KeyValue {
  readonly key: Uint8Array;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
  readonly version: bigint;
  readonly value: Uint8Array;
  readonly lease: bigint;
}

export const KEY_VALUE: MessageTable<KeyValue> = message("mvccpb.KeyValue", {
  key: bytes(1),
  createRevision: int64(2),
  modRevision: int64(3),
  version: int64(4),
  value: bytes(5),
  lease: int64(6),
});
