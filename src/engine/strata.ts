/**
 * etcd in this process: a store in a data dir that a real etcd can take over, or in memory.
 *
 *     await using store = await Strata.open({ dir: "default.etcd" });
 *     await store.put("greeting", "hello");
 *     const kv = await store.get("greeting");
 */
import { join, resolve } from "node:path";
import { type DirectoryTree, SystemDirectory } from "../../native-free/file.ts";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import type { AlarmMember } from "../alarm/alarm-record.ts";
import { type Key, type Keys, textOf } from "../api/key-range.ts";
import type {
  CallOptions,
  DeleteResponse,
  HashKvResponse,
  LeaseStatus,
  OpResponse,
  PutResponse,
  RangeResponse,
  TxnResponse,
} from "../api/responses.ts";
import {
  type DeleteOptions,
  deleteRequest,
  type PutOptions,
  putRequest,
  type RangeOptions,
  rangeRequest,
  type Txn,
  txnRequest,
} from "../api/txn-builder.ts";
import { KeyValue } from "../api/value.ts";
import type { Watch } from "../api/watch.ts";
import { int64, wholeNumber } from "../api/whole-number.ts";
import { InlineStorage } from "../backend/inline-storage.ts";
import type { PinReport } from "../backend/pins.ts";
import type { QuotaMode } from "../backend/quota.ts";
import type { StorageOptions } from "../backend/storage.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { EtcdError, StrataError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { nextTurn } from "../base/turn.ts";
import type { Progress } from "../jobs/progress.ts";
import { StorageThread } from "../jobs/storage-thread.ts";
import { TXN_OPS_MAX } from "../mvcc/check-request.ts";
import type { RangeOutcome } from "../mvcc/range.ts";
import type { OpResult, TxnResult } from "../mvcc/txn.ts";
import { AlarmAction, AlarmType, type RangeRequest } from "../proto/messages.ts";
import type { SyncPolicy } from "../wal/sync-policy.ts";
import type { DefragOptions, DefragReport } from "./defragmentation.ts";
import type { CheckOptions, CheckReport } from "./integrity-checks.ts";
import type { Jobs } from "./jobs.ts";
import type { EngineLog } from "./log.ts";
import { Member, type MemberStatus } from "./member.ts";
import { DATABASE_NAME, type RecoveryProgress } from "./recovery.ts";
import { type ScheduledSnapshotsWish, scheduledSnapshotsOf } from "./scheduled-snapshots.ts";
import {
  runSelfMaintenance,
  SELF_MAINTAIN_SOFT_LIMIT,
  type SelfMaintain,
  selfMaintenanceOf,
} from "./self-maintenance.ts";
import type { SavedSnapshot, Snapshot } from "./snapshots.ts";
import { type WatchKeysOptions, watchKeys } from "./watch.ts";

/**
 * Where a store is. A `dir` is locked for as long as it is open, against every other process, a real etcd included.
 * `memory` is gone with the process. A `disk` is somebody's own: tests hand in one that breaks.
 */
export type StrataPlace =
  | { readonly dir: string }
  | { readonly memory: true }
  | { readonly disk: DirectoryTree };

