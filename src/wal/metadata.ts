/** etcdserverpb.Metadata: 1 NodeID, 2 ClusterID, always both. The same in every segment of a log. */
import { FieldReader, FieldWriter } from "../proto/protobuf.ts";

export interface WalMetadata {
  readonly nodeId: bigint;
  readonly clusterId: bigint;
}

export function encodeMetadata({ nodeId, clusterId }: WalMetadata): Uint8Array {
  return new FieldWriter().bigint(1, nodeId).bigint(2, clusterId).bytes();
}

/** @returns the two ids, or what is wrong with the bytes */
export function decodeMetadata(bytes: Uint8Array): WalMetadata | string {
  let nodeId = 0n;
  let clusterId = 0n;
  const fields = new FieldReader().open(bytes);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(0)) nodeId = fields.bigint;
    else if (fields.field === 2 && fields.is(0)) clusterId = fields.bigint;
  }
  return fields.fault ?? { nodeId, clusterId };
}
