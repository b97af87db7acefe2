/** What one server says of itself. */
import type { StatusResponse } from "../../proto/tables/maintenance.ts";

export interface EndpointStatus {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: bigint;
  /** Of the server: `3.5.9`. */
  readonly version: string;
  /** Of what it writes: `3.6.0`; etcd before 3.6 does not say: "". */
  readonly storageVersion: string;
  /** Of the database file; of that, what is in use. */
  readonly sizeBytes: number;
  readonly inUseBytes: number;
  /** What the database may take; 0: the server does not say. */
  readonly quotaBytes: number;
  /** The member that leads; 0n: none. */
  readonly leader: bigint;
  readonly isLearner: boolean;
  readonly raftTerm: number;
  readonly raftIndex: number;
  readonly raftAppliedIndex: number;
  /** What is wrong with it, alarms included, in its own words. */
  readonly errors: readonly string[];
  /** To which version the cluster is on its way down; undefined: it is not. */
  readonly downgradeTo: string | undefined;
}

export function endpointStatus(answer: StatusResponse): EndpointStatus {
  const { header, downgradeInfo } = answer;
  return {
    clusterId: header?.clusterId ?? 0n,
    memberId: header?.memberId ?? 0n,
    revision: header?.revision ?? 0n,
    version: answer.version,
    storageVersion: answer.storageVersion,
    sizeBytes: Number(answer.dbSize),
    inUseBytes: Number(answer.dbSizeInUse),
    quotaBytes: Number(answer.dbSizeQuota),
    leader: answer.leader,
    isLearner: answer.isLearner,
    raftTerm: Number(answer.raftTerm),
    raftIndex: Number(answer.raftIndex),
    raftAppliedIndex: Number(answer.raftAppliedIndex),
    errors: answer.errors,
    downgradeTo: downgradeInfo?.enabled ? downgradeInfo.targetVersion : undefined,
  };
}