/** Everything has a default: etcd's, unless said. Sizes are in bytes, times in milliseconds. */
export interface StrataOptions {
  /** Of the member, when the data dir is made. Default: `default`. */
  readonly name?: string;
  /** Its ids are made of these when the data dir is made. Default: `["http://localhost:2380"]`. */
  readonly peerUrls?: readonly string[];
  /** As --initial-cluster-token, when the data dir is made. Default: `etcd-cluster`. */
  readonly token?: string;
  /** Published as the member's. Default: `["http://localhost:2379"]`. */
  readonly clientUrls?: readonly string[];
  /** What the database may take; 0: 2 GiB; negative: no limit. Default: 0. */
  readonly quotaBytes?: number;
  /**
   * `size`: etcd's rule, the whole file. `allocatable`: without what can be used again. Default: `allocatable`; `size`
   * if `selfMaintain` is false.
   */
  readonly quotaMode?: QuotaMode;
  /**
   * A share of the quota, from 0 on and below 1, from which on its filling is warned of; 0: never. Default: 0.8; 0 if
   * `selfMaintain` is false.
   */
  readonly quotaSoftLimit?: number;
  /** The NOSPACE alarm is lifted when there is room again. Default: true; false if `selfMaintain` is. */
  readonly autoDisarm?: boolean;
  /** A segment of the log. Default: 64,000,000. */
  readonly segmentBytes?: number;
  /** Log entries between two snapshots, behind which the log is given up. Default: 100,000. */
  readonly snapshotCount?: number;
  /** How old and how many writes may be before the page file has them too. Default: 100 and 10,000. */
  readonly batchIntervalMs?: number;
  readonly batchLimit?: number;
  /** Of database pages on the main thread, and as many on the storage thread. Default: 64 MiB. */
  readonly cacheBytes?: number;
  /** Never wait for the disk: a power loss may then take everything. Default: false. */
  readonly unsafeNoFsync?: boolean;
  /** Of one request in the log. Default: 1.5 MiB; 9 MiB at most, because etcd 3.4 reads no record of 10. */
  readonly maxRequestBytes?: number;
  /** Default: 128. */
  readonly maxTxnOps?: number;
  /** Records that one step of a compaction looks at, and the pause after it. Default: as many as 10 ms allow, and 10. */
  readonly compactionBatchLimit?: number;
  readonly compactionSleepMs?: number;
  /** Shorter leases are raised to it, in seconds. Default: 2. */
  readonly minLeaseTtl?: number;
  /** How much a lease may gain by a crash at most. Default: 10,000. */
  readonly leaseCheckpointIntervalMs?: number;
  /** Of progress batches of watches that ask for them. Default: 600,000. */
  readonly watchProgressIntervalMs?: number;
  /**
   * What the store does by itself, as the server's --self-maintain: part by part, of which undefined stands for the
   * default and false for none of it. Default: true, all of it, and a quota that heals itself.
   */
  readonly selfMaintain?: boolean | SelfMaintain;
  /** Saved and verified by the store itself, in a folder: as the server's --snapshot-dir. Default: none. */
  readonly snapshots?: ScheduledSnapshotsWish;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** 0 ≤ result < 1; for jitter only. Default: Math.random. */
  readonly random?: () => number;
  /** Default: warnings and errors become process warnings, the rest is dropped. */
  readonly log?: EngineLog;
  /** x. */
  readonly onProgress?: (progress: RecoveryProgress) => void;
  /** Where the log's fdatasync runs. Default: measured as it goes. */
  readonly syncPolicy?: SyncPolicy;
  /** A batch of so many bytes of the log is written and synced on another thread. Default: 524,288. */
  readonly writeBesideBytes?: number;
  /** Ends the opening. */
  readonly signal?: AbortSignal;
}

export interface SnapshotOptions extends CallOptions {
  /** About ten times a second, and once at the end. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface StrataStatus extends Omit<MemberStatus, "revision" | "compactedRevision"> {
  readonly revision: bigint;
  /** -1n: never compacted. */
  readonly compactedRevision: bigint;
  /** Who keeps old pages of the database from being used again, longest first. */
  readonly readers: readonly PinReport[];
}

const CACHE_BYTES = 64 * 1024 * 1024;

const REQUEST_BYTES_MAX = 9 * 1024 * 1024;

/** How long a range works before others have their turn. */
const SLICE_MS = 2;

/** Keys of one page of `range`. */
const PAGE_KEYS = 1000;

