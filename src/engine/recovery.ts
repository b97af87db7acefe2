/**
 * Opening a data dir: the page file, the index that is built from it, and the log behind it.
 *
 *   lock and open member/snap/db ──► index, leases, alarms, members from its rows ──► newest .snap ──► log from there:
 *   who the members are from every entry, everything else from those after consistent_index
 *
 * If the newest root of the page file turns out to be unreadable, all is begun again from the one before it, whose log
 * is still there.
 *
 * @see etcd server/etcdserver/bootstrap.go, and docs/architecture.md
 */
import type { Directory, DirectoryTree } from "../../native-free/file.ts";
import { AlarmStore } from "../alarm/alarm-store.ts";
import { Backend, type BackendOptions, type LogPoint } from "../backend/backend.ts";
import {
  ALARM,
  AUTH,
  AUTH_ENABLED,
  CLUSTER,
  CLUSTER_VERSION,
  FINISHED_COMPACT_REV,
  LEASE,
  MEMBERS,
  MEMBERS_REMOVED,
  META,
  SCHEDULED_COMPACT_REV,
} from "../backend/buckets.ts";
import { readRevision } from "../backend/revision.ts";
import type { OpenReport, Storage } from "../backend/storage.ts";
import { hex } from "../base/bytes.ts";
import { CorruptionError, StrataError } from "../base/errors.ts";
import { nextTurn } from "../base/turn.ts";
import type { Lessor } from "../lease/lessor.ts";
import { initialEntries } from "../membership/boot-entries.ts";
import { Cluster, type ClusterState, NO_CLUSTER } from "../membership/cluster.ts";
import { clusterOfRows } from "../membership/cluster-rows.ts";
import { clusterId, memberId } from "../membership/ids.ts";
import { decodeV2Store } from "../membership/v2-store.ts";
import { type RestoredIndex, restoreIndex } from "../mvcc/restore.ts";
import { Store } from "../mvcc/store.ts";
import { decodeNormalEntry } from "../proto/normal-entry.ts";
import { decodeConfChange } from "../wal/conf-change.ts";
import { type Entry, EntryType } from "../wal/entry.ts";
import { decodeMetadata, encodeMetadata } from "../wal/metadata.ts";
import { validSnapshots } from "../wal/reader.ts";
import { segmentsOf } from "../wal/segment-name.ts";
import { loadNewestSnap, type RaftSnapshot } from "../wal/snap-file.ts";
import { createWal, hasWal, openWal, type Wal, type WalOptions } from "../wal/wal.ts";
import { WalError } from "../wal/wal-error.ts";
import type { Applier, ApplierHost, ApplierParts } from "./applier.ts";
import type { EngineLog } from "./log.ts";

/** Where etcd keeps what. */
export const MEMBER_FOLDER = "member";
export const SNAP_FOLDER = "snap";
export const WAL_FOLDER = "wal";
export const DATABASE_NAME = "db";

/** Who this member is when it makes a data dir; one that is there says so itself. */
export interface Identity {
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly token: string;
}

export interface RecoveryProgress {
  /** `opening`, `index`, `replay`. */
  readonly phase: string;
  readonly done: number;
  /** 0: not known. */
  readonly total: number;
}

/** A folder, by the one it is in: a log is made under another name, and gets its own when it is whole. */
export interface WalPlace {
  readonly parent: DirectoryTree;
  readonly name: string;
}

export interface RecoveryOptions {
  readonly disk: DirectoryTree;
  readonly storage: (snapFolder: Directory) => Storage;
  readonly identity: Identity;
  readonly backend: BackendOptions;
  readonly wal: WalOptions;
  /** Where the log is. Default: `member/wal` in the data dir. */
  readonly walPlace: WalPlace | undefined;
  readonly log: EngineLog;
  readonly onProgress: (progress: RecoveryProgress) => void;
  readonly signal: AbortSignal | undefined;
  readonly makeLessor: () => Lessor;
  readonly makeApplier: (parts: ApplierParts, host: ApplierHost) => Applier;
}

/** A member that is wholly recovered, and has not begun to serve. */
export interface Recovered {
  readonly backend: Backend;
  readonly store: Store;
  readonly lessor: Lessor;
  readonly alarms: AlarmStore;
  readonly cluster: Cluster;
  readonly applier: Applier;
  readonly wal: Wal;
  /** Of the last snapshot, 0 if there is none. */
  readonly snapshotIndex: number;
  readonly snapFolder: Directory;
  readonly walFolder: Directory;
  readonly lockedBy: OpenReport["lockedBy"];
  /** Of the page file. */
  readonly databasePath: string;
  /** A compaction that was scheduled and not finished. */
  readonly unfinishedCompaction: number | undefined;
}

