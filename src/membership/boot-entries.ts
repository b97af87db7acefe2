/**
 * What a member writes to its log when it starts, so that any etcd from 3.4 to 3.6 can go on with it. Pure: entries and
 * the state behind them, to be appended together.
 */
import { invariant } from "../base/invariant.ts";
import { encodeV2Put } from "../proto/v2-request.ts";
import { ConfChangeType, encodeConfChange, encodeMemberContext } from "../wal/conf-change.ts";
import { type Entry, EntryType } from "../wal/entry.ts";
import type { HardState } from "../wal/hard-state.ts";
import { type Attributes, attributesPut, versionPut } from "./cluster.ts";
import type { MemberRecord } from "./member-record.ts";

export interface BootEntries {
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
}

/** The version of the cluster that etcd 3.4 agrees on, and the oldest that reads what we write. */
export const OUR_CLUSTER_VERSION = "3.4.0";

/**
 * A new cluster's: one change per member, of term 1, so that whoever votes begins with 2.
 * @param members  at least one, in the order of their ids; their client URLs come later, in `startEntries`.
 */
export function initialEntries(
  members: readonly Pick<MemberRecord, "id" | "name" | "peerUrls">[],
): BootEntries {
  invariant(members.length > 0, "a cluster has a member");
  const entries = members.map(({ id, name, peerUrls }, i): Entry => {
    const context = encodeMemberContext({ id, peerUrls, name });
    const change = { id: 0n, type: ConfChangeType.addNode, nodeId: id, context };
    return { type: EntryType.confChange, term: 1, index: i + 1, data: encodeConfChange(change) };
  });
  return { entries, hardState: { term: 1, vote: 0n, commit: members.length } };
}

export interface Start {
  readonly memberId: bigint;
  /** What the log ends with. */
  readonly term: number;
  readonly lastIndex: number;
  readonly attributes: Attributes;
  /** The cluster's, up to `lastIndex`. */
  readonly clusterVersion: string | undefined;
  /** As of `RequestIds`. */
  readonly requestId: () => bigint;
}

/**
 * What the only voter writes at every start: it is the leader of a new term, begins it with an empty entry, says how it
 * is called and reached, and, if the cluster has a lower version than ours or none, which it has from now on.
 */
export function startEntries(start: Start): BootEntries {
  const { memberId, attributes, clusterVersion, requestId } = start;
  const term = start.term + 1;
  const data = [undefined, encodeV2Put(attributesPut(requestId(), memberId, attributes))];
  if (clusterVersion === undefined || isBelow(clusterVersion, OUR_CLUSTER_VERSION)) {
    data.push(encodeV2Put(versionPut(requestId(), OUR_CLUSTER_VERSION)));
  }
  const entries = data.map(
    (each, i): Entry => ({
      type: EntryType.normal,
      term,
      index: start.lastIndex + 1 + i,
      data: each,
    }),
  );
  return { entries, hardState: { term, vote: memberId, commit: start.lastIndex + data.length } };
}

/** Of versions such as 3.4.0. */
export function isBelow(version: string, other: string): boolean {
  const a = version.split(".").map(Number);
  const b = other.split(".").map(Number);
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return (a[i] ?? 0) < (b[i] ?? 0);
  return false;
}