/**
 * A write is on the disk when its promise resolves: it survives a kill, and a power loss. Reads see every write that
 * has resolved before them.
 *
 * Errors are `StrataError`s, to be told apart by `code`. What etcd would answer a client is an `EtcdError`, with etcd's
 * own text. FAILED means that the disk refused a write: reads go on, writes do not until the store is opened again, and
 * nothing that was acknowledged is lost.
 *
 * Every call takes `{ signal }`. An aborted call rejects with the signal's reason; a write that was under way by then
 * may still come about.
 */
export class Strata {
  /** What a server is built on. */
  readonly member: Member;
  readonly lease: Leases;
  readonly alarms: Alarms;
  readonly #selfMaintenance: Promise<void>;

  private constructor(member: Member, selfMaintenance: Promise<void>) {
    this.member = member;
    this.lease = new Leases(member);
    this.alarms = new Alarms(member);
    this.#selfMaintenance = selfMaintenance;
  }

  /**
   * Opens a store, or makes one.
   * @throws (rejects) StrataError LOCKED (with the holder), NO_LOCK, INCOMPATIBLE (a data dir that is not one member's);
   *   CorruptionError, WalError with the file and the place; the system's errors
   */
  static async open(place: StrataPlace, options: StrataOptions = {}): Promise<Strata> {
    const { maxRequestBytes = 1.5 * 1024 * 1024 } = options;
    if (!(maxRequestBytes > 0 && maxRequestBytes <= REQUEST_BYTES_MAX)) {
      const what = `maxRequestBytes: ${maxRequestBytes} is not from 1 to ${REQUEST_BYTES_MAX}`;
      throw new StrataError("BAD_ARGUMENT", what);
    }
    const noSync = options.unsafeNoFsync ?? "memory" in place;
    const cacheBytes = options.cacheBytes ?? CACHE_BYTES;
    const storage: StorageOptions = { noSync, cacheBytes, pageBytes: 4096 };
    const disk = diskOf(place);
    const isSystem = "dir" in place;
    const log = options.log ?? warn;
    const { snapshots, selfMaintain = true } = options;
    const selfMaintenance = {
      ...selfMaintenanceOf(selfMaintain),
      snapshots: snapshots && scheduledSnapshotsOf({ ...snapshots, dir: resolve(snapshots.dir) }),
    };
    const heals = selfMaintain !== false;
    const member = await Member.open({
      disk,
      storage: (snapFolder) =>
        isSystem
          ? new StorageThread(join(snapFolder.path, DATABASE_NAME), storage)
          : new InlineStorage(snapFolder, DATABASE_NAME, storage),
      threads: isSystem,
      clock: options.clock ?? systemClock,
      random: options.random ?? systemRandom,
      log,
      name: options.name ?? "default",
      peerUrls: options.peerUrls ?? ["http://localhost:2380"],
      token: options.token ?? "etcd-cluster",
      clientUrls: options.clientUrls ?? ["http://localhost:2379"],
      backend: given({
        batchIntervalMs: options.batchIntervalMs,
        batchLimit: options.batchLimit,
        cacheBytes,
      }),
      wal: given({
        segmentBytes: options.segmentBytes,
        noFsync: noSync,
        syncPolicy: options.syncPolicy,
        writeBesideBytes: options.writeBesideBytes,
      }),
      compaction: given({
        batchLimit: options.compactionBatchLimit,
        sleepMs: options.compactionSleepMs,
      }),
      quotaBytes: options.quotaBytes ?? 0,
      quotaMode: options.quotaMode ?? (heals ? "allocatable" : "size"),
      quotaSoftLimit: options.quotaSoftLimit ?? (heals ? SELF_MAINTAIN_SOFT_LIMIT : 0),
      autoDisarm: options.autoDisarm ?? heals,
      snapshotCount: options.snapshotCount ?? 100_000,
      maxRequestBytes,
      maxTxnOps: options.maxTxnOps ?? TXN_OPS_MAX,
      minLeaseTtl: options.minLeaseTtl,
      leaseCheckpointIntervalMs: options.leaseCheckpointIntervalMs,
      progressIntervalMs: options.watchProgressIntervalMs ?? 600_000,
      onProgress: options.onProgress ?? ((): void => undefined),
      signal: options.signal,
    });
    return new Strata(
      member,
      runSelfMaintenance(member, selfMaintenance, () => log, member.stopped),
    );
  }