/** How long entries are replayed before others have their turn. */
const SLICE_MS = 4;

/**
 * @throws (rejects) StrataError LOCKED, NO_LOCK, INCOMPATIBLE for a data dir that is not one member's; CorruptionError,
 *   WalError for one that is damaged; the system's errors
 */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  try {
    return await recoverFrom(options, false);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    options.log({
      level: "error",
      message:
        "the newest transaction of the database cannot be read: going back to the one before it",
      fields: { error: error.message },
    });
    try {
      return await recoverFrom(options, true);
    } catch (older) {
      // The first fault is the one to be mended; that there is nothing older to go back to is no news.
      if (older instanceof CorruptionError) throw error;
      throw older;
    }
  }
}

async function recoverFrom(options: RecoveryOptions, olderRoot: boolean): Promise<Recovered> {
  const { disk, log, signal, onProgress } = options;
  const member = folderIn(disk, MEMBER_FOLDER);
  const snapFolder = folderIn(member, SNAP_FOLDER);
  const walPlace = options.walPlace ?? { parent: member, name: WAL_FOLDER };
  // Asked for when it is there: a new log's folder gets its name when it is whole.
  const walFolder = (): DirectoryTree => walPlace.parent.folder(walPlace.name);
  const isNew = !(walPlace.parent.exists(walPlace.name) && hasWal(walFolder()));
  if (!isNew && !snapFolder.exists(DATABASE_NAME)) assertReplayable(walFolder(), snapFolder);

  onProgress({ phase: "opening", done: 0, total: 0 });
  const storage = options.storage(snapFolder);
  let backend: Backend | undefined;
  let wal: Wal | undefined;
  try {
    const opened = await storage.open(olderRoot);
    backend = openBackend(storage, opened, snapFolder, options.backend);
    if (opened.lockedBy === "sidecar") sayWhoIsKeptOut(opened.path, log);
    if (isNew) assertUnused(backend);
    assertNoAuth(backend);

    const totalBytes = opened.space.inUseBytes;
    const restored = await restoreIndex(
      storage,
      ({ recordBytes }) => onProgress({ phase: "index", done: recordBytes, total: totalBytes }),
      signal,
    );
    const lessor = options.makeLessor();
    const { compacted, scheduled } = compactionsOf(backend);
    const store = new Store(backend, lessor, {
      index: restored.index,
      currentRevision: Math.max(restored.lastRevision, compacted, scheduled),
      compactedRevision: compacted,
    });
    await loadLeases(backend, lessor, restored, log);
    const alarms = new AlarmStore();
    for (const [key] of rowsOf(backend, ALARM)) alarms.load(key);

    const logged = isNew
      ? await newLog(walPlace, options)
      : await openLog(walFolder(), snapFolder, backend, options);
    ({ wal } = logged);
    const { cluster } = logged;
    const parts = { backend, store, lessor, alarms, cluster };
    let unfinishedCompaction = scheduled > compacted ? scheduled : undefined;
    const applier = options.makeApplier(parts, {
      compacting: (revision) => {
        unfinishedCompaction = revision;
      },
      // What is in the log was answered when it was applied first.
      fits: () => true,
      outOfSpace: () => undefined,
    });
    // Reads below it have failed since it was scheduled, and shall not come back.
    if (unfinishedCompaction !== undefined) store.resumeCompaction(unfinishedCompaction);
    backend.startsAt(startOf(logged, backend));
    await replay(logged.entries, backend, applier, options);
    const found = { ...logged, backend, store, lessor, alarms, cluster, applier };
    assertSingle(cluster);
    await settleEnd(found, log);
    return {
      ...found,
      snapFolder,
      walFolder: walFolder(),
      lockedBy: opened.lockedBy,
      databasePath: opened.path,
      unfinishedCompaction,
    };
  } catch (error) {
    await wal?.close().catch(() => undefined);
    if (backend === undefined) await storage.close().catch(() => undefined);
    else await backend.abandon().catch(() => undefined);
    throw error;
  }
}

function sayWhoIsKeptOut(path: string, log: EngineLog): void {
  log({
    level: "warn",
    message:
      "there is no flock(2) here: another strata is kept off the database, a real etcd is not",
    fields: { path, helps: "put a flock program (util-linux) on the PATH" },
  });
}

