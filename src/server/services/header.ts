/** etcdserverpb.ResponseHeader, for what the generated code encodes. The hot responses have one of their own. */
import type { Member } from "../../engine/member.ts";

/** As protobuf-es takes it for a new ResponseHeader. */
export interface HeaderInit {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: bigint;
  readonly raftTerm: bigint;
}

/** @param revision  default: the current one; etcd leaves it 0 where the key space is not what a call is about */
export function headerOf(
  { cluster, store, term }: Member,
  revision: number = store.currentRevision,
): HeaderInit {
  return {
    clusterId: cluster.id,
    memberId: cluster.localId,
    revision: BigInt(revision),
    raftTerm: BigInt(term),
  };
}