  /**
   * @param value  a string stands for its UTF-8 bytes
   * @throws (rejects) EtcdError EMPTY_KEY, LEASE_NOT_FOUND, KEY_NOT_FOUND (ignoreValue or ignoreLease of a missing key),
   *   VALUE_PROVIDED, LEASE_PROVIDED, REQUEST_TOO_LARGE, NO_SPACE, CORRUPT_CLUSTER
   */
  async put(key: Key, value: Key, options: PutOptions & CallOptions = {}): Promise<PutResponse> {
    const { signal } = options;
    signal?.throwIfAborted();
    const work = this.member.put(putRequest(key, value, options));
    return putResponse(await (signal === undefined ? work : until(signal, work)));
  }

  /**
   * One key; undefined if it is not there.
   * @throws (rejects) EtcdError EMPTY_KEY, COMPACTED, FUTURE
   */
  async get(
    key: Key,
    options: { readonly revision?: bigint | number } & CallOptions = {},
  ): Promise<KeyValue | undefined> {
    options.signal?.throwIfAborted();
    if (options.revision === undefined) {
      const record = this.member.get(textOf(key));
      return record && new KeyValue(record);
    }
    const [record] = this.member.range(rangeRequest(key, options)).kvs;
    return record && new KeyValue(record);
  }

  /**
   * All keys of a range, as they were at one revision: that asked for, or the current one when the iteration begins.
   * They are read a page at a time, as they are asked for.
   *
   * @throws (rejects) EtcdError EMPTY_KEY, COMPACTED (also in the middle, if a compaction overtakes it), FUTURE
   */
  async *range(
    keys: Keys,
    options: RangeOptions & CallOptions = {},
  ): AsyncGenerator<KeyValue, void> {
    const { signal } = options;
    const request = rangeRequest(keys, options);
    const revision = this.member.readableRevision(request);
    let left = request.limit > 0 ? request.limit : Number.POSITIVE_INFINITY;
    if (isSorted(request)) {
      const { kvs } = await this.#read({ ...request, revision }, true, signal);
      for (const record of kvs) yield new KeyValue(record);
      return;
    }
    let { key } = request;
    while (left > 0) {
      const limit = Math.min(left, PAGE_KEYS);
      const { kvs, more } = await this.#read({ ...request, key, revision, limit }, false, signal);
      let last: KeyValue | undefined;
      for (const record of kvs) {
        last = new KeyValue(record);
        yield last;
      }
      if (!more || last === undefined) return;
      left -= kvs.length;
      key = Buffer.concat([last.key, Buffer.alloc(1)]);
    }
  }

  /** The same at once, with what etcd's Range says besides. */
  async rangeAll(keys: Keys, options: RangeOptions & CallOptions = {}): Promise<RangeResponse> {
    const request = rangeRequest(keys, options);
    const revision = this.member.readableRevision(request);
    // Writes go on while it is read: whoever watches from here on must not miss one that is not in it.
    const { currentRevision } = this.member.store;
    const outcome = await this.#read({ ...request, revision }, true, options.signal);
    return rangeResponse(currentRevision, outcome);
  }