function openBackend(
  storage: Storage,
  opened: OpenReport,
  snapFolder: Directory,
  options: BackendOptions,
): Backend {
  const file = snapFolder.openFile(DATABASE_NAME, "read");
  try {
    return new Backend(storage, opened, file, options);
  } catch (error) {
    file.close();
    throw error;
  }
}

function folderIn(parent: DirectoryTree, name: string): DirectoryTree {
  if (!parent.exists(name)) {
    parent.makeFolder(name);
    parent.sync();
  }
  return parent.folder(name);
}

/** Without a database, all must be in the log: etcd refuses as well if a snapshot says that it begins later. */
function assertReplayable(walFolder: Directory, snapFolder: Directory): void {
  if (validSnapshots(walFolder).every(({ index }) => index === 0)) return;
  throw new StrataError(
    "INCOMPATIBLE",
    `${snapFolder.path}/${DATABASE_NAME} is missing, and the log does not reach back to the beginning: restore a snapshot`,
  );
}

/** A database without its log: nobody can say what was acknowledged. One that was never written to is no loss. */
function assertUnused(backend: Backend): void {
  if (backend.view.bucket(META) === undefined) return;
  throw new StrataError(
    "INCOMPATIBLE",
    `${backend.view.path} is there, and no log beside it: restore it as a snapshot into a new data dir`,
  );
}

function assertNoAuth(backend: Backend): void {
  const enabled = backend.view.bucket(AUTH)?.get(AUTH_ENABLED);
  if (enabled?.[0] !== 1) return;
  throw new StrataError(
    "INCOMPATIBLE",
    `${backend.view.path}: authentication is enabled, which this version does not enforce: disable it first`,
  );
}

function assertSingle(cluster: Cluster): void {
  const { voters } = cluster.confState();
  if (voters.length === 1 && voters[0] === cluster.localId) return;
  throw new StrataError(
    "INCOMPATIBLE",
    `this data dir belongs to a cluster of ${voters.length} voting members: strata serves one with a single member`,
  );
}

function compactionsOf(backend: Backend): { compacted: number; scheduled: number } {
  const meta = backend.view.bucket(META);
  const at = (key: Uint8Array): number => {
    const value = meta?.get(key);
    return (value && readRevision(value)?.main) ?? -1;
  };
  return { compacted: at(FINISHED_COMPACT_REV), scheduled: at(SCHEDULED_COMPACT_REV) };
}

function* rowsOf(backend: Backend, bucket: Uint8Array): Generator<[Uint8Array, Uint8Array]> {
  const cursor = backend.view.bucket(bucket)?.cursor();
  for (let more = cursor?.first(); more && cursor; more = cursor.next()) {
    const value = cursor.value();
    if (value !== undefined) yield [cursor.key(), value];
  }
}

async function loadLeases(
  backend: Backend,
  lessor: Lessor,
  { leases }: RestoredIndex,
  log: EngineLog,
): Promise<void> {
  let endMs = performance.now() + SLICE_MS;
  const pause = async (): Promise<void> => {
    if (performance.now() < endMs) return;
    await nextTurn();
    endMs = performance.now() + SLICE_MS;
  };
  for (const [key, value] of rowsOf(backend, LEASE)) {
    if (!lessor.load(key, value)) {
      throw new CorruptionError(backend.view.path, 0, `bucket lease: ${hex(key)} is no lease`);
    }
    await pause();
  }
  let unknown = 0;
  for (const [key, lease] of leases) {
    if (lessor.has(lease)) lessor.attach(key, lease);
    else unknown++;
    await pause();
  }
  if (unknown > 0) {
    log({
      level: "warn",
      message: "keys hang on leases that are not there",
      fields: { keys: unknown },
    });
  }
}

interface Logged {
  readonly wal: Wal;
  readonly cluster: Cluster;
  readonly entries: readonly Entry[];
  readonly snapshotIndex: number;
  readonly snapshotTerm: number;
}

/**
 * The entry that the database has come to. Its term is the log's to say: etcd 3.4 keeps none, and leaves one that is
 * there as it is.
 */
function startOf({ entries, snapshotIndex, snapshotTerm }: Logged, backend: Backend): LogPoint {
  const { index, term } = backend.committedPoint;
  if (index === snapshotIndex) return { index, term: snapshotTerm };
  // One beyond the log's end is dealt with by `settleEnd`.
  return { index, term: entries[index - snapshotIndex - 1]?.term ?? term };
}

