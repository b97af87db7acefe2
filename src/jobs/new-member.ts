/**
 * What makes a copy of a database the first state of a new cluster's member: its rows, a log that begins with the
 * members, and the `.snap` file that says that all up to there is in the database.
 *
 * A log and a `.snap` file are the same to the byte as etcd's own, for they say nothing but what they are given. The
 * rows are as etcd ≥ 3.5 writes them (3.4 leaves the old cluster's members there, and looks at none of them).
 *
 * @see etcd etcdutl/snapshot/v3_snapshot.go saveWALAndSnap
 */
import type { Directory, DirectoryTree, RandomAccessFile } from "../../native-free/file.ts";
import {
  CONSISTENT_INDEX,
  KEY,
  MEMBERS,
  MEMBERS_REMOVED,
  META,
  SCHEDULED_COMPACT_REV,
  TERM,
} from "../backend/buckets.ts";
import { encodeRevision, readRevision } from "../backend/revision.ts";
import { viewOf, writeU64BE } from "../base/bytes.ts";
import { CorruptionError, StrataError } from "../base/errors.ts";
import { initialEntries } from "../membership/boot-entries.ts";
import { Cluster, confStateRow } from "../membership/cluster.ts";
import { ascending, clusterId, memberId } from "../membership/ids.ts";
import type { MemberRecord } from "../membership/member-record.ts";
import { encodeV2Store } from "../membership/v2-store.ts";
import { PageFile } from "../pagefile/page-file.ts";
import type { WriteTx } from "../pagefile/tx.ts";
import { encodeMetadata } from "../wal/metadata.ts";
import { writeSnapFile } from "../wal/snap-file.ts";
import type { ConfState } from "../wal/snapshot-record.ts";
import { createWal } from "../wal/wal.ts";
import type { NewCluster } from "./snapshot-restore.ts";

/** Of everything that the new cluster begins with. */
const TERM_OF_ALL = 1;

/** The cluster as this member sees it, before anybody has said how clients reach it. */
export function clusterOf({ name, members, token }: NewCluster): Cluster {
  const byId = new Map<bigint, MemberRecord>();
  let localId: bigint | undefined;
  for (const member of members) {
    const id = memberId(member.peerUrls, token);
    const { name: called, peerUrls } = member;
    byId.set(id, { id, name: called, peerUrls, clientUrls: [], isLearner: false });
    if (called === name) localId = id;
  }
  if (localId === undefined || byId.size < members.length) {
    const what = `${JSON.stringify(name)} is to be one of the members, and each to have URLs of its own`;
    throw new StrataError("BAD_ARGUMENT", what);
  }
  const sorted = ascending(byId.keys()).map((id) => byId.get(id) as MemberRecord);
  return new Cluster(clusterId([...byId.keys()]), localId, {
    members: sorted,
    removed: [],
    version: undefined,
  });
}

/**
 * Puts the new members in the place of the old ones, in a file that is nobody's yet. It is durable when this returns.
 * @param bumpRevision  as of `RestoreInput`
 */
export function enterMembers(file: RandomAccessFile, cluster: Cluster, bumpRevision: number): void {
  const database = PageFile.open(file, {}, () => undefined);
  try {
    database.update((tx) => {
      for (const name of [MEMBERS, MEMBERS_REMOVED]) {
        if (tx.bucket(name) !== undefined) tx.deleteBucket(name);
        tx.createBucket(name);
      }
      tx.createBucketIfNotExists(META);
      for (const { bucket, key, value } of [...cluster.rows(), confStateRow(cluster.confState())]) {
        if (value !== undefined) tx.createBucketIfNotExists(bucket).put(key, value);
      }
      const meta = tx.createBucketIfNotExists(META);
      meta.put(CONSISTENT_INDEX, u64(cluster.members.length));
      meta.put(TERM, u64(TERM_OF_ALL));
      if (bumpRevision > 0) bump(tx, file.path, bumpRevision);
    });
  } finally {
    database.close();
  }
}

/**
 * Makes the revision jump, so that clients who have seen later ones than the snapshot's do not see them again with
 * other content; and compacts all before, so that who watches from there is told so. The compaction itself is run by
 * the server that starts with it.
 */
function bump(tx: WriteTx, path: string, by: number): void {
  const keys = tx.createBucketIfNotExists(KEY);
  const cursor = keys.cursor();
  let last = 0;
  if (cursor.last()) {
    const revision = readRevision(cursor.key());
    if (revision === undefined) {
      throw new CorruptionError(path, 0, 'the last key of bucket "key" is no revision');
    }
    last = revision.main;
  }
  if (!Number.isSafeInteger(last + by)) {
    throw new StrataError("BAD_ARGUMENT", `revision ${last} cannot be raised by ${by}`);
  }
  // No record of any key, which is what etcd writes there as well.
  keys.put(encodeRevision(last + by, 0), new Uint8Array(0));
  tx.createBucketIfNotExists(META).put(SCHEDULED_COMPACT_REV, encodeRevision(last + by, 0));
}

/** Makes the log, in which nothing is but who the members are, and the `.snap` file at its end; durable in the end. */
export async function beginLog(
  place: { readonly parent: DirectoryTree; readonly name: string },
  snapFolder: Directory,
  cluster: Cluster,
  votersInLog: boolean,
): Promise<void> {
  const { members } = cluster;
  const { entries, hardState } = initialEntries(members);
  const vote = (members[0] as MemberRecord).id;
  const confState: ConfState = cluster.confState();
  const snapshot = { index: entries.length, term: TERM_OF_ALL };
  const metadata = encodeMetadata({ nodeId: cluster.localId, clusterId: cluster.id });
  const wal = createWal(place.parent, place.name, metadata);
  try {
    await wal.append(entries, { ...hardState, vote });
    await wal.saveSnapshot(votersInLog ? { ...snapshot, confState } : snapshot);
  } finally {
    await wal.close();
  }
  writeSnapFile(snapFolder, { ...snapshot, confState, data: encodeV2Store(cluster) });
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeU64BE(viewOf(bytes), 0, value);
  return bytes;
}