  /** How many keys a range has. */
  async count(
    keys: Keys,
    options: { readonly revision?: bigint | number } & CallOptions = {},
  ): Promise<number> {
    const request = rangeRequest(keys, { ...options, countOnly: true });
    const revision = this.member.readableRevision(request);
    return (await this.#read({ ...request, revision }, true, options.signal)).count;
  }

  /** Deletes a key, or every key of a range. @throws (rejects) EtcdError EMPTY_KEY, CORRUPT_CLUSTER */
  async delete(keys: Keys, options: DeleteOptions & CallOptions = {}): Promise<DeleteResponse> {
    const { signal } = options;
    signal?.throwIfAborted();
    const request = deleteRequest(keys, options);
    return deleteResponse(await until(signal, this.member.deleteRange(request)));
  }

  /**
   * @throws (rejects) EtcdError TOO_MANY_OPS, DUPLICATE_KEY, and what its operations throw; then nothing of it was done
   */
  async txn(txn: Txn, options: CallOptions = {}): Promise<TxnResponse> {
    const { signal } = options;
    signal?.throwIfAborted();
    return txnResponse(await until(signal, this.member.txn(txnRequest(txn))));
  }

  /**
   * Gives up the history below a revision.
   * @param options  physical: resolve only when it is gone from the disk, and not when reads of it begin to fail
   * @throws (rejects) EtcdError COMPACTED (it was given up before), FUTURE; StrataError BAD_ARGUMENT for what is not whole
   */
  async compact(
    revision: bigint | number,
    options: { readonly physical?: boolean } & CallOptions = {},
  ): Promise<void> {
    const { signal, physical = false } = options;
    signal?.throwIfAborted();
    const at = wholeNumber(revision, "revision");
    await until(signal, this.member.compact({ kind: "compaction", revision: at, physical }));
  }

  /**
   * Every change of some keys, in order, none lost and none twice, from a revision on: first what has been, then what
   * comes. It begins when this is called. Whoever takes slowly is not waited for: the changes are read again when asked
   * for, and if they have been given up by then, the iteration throws COMPACTED.
   *
   * @throws EtcdError EMPTY_KEY, COMPACTED (in the iteration); StrataError BAD_ARGUMENT for a range that cannot have
   *   keys, CLOSED
   */
  watch(keys: Keys, options: WatchKeysOptions & CallOptions = {}): Watch {
    return watchKeys(this.member, keys, options);
  }

  /**
   * etcd's HashKV: a checksum of the keys and their history up to a revision, the same in every etcd that has the same.
   * It is of the moment of the call, however much is written meanwhile.
   *
   * @param revision  default: the current one
   * @throws (rejects) EtcdError COMPACTED (also if a compaction overtakes it), FUTURE; StrataError FAILED
   */
  async hashKv(revision: bigint | number = 0, options: CallOptions = {}): Promise<HashKvResponse> {
    const found = await this.member.maintenance.hashKv(Number(revision), options.signal);
    return {
      hash: found.hash,
      revision: BigInt(found.revision),
      compactRevision: BigInt(found.compactRevision),
    };
  }

  /** etcd's Hash: a checksum of the whole database, leases and members included. @throws (rejects) StrataError FAILED */
  async hash(options: CallOptions = {}): Promise<number> {
    return this.member.maintenance.hash(options.signal);
  }

  /**
   * A snapshot, byte for byte what `etcdctl snapshot save` writes: the database as it is at the call, and a checksum.
   * Whatever takes an AsyncIterable takes it, as slowly as it likes:
   *
   *     await pipeline(await store.snapshot(), createWriteStream("backup.db"));
   *
   * Until it is taken, closed or aborted, the database cannot use its old pages again and grows.
   *
   * @throws (rejects) StrataError FAILED
   */
  async snapshot(options: SnapshotOptions = {}): Promise<Snapshot> {
    return this.member.maintenance.snapshot(options);
  }

  /**
   * Saves a snapshot to a file, which is made or replaced: when the promise resolves it is there for good, and before
   * that, or if it fails, not at all.
   * @throws (rejects) StrataError FAILED; the system's errors
   */
  async saveSnapshot(path: string, options: SnapshotOptions = {}): Promise<SavedSnapshot> {
    return this.member.maintenance.saveSnapshot(resolve(path), options.signal, options.onProgress);
  }

  /**
   * bbolt's check of the database as it is at the call: every page and every key in its place. Reads and writes go on
   * meanwhile. Faults are not thrown, they are the result, and an error in the log.
   * @throws (rejects) StrataError FAILED, CANCELED
   */
  async check(options: CheckOptions = {}): Promise<CheckReport> {
    return this.member.maintenance.check(options);
  }

  /**
   * Writes the database file anew without its free pages and puts it in its place, while reads and writes go on.
   * @throws (rejects) StrataError NO_DISK, NO_LOCK, LOCKED (another one runs): then all is as it was; FAILED, CANCELED
   */
  async defragment(options: DefragOptions = {}): Promise<DefragReport> {
    return this.member.maintenance.defragment(options);
  }

  /** Long work that is under way: to be looked at, and cancelled by id. */
  get jobs(): Jobs {
    return this.member.jobs;
  }

  status(): StrataStatus {
    const status = this.member.status();
    return {
      ...status,
      revision: BigInt(status.revision),
      compactedRevision: BigInt(status.compactedRevision),
      readers: this.member.backend.pinned(),
    };
  }

  /**
   * Answers what is under way, brings everything to the disk, and gives the data dir up.
   *
   * @param options  handover: an etcd without lease checkpoints is to take the data dir over; every lease starts there
   *   with its full TTL then, see `Lessor`. Else leases keep what is left of theirs
   * @throws (rejects) StrataError FAILED if that was refused; it is closed then, too
   */
  async close(options: { readonly handover?: boolean } = {}): Promise<void> {
    try {
      await this.member.close(options.handover ?? false);
    } finally {
      await this.#selfMaintenance;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #read(
    request: RangeRequest,
    counts: boolean,
    signal: AbortSignal | undefined,
  ): Promise<RangeOutcome> {
    signal?.throwIfAborted();
    const steps = this.member.rangeSteps(request, counts);
    let endMs = performance.now() + SLICE_MS;
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      if (performance.now() < endMs) continue;
      await nextTurn();
      signal?.throwIfAborted();
      this.member.assertOpen();
      endMs = performance.now() + SLICE_MS;
    }
  }
}

/** Leases: keys that go when nobody keeps them alive. */
export class Leases {
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
  }