async function newLog(
  { parent, name: folder }: WalPlace,
  { identity, wal: walOptions }: RecoveryOptions,
): Promise<Logged> {
  const { name, peerUrls, token } = identity;
  const nodeId = memberId(peerUrls, token);
  const id = clusterId([nodeId]);
  const wal = createWal(parent, folder, encodeMetadata({ nodeId, clusterId: id }), walOptions);
  try {
    return await firstEntries(wal, new Cluster(id, nodeId), { name, peerUrls, nodeId });
  } catch (error) {
    await wal.close().catch(() => undefined);
    throw error;
  }
}

/** The member says that it is one. Without it the log says nothing, as after a crash right behind its making. */
async function firstEntries(
  wal: Wal,
  cluster: Cluster,
  { name, peerUrls, nodeId }: { name: string; peerUrls: readonly string[]; nodeId: bigint },
): Promise<Logged> {
  const { entries, hardState } = initialEntries([{ id: nodeId, name, peerUrls }]);
  await wal.append(entries, hardState);
  return { wal, cluster, entries, snapshotIndex: 0, snapshotTerm: 0 };
}

/**
 * Opens the log at the newest snapshot that the database has all of: one that says more than the database does leaves
 * a gap, as when an older copy of the database was put in its place. The log before it may still be there.
 */
async function openLog(
  walFolder: Directory,
  snapFolder: Directory,
  backend: Backend,
  options: RecoveryOptions,
): Promise<Logged> {
  const { log, identity } = options;
  const { index: reflected } = backend.committedPoint;
  const valid = snapshotsOf(walFolder, log, options.wal);
  const usable = valid.filter(({ index }) => index <= reflected || index === 0);
  const { snapshot, broken } = loadNewestSnap(snapFolder, usable);
  const firstIndex = firstIndexOf(walFolder);
  if (snapshot === undefined && reflected + 1 < firstIndex) {
    throw new StrataError(
      "INCOMPATIBLE",
      `${snapFolder.path}/${DATABASE_NAME} has the log up to entry ${reflected}, and the log in ${walFolder.path} begins after it: restore a snapshot`,
    );
  }
  for (const { name, why } of broken) {
    log({ level: "warn", message: "a snapshot file is unreadable", fields: { name, why } });
  }
  const isCutOff = snapshot === undefined && firstIndex > 0;
  if (isCutOff) {
    log({
      level: "warn",
      message: "no snapshot file is left: who the members are is taken from the database",
      fields: { path: snapFolder.path },
    });
  }
  const from = snapshot ?? (isCutOff ? backend.committedPoint : { index: 0, term: 0 });
  const { wal, contents, repaired } = openWal(walFolder, from, { ...options.wal, repair: true });
  if (repaired !== undefined) {
    log({
      level: "warn",
      message: "the log ended within a record, and was repaired",
      fields: { path: walFolder.path },
    });
  }
  try {
    const metadata = decodeMetadata(wal.metadata);
    // Not a CorruptionError: an older root of the database is no remedy.
    if (typeof metadata === "string") throw new WalError("bad-record", walFolder.path, 0, metadata);
    const { nodeId, clusterId: id } = metadata;
    const cluster = new Cluster(id, nodeId, clusterOf(snapshot, isCutOff, backend));
    const { entries } = contents;
    if (entries.length === 0 && from.index === 0) {
      const { commit } = contents.hardState;
      if (commit > 0) {
        throw new StrataError(
          "INCOMPATIBLE",
          `${walFolder.path} has committed entry ${commit}, and neither it nor ${snapFolder.path}/${DATABASE_NAME} has it: restore a snapshot`,
        );
      }
      return await firstEntries(wal, cluster, { ...identity, nodeId });
    }
    return { wal, cluster, entries, snapshotIndex: from.index, snapshotTerm: from.term };
  } catch (error) {
    await wal.close().catch(() => undefined);
    throw error;
  }
}

/** What the oldest segment begins with, by its name; 0 for the first of all. */
function firstIndexOf(walFolder: Directory): number {
  return segmentsOf(walFolder.list())[0]?.index ?? 0;
}

