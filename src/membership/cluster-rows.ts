/** A cluster as the page file keeps it. */

import type { ClusterState } from "./cluster.ts";
import { ascending } from "./ids.ts";
import { decodeMember, decodeMemberId, type MemberRecord } from "./member-record.ts";

export interface ClusterRows {
  /** Of bucket `members`. */
  readonly members: Iterable<readonly [key: Uint8Array, value: Uint8Array]>;
  /** Keys of bucket `members_removed`. */
  readonly removed: Iterable<Uint8Array>;
  /** Of bucket `cluster`, under `clusterVersion`. */
  readonly version: Uint8Array | undefined;
}

/** @returns the state, or what is wrong with the rows */
export function clusterOfRows(rows: ClusterRows): ClusterState | string {
  const members = new Map<bigint, MemberRecord>();
  for (const [key, value] of rows.members) {
    const member = decodeMember(key, value);
    if (member === undefined) return `no member: ${Buffer.from(key).toString("latin1")}`;
    members.set(member.id, member);
  }
  const removed: bigint[] = [];
  for (const key of rows.removed) {
    const id = decodeMemberId(key);
    if (id === undefined) return `no member's id: ${Buffer.from(key).toString("latin1")}`;
    removed.push(id);
  }
  return {
    members: ascending(members.keys()).map((id) => members.get(id) as MemberRecord),
    removed: ascending(removed),
    version: rows.version && Buffer.from(rows.version).toString(),
  };
}