  /**
   * @param ttl  whole seconds; less than the minimum (2) is raised to it
   * @param options  id: of the caller's choice, not 0n; else one is chosen
   * @throws (rejects) EtcdError LEASE_EXIST, LEASE_TTL_TOO_LARGE, NO_SPACE
   */
  async grant(
    ttl: number,
    options: { readonly id?: bigint } & CallOptions = {},
  ): Promise<{ readonly id: bigint; readonly ttl: number }> {
    options.signal?.throwIfAborted();
    const id = int64(options.id ?? 0n, "a lease");
    return until(options.signal, this.#member.leaseGrant(wholeNumber(ttl, "ttl"), id));
  }

  /** Deletes its keys, all as one revision. @throws (rejects) EtcdError LEASE_NOT_FOUND */
  async revoke(id: bigint, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await until(options.signal, this.#member.leaseRevoke(int64(id, "a lease")));
  }

  /**
   * Gives a lease its full TTL again, once.
   * @returns the TTL in seconds. @throws (rejects) EtcdError LEASE_NOT_FOUND, also if it has expired
   */
  async keepAlive(id: bigint, options: CallOptions = {}): Promise<number> {
    options.signal?.throwIfAborted();
    const ttl = await until(options.signal, this.#member.leaseKeepAlive(id));
    if (ttl === 0) throw new EtcdError("LEASE_NOT_FOUND");
    return ttl;
  }

  /** @returns undefined if there is no such lease. `keys` is empty unless asked for */
  async timeToLive(
    id: bigint,
    options: { readonly keys?: boolean } & CallOptions = {},
  ): Promise<LeaseStatus | undefined> {
    options.signal?.throwIfAborted();
    this.#member.assertOpen();
    const { ttl, grantedTtl, keys } = this.#member.lessor.timeToLive(id, options.keys ?? false);
    if (grantedTtl === 0) return undefined;
    return { id, ttl, grantedTtl, keys: keys.map((key) => Buffer.from(key, "latin1")) };
  }

  /** Their ids, soonest to expire first. */
  async list(options: CallOptions = {}): Promise<bigint[]> {
    options.signal?.throwIfAborted();
    this.#member.assertOpen();
    return this.#member.lessor.leases();
  }
}

export type AlarmName = "noSpace" | "corrupt";

const ALARM_TYPES: Readonly<Record<AlarmName, number>> = {
  noSpace: AlarmType.noSpace,
  corrupt: AlarmType.corrupt,
};

export class Alarms {
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
  }

  list(): readonly AlarmMember[] {
    return this.#member.alarms.get();
  }

  /** @returns what was raised */
  async activate(alarm: AlarmName, options: CallOptions = {}): Promise<readonly AlarmMember[]> {
    return this.#change(AlarmAction.activate, this.#member.cluster.localId, alarm, options);
  }

  /** Takes every alarm of a type away, of whichever member. @returns those that were */
  async disarm(alarm: AlarmName, options: CallOptions = {}): Promise<readonly AlarmMember[]> {
    const gone: AlarmMember[] = [];
    for (const { memberId } of this.#member.alarms.get(ALARM_TYPES[alarm])) {
      gone.push(...(await this.#change(AlarmAction.deactivate, memberId, alarm, options)));
    }
    return gone;
  }

  async #change(
    action: number,
    memberId: bigint,
    alarm: AlarmName,
    { signal }: CallOptions,
  ): Promise<readonly AlarmMember[]> {
    signal?.throwIfAborted();
    return until(signal, this.#member.alarm(action, memberId, ALARM_TYPES[alarm]));
  }
}

function diskOf(place: StrataPlace): DirectoryTree {
  if ("dir" in place) return SystemDirectory.make(resolve(place.dir));
  if ("disk" in place) return place.disk;
  if (place.memory) return new MemoryTree();
  throw new StrataError(
    "BAD_ARGUMENT",
    "a store is opened in { dir }, { memory: true } or { disk }",
  );
}

/** Rejects with the signal's reason as soon as it aborts, and leaves `work` to itself then. */
async function until<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = (): void => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function isSorted({ sortTarget, sortOrder }: RangeRequest): boolean {
  return sortTarget !== 0 || sortOrder === 2;
}

function rangeResponse(revision: number, { kvs, more, count }: RangeOutcome): RangeResponse {
  return { revision: BigInt(revision), kvs: kvs.map((kv) => new KeyValue(kv)), more, count };
}

function putResponse({ revision, prevKv }: OpResult & { kind: "put" }): PutResponse {
  return { revision: BigInt(revision), prevKv: prevKv && new KeyValue(prevKv) };
}

function deleteResponse(result: OpResult & { kind: "deleteRange" }): DeleteResponse {
  const { revision, deleted, prevKvs } = result;
  return { revision: BigInt(revision), deleted, prevKvs: prevKvs.map((kv) => new KeyValue(kv)) };
}

function txnResponse({ revision, succeeded, responses }: TxnResult): TxnResponse {
  return { revision: BigInt(revision), succeeded, responses: responses.map(opResponse) };
}

function opResponse(result: OpResult): OpResponse {
  switch (result.kind) {
    case "range":
      return { kind: "range", ...rangeResponse(result.revision, result) };
    case "put":
      return { kind: "put", ...putResponse(result) };
    case "deleteRange":
      return { kind: "delete", ...deleteResponse(result) };
    case "txn":
      return { kind: "txn", ...txnResponse(result) };
  }
}

/** Without what is undefined: a default is taken for what is not there. */
function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

const warn: EngineLog = ({ level, message, fields }) => {
  if (level === "info") return;
  const shown = Object.entries(fields ?? {}).map(([name, value]) => ` ${name}=${value}`);
  process.emitWarning(`${message}${shown.join("")}`, { type: "StrataWarning" });
};