/** A log that ends within a record is repaired before its snapshots are looked for. */
function snapshotsOf(
  walFolder: Directory,
  log: EngineLog,
  options: WalOptions,
): ReturnType<typeof validSnapshots> {
  try {
    return validSnapshots(walFolder);
  } catch (error) {
    if (!(error instanceof WalError)) throw error;
    log({
      level: "warn",
      message: "the log is damaged",
      fields: { error: error.message, noFsync: options.noFsync ?? false },
    });
    throw error;
  }
}

/** Who the members were where the log is read from. */
function clusterOf(
  snapshot: RaftSnapshot | undefined,
  isCutOff: boolean,
  backend: Backend,
): ClusterState {
  if (snapshot === undefined && !isCutOff) return NO_CLUSTER;
  const state =
    snapshot === undefined
      ? clusterOfRows({
          members: rowsOf(backend, MEMBERS),
          removed: [...rowsOf(backend, MEMBERS_REMOVED)].map(([key]) => key),
          version: backend.view.bucket(CLUSTER)?.get(CLUSTER_VERSION),
        })
      : decodeV2Store(snapshot.data ?? new Uint8Array());
  if (typeof state !== "string") return state;
  const where = snapshot === undefined ? "the members" : `the snapshot at ${snapshot.index}`;
  throw new CorruptionError(backend.view.path, 0, `${where}: ${state}`);
}

async function replay(
  entries: readonly Entry[],
  backend: Backend,
  applier: Applier,
  { onProgress, signal }: RecoveryOptions,
): Promise<void> {
  const { index: reflected } = backend.committedPoint;
  let endMs = performance.now() + SLICE_MS;
  for (const [i, entry] of entries.entries()) {
    applyLogged(entry, applier, entry.index > reflected);
    if (entry.index > reflected) backend.applied({ index: entry.index, term: entry.term });
    if (backend.isFull) await backend.room();
    backend.assertWorks();
    if (performance.now() < endMs) continue;
    onProgress({ phase: "replay", done: i + 1, total: entries.length });
    await nextTurn();
    signal?.throwIfAborted();
    endMs = performance.now() + SLICE_MS;
  }
}

/** Fields of requests about users and roles, but for those that only read. */
const AUTH_CHANGES: ReadonlySet<number> = new Set([
  1000, 1011, 1100, 1101, 1103, 1104, 1105, 1200, 1201, 1203, 1204,
]);

/** @param isNew  its effects are not in the page file. Who the members are is told by every entry. */
export function applyLogged(entry: Entry, applier: Applier, isNew: boolean): void {
  const { type, index, data } = entry;
  if (type === EntryType.confChange) {
    const change = decodeConfChange(data ?? new Uint8Array());
    if (typeof change === "string")
      throw new StrataError("CORRUPT", `log entry ${index}: ${change}`);
    applier.applyConfChange(change, isNew);
    return;
  }
  if (type === EntryType.confChangeV2) {
    throw new StrataError(
      "INCOMPATIBLE",
      `log entry ${index}: a change of members in a form that etcd never writes`,
    );
  }
  const decoded = decodeNormalEntry(data);
  switch (decoded.kind) {
    case "noop":
      return;
    case "v2":
      applier.applyV2Put(decoded.put, isNew);
      return;
    case "request": {
      const { request } = decoded.logged;
      if (request === undefined) {
        throw new StrataError(
          "INCOMPATIBLE",
          `log entry ${index}: a request that this version does not know`,
        );
      }
      if (isNew && request.kind === "auth" && AUTH_CHANGES.has(request.field)) {
        throw new StrataError(
          "INCOMPATIBLE",
          `log entry ${index} changes users or roles, which this version does not, and the database has it not yet: have the etcd that wrote it start and stop once`,
        );
      }
      applier.replay(request, isNew);
      return;
    }
    case "unknown":
      throw new StrataError("CORRUPT", `log entry ${index}: ${decoded.why}`);
  }
}

/**
 * A log that a repair has cut below what the database has: new entries would have indexes that it takes for applied.
 * The database keeps what it has, and counts from the end of the log again.
 */
async function settleEnd(
  { wal, backend }: { readonly wal: Wal; readonly backend: Backend },
  log: EngineLog,
): Promise<void> {
  const { index } = backend.committedPoint;
  if (wal.lastIndex >= index) return;
  log({
    level: "error",
    message: "the log ends before what the database has: what the database has is kept",
    fields: { lastIndex: wal.lastIndex, consistentIndex: index },
  });
  backend.applied({ index: wal.lastIndex, term: wal.hardState.term });
  await backend.commit();
}
