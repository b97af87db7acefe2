/**
 * One etcd member, alone in its cluster: a recovered data dir that takes requests. What a server does over the wire and
 * a program in the process both go through here.
 *
 * @see etcd server/etcdserver/server.go
 */
import type { Directory, DirectoryTree } from "../../native-free/file.ts";
import type { AlarmMember } from "../alarm/alarm-record.ts";
import type { AlarmStore } from "../alarm/alarm-store.ts";
import type { Backend, BackendOptions, BackendSpace } from "../backend/backend.ts";
import type { Quota } from "../backend/quota.ts";
import type { Storage } from "../backend/storage.ts";
import type { Clock } from "../base/clock.ts";
import { EtcdError, reasonOf, StrataError } from "../base/errors.ts";
import { formatGoDuration } from "../base/go-duration.ts";
import { type KeptFiles, type Upkeep, UpkeepHere, UpkeepThreads } from "../jobs/upkeep.ts";
import type { LeaseCheckpoint } from "../lease/checkpoints.ts";
import { Lessor } from "../lease/lessor.ts";
import { startEntries } from "../membership/boot-entries.ts";
import type { Cluster, Refusal } from "../membership/cluster.ts";
import { RequestIds } from "../membership/request-ids.ts";
import { checkDeleteRange, checkPut, checkRange, checkTxn } from "../mvcc/check-request.ts";
import { type CompactionOptions, Compactor } from "../mvcc/compaction.ts";
import { type RangeOutcome, rangeAtOnce, rangeSteps } from "../mvcc/range.ts";
import type { ChangeListener, Store } from "../mvcc/store.ts";
import {
  applyTxn,
  type DeleteRangeResult,
  isReadOnly,
  type PutResult,
  type TxnResult,
} from "../mvcc/txn.ts";
import type { Change } from "../mvcc/watch/source.ts";
import { WatchHub } from "../mvcc/watch/watch-hub.ts";
import { RequestEncoder } from "../proto/internal-request.ts";
import {
  AlarmAction,
  type CompactionRequest,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type Request,
  type TxnRequest,
} from "../proto/messages.ts";
import { type ConfChange, encodeConfChange } from "../wal/conf-change.ts";
import { EntryType } from "../wal/entry.ts";
import type { Wal, WalOptions } from "../wal/wal.ts";
import { type Answers, Applier, type RequestOf } from "./applier.ts";
import { ApplyTimes } from "./apply-times.ts";
import { Compactions } from "./compactions.ts";
import type { Instruments } from "./instruments.ts";
import { Jobs } from "./jobs.ts";
import type { EngineLog } from "./log.ts";
import { Maintenance } from "./maintenance.ts";
import { Members } from "./members.ts";
import { type Answer, Proposals, WAITING_BYTES_MAX } from "./proposals.ts";
import { applyLogged, type RecoveryProgress, recover, type WalPlace } from "./recovery.ts";
import { Snapshotter } from "./snapshotter.ts";
import { SpaceGuard, type SpaceRules } from "./space-guard.ts";

export interface MemberOptions extends SpaceRules {
  /** The data dir. */
  readonly disk: DirectoryTree;
  readonly storage: (snapFolder: Directory) => Storage;
  /** Long work runs on threads, which open the files of `disk` by their paths; else in slices on this one. */
  readonly threads: boolean;
  readonly clock: Clock;
  /** 0 ≤ result < 1. */
  readonly random: () => number;
  readonly log: EngineLog;
  /** Of a data dir that is made; the others keep their own. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly token: string;
  /** Published at every start. */
  readonly clientUrls: readonly string[];
  readonly backend: Omit<BackendOptions, "clock">;
  readonly wal: WalOptions;
  /** As --wal-dir. Default: in the data dir. */
  readonly walPlace?: WalPlace | undefined;
  /** As --max-wals and --max-snapshots: how many files stay at least. Default: five of each. */
  readonly kept?: KeptFiles | undefined;
  readonly compaction: CompactionOptions;
  /** Log entries between two snapshots. Default: 100,000, as etcd 3.5's --snapshot-count. */
  readonly snapshotCount: number;
  /** Of a request as it is logged. Default: 1.5 MiB, as etcd's --max-request-bytes. */
  readonly maxRequestBytes: number;
  readonly maxTxnOps: number;
  /** An entry that takes longer to apply is logged. Default: 100, as etcd's --warning-apply-duration. */
  readonly warningApplyMs?: number;
  /** Seconds; shorter TTLs are raised to it. */
  readonly minLeaseTtl: number | undefined;
  readonly leaseCheckpointIntervalMs: number | undefined;
  /** Between two progress batches of a watch that asked for them, about. */
  readonly progressIntervalMs: number;
  readonly onProgress: (progress: RecoveryProgress) => void;
  readonly signal: AbortSignal | undefined;
}

export interface MemberStatus extends BackendSpace {
  readonly memberId: bigint;
  readonly clusterId: bigint;
  readonly revision: number;
  readonly compactedRevision: number;
  readonly raftTerm: number;
  readonly raftIndex: number;
  readonly raftAppliedIndex: number;
  readonly quotaBytes: number;
  readonly keys: number;
  readonly leases: number;
  readonly alarms: readonly AlarmMember[];
  /** What keeps other processes out. */
  readonly lockedBy: "flock" | "sidecar" | "none";
  /** Set once a write has failed: reads go on, and writes need the store to be opened again. */
  readonly failure: string | undefined;
}

export class Member {
  readonly store: Store;
  readonly backend: Backend;
  readonly lessor: Lessor;
  readonly alarms: AlarmStore;
  readonly cluster: Cluster;
  /** Changes of the cluster's. */
  readonly members: Members;
  readonly watches: WatchHub;
  /** Long work. */
  readonly jobs: Jobs;
  readonly maintenance: Maintenance;
  /** Its quota. */
  readonly space: SpaceGuard;
  readonly term: number;
  readonly clock: Clock;
  readonly #options: MemberOptions;
  readonly #applyTimes: ApplyTimes;
  readonly #applier: Applier;
  readonly #wal: Wal;
  readonly #proposals: Proposals;
  readonly #requestIds: RequestIds;
  readonly #encoder = new RequestEncoder();
  readonly #compactor: Compactor;
  readonly #compactions: Compactions;
  readonly #snapshotter: Snapshotter;
  readonly #upkeep: Upkeep;
  readonly #lockedBy: "flock" | "sidecar" | "none";
  readonly #stopped = new AbortController();
  readonly #background: Promise<void>[] = [];
  #closed: Promise<void> | undefined;
  /** Of requests that wait for room in the backend. */
  #waitingBytes = 0;

  private constructor(options: MemberOptions, parts: MemberParts) {
    this.#options = options;
    this.#applyTimes = new ApplyTimes(options.warningApplyMs ?? 100);
    this.clock = options.clock;
    this.store = parts.store;
    this.backend = parts.backend;
    this.lessor = parts.lessor;
    this.alarms = parts.alarms;
    this.cluster = parts.cluster;
    this.term = parts.term;
    this.#applier = parts.applier;
    this.#wal = parts.wal;
    this.#requestIds = parts.requestIds;
    this.#lockedBy = parts.lockedBy;
    const { clock, random, progressIntervalMs } = options;
    this.watches = new WatchHub(this.store, { clock, random, progressIntervalMs });
    this.store.listener = new WatchListener(this.watches);
    const { store, backend } = this;
    this.jobs = new Jobs(clock, this.#stopped.signal);
    this.#compactor = new Compactor(store, backend, clock, options.compaction);
    this.#compactions = new Compactions({
      compactor: this.#compactor,
      jobs: this.jobs,
      clock,
      log: options.log,
      failed: (error) => this.#proposals.fail(error),
    });
    this.#upkeep = parts.upkeep;
    this.maintenance = new Maintenance({
      store,
      backend,
      clock,
      log: options.log,
      jobs: this.jobs,
      threads: options.threads,
      databasePath: parts.databasePath,
      snapFolder: parts.snapFolder,
      assertOpen: () => this.assertOpen(),
    });
    this.space = new SpaceGuard(
      {
        backend,
        store,
        alarms: this.alarms,
        memberId: this.cluster.localId,
        clock,
        log: options.log,
        waitingBytes: () => this.#proposals.waitingBytes,
        propose: (request) => this.#log(request),
      },
      options,
    );
    this.#proposals = new Proposals({
      wal: this.#wal,
      backend: this.backend,
      term: this.term,
      memberId: this.cluster.localId,
      failed: (error) => this.#failed(error),
    });
    this.members = new Members({
      cluster: this.cluster,
      clock,
      requestIds: this.#requestIds,
      change: (change) => this.#change(change),
    });
    this.#snapshotter = new Snapshotter(
      {
        backend: this.backend,
        cluster: this.cluster,
        wal: this.#wal,
        snapFolder: parts.snapFolder,
        walFolder: parts.walFolder,
        upkeep: parts.upkeep,
        kept: options.kept ?? {},
        log: options.log,
        failed: (error) => this.#proposals.fail(error),
      },
      options.snapshotCount,
      parts.snapshotIndex,
    );
    this.backend.onCommit = (): void => {
      if (this.backend.failure !== undefined) this.#proposals.fail(this.backend.failure);
      else {
        this.#snapshotter.committed();
        this.space.lookAgain();
      }
    };
  }

  /**
   * Opens a data dir, or makes one.
   * @throws (rejects) as `recover`
   */
  static async open(options: MemberOptions): Promise<Member> {
    const upkeep = options.threads ? new UpkeepThreads() : new UpkeepHere();
    try {
      return await Member.#open(options, upkeep);
    } catch (error) {
      await upkeep.close();
      throw error;
    }
  }

  static async #open(options: MemberOptions, upkeep: Upkeep): Promise<Member> {
    const { clock } = options;
    // The lessor proposes through the member, which is there only when recovery is over; nothing is proposed before.
    let member: Member | undefined;
    const running = (): Member => {
      if (member === undefined) throw new StrataError("CLOSED", "the member is not running");
      return member;
    };
    // Zeros are laid out in advance for the sake of the sync.
    const { prepare } = options.wal.noFsync ? {} : upkeep;
    const found = await recover({
      disk: options.disk,
      storage: options.storage,
      identity: options,
      backend: { ...options.backend, clock },
      wal: { ...options.wal, ...(prepare && { prepare }) },
      walPlace: options.walPlace,
      log: options.log,
      onProgress: options.onProgress,
      signal: options.signal,
      makeLessor: () =>
        new Lessor({
          clock,
          ...(options.minLeaseTtl !== undefined && { minTtl: options.minLeaseTtl }),
          ...(options.leaseCheckpointIntervalMs !== undefined && {
            checkpointIntervalMs: options.leaseCheckpointIntervalMs,
          }),
          proposeRevoke: (id) => running().#proposeRevoke(id),
          proposeCheckpoint: (checkpoints) => running().#proposeCheckpoint(checkpoints),
        }),
      makeApplier: (parts, host) =>
        new Applier(parts, {
          compacting: (revision) => {
            if (member === undefined) host.compacting(revision);
            else member.#compactions.start(revision);
          },
          fits: (cost) => member === undefined || member.space.fits(cost),
          outOfSpace: (cost) => member?.space.exhausted(cost),
        }),
    });
    const { wal, applier, cluster, backend, lessor } = found;
    try {
      const requestIds = new RequestIds(cluster.localId, clock.nowMs());
      const { entries, hardState } = startEntries({
        memberId: cluster.localId,
        term: wal.hardState.term,
        lastIndex: wal.lastIndex,
        attributes: {
          name: cluster.member(cluster.localId)?.name || options.name,
          clientUrls: options.clientUrls,
        },
        clusterVersion: cluster.version,
        requestId: () => requestIds.next(),
      });
      await wal.append(entries, hardState);
      for (const entry of entries) {
        applyLogged(entry, applier, true);
        backend.applied({ index: entry.index, term: entry.term });
      }
      applier.putClusterRows();
      // A commit on the way here may have failed, and nobody has been listening.
      backend.assertWorks();
      member = new Member(options, {
        ...found,
        requestIds,
        upkeep,
        term: hardState.term,
      });
    } catch (error) {
      await wal.close().catch(() => undefined);
      await backend.abandon().catch(() => undefined);
      throw error;
    }
    lessor.promote(0);
    member.#run();
    if (found.unfinishedCompaction !== undefined) {
      member.#compactions.start(found.unfinishedCompaction);
    }
    return member;
  }

  // -- key-value

  /** @throws (rejects) EtcdError; StrataError FAILED, CLOSED */
  async put(request: PutRequest): Promise<PutResult> {
    checkPut(request);
    return this.#propose(request);
  }

  /** As `put`, for those who put a lot. @throws EtcdError; StrataError FAILED, CLOSED: before it is logged */
  putAndAnswer(request: PutRequest, answer: Answer<PutResult>): void {
    checkPut(request);
    this.#proposeAndAnswer(request, answer);
  }

  async deleteRange(request: DeleteRangeRequest): Promise<DeleteRangeResult> {
    checkDeleteRange(request);
    return this.#propose(request);
  }

  async txn(request: TxnRequest): Promise<TxnResult> {
    checkTxn(request, this.#options.maxTxnOps);
    if (isReadOnly(request)) {
      this.assertOpen();
      return applyTxn(this.store, (id) => this.lessor.has(id), request);
    }
    if (this.space.hasReserve(request)) {
      this.assertWritable();
      const answer = await this.space.fromReserve(request, () => this.#log(request));
      if (answer !== undefined) return answer;
    }
    return this.#propose(request);
  }

  /**
   * The revision that a range is to read at.
   * @throws EtcdError EMPTY_KEY, INVALID_SORT_OPTION, COMPACTED, FUTURE
   */
  readableRevision(request: RangeRequest): number {
    this.assertOpen();
    checkRange(request);
    return this.store.readableRevision(request.revision);
  }

  /** At once, however much it is. @throws EtcdError EMPTY_KEY, INVALID_SORT_OPTION, COMPACTED, FUTURE */
  range(request: RangeRequest): RangeOutcome {
    return rangeAtOnce(this.store, request, this.readableRevision(request));
  }

  /** A step at a time; see range.ts. */
  rangeSteps(request: RangeRequest, counts = true): Generator<undefined, RangeOutcome> {
    return rangeSteps(this.store, request, this.readableRevision(request), counts);
  }

  /** @returns when the revision is set, or, if `physical`, when what it gives up is gone from the disk */
  async compact(request: CompactionRequest): Promise<void> {
    this.assertOpen();
    const { compactedRevision, currentRevision } = this.store;
    if (request.revision <= compactedRevision) throw new EtcdError("COMPACTED");
    if (request.revision > currentRevision) throw new EtcdError("FUTURE");
    const revision = await this.#propose(request);
    if (request.physical) {
      await this.#compactions.done(revision);
      await this.backend.commit();
    }
  }

  // -- leases

  /** @param id  0n: one is chosen */
  async leaseGrant(
    ttl: number,
    id: bigint,
  ): Promise<{ readonly id: bigint; readonly ttl: number }> {
    let chosen = id;
    while (chosen === 0n || (id === 0n && this.lessor.has(chosen))) {
      chosen = this.#requestIds.nextLease();
    }
    return { id: chosen, ttl: await this.#propose({ kind: "leaseGrant", id: chosen, ttl }) };
  }

  async leaseRevoke(id: bigint): Promise<void> {
    await this.#propose({ kind: "leaseRevoke", id });
  }

  /** @returns the TTL; 0: there is no such lease */
  leaseKeepAlive(id: bigint): Promise<number> {
    this.assertWritable();
    return this.lessor.keepAlive(id);
  }

  /** As `leaseKeepAlive`, which nearly always need not wait. @returns a promise if it has to */
  leaseKeepAliveNow(id: bigint): number | Promise<number> {
    this.assertWritable();
    return this.lessor.keepAliveNow(id);
  }

  // -- alarms

  /** @param memberId  etcdctl's disarm gives that of each alarm */
  async alarm(action: number, memberId: bigint, alarm: number): Promise<readonly AlarmMember[]> {
    this.assertOpen();
    if (action === AlarmAction.get) {
      // Whoever was refused asks for the alarm next: what is logged by now is in the answer.
      await this.space.alarmsSettled();
      return this.alarms.get(alarm);
    }
    return this.space.alarmByHand(action, alarm, () =>
      this.#propose({ kind: "alarm", action, memberId, alarm }),
    );
  }

  // -- the member itself

  get quota(): Quota {
    return this.space.quota;
  }

  /**
   * Changes the quota from now on; the next start takes that of its flags again. What is there stays, and so does an
   * alarm, unless it lifts itself.
   * @param bytes  as --quota-backend-bytes: 0 = the default of 2 GiB, negative = none
   * @throws StrataError BAD_ARGUMENT, CLOSED
   */
  setQuota(bytes: number): void {
    this.assertOpen();
    const before = this.quota.flag;
    this.space.change({ quotaBytes: bytes });
    const { flag } = this.quota;
    if (flag === before) return;
    const fields = { "from-bytes": before, "to-bytes": flag };
    this.#options.log({ level: "info", message: "the quota was changed", fields });
  }

  status(): MemberStatus {
    return {
      ...this.backend.space,
      memberId: this.cluster.localId,
      clusterId: this.cluster.id,
      revision: this.store.currentRevision,
      compactedRevision: this.store.compactedRevision,
      raftTerm: this.term,
      raftIndex: this.#wal.lastIndex,
      raftAppliedIndex: this.backend.appliedPoint.index,
      quotaBytes: this.quota.bytes,
      keys: this.store.index.liveKeys,
      leases: this.lessor.size,
      alarms: this.alarms.get(),
      lockedBy: this.#lockedBy,
      failure: this.#failureText(),
    };
  }

  /** Aborts as soon as it is closed, or abandoned. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** What it measures of itself. */
  instruments(): Instruments {
    return {
      wal: {
        counts: this.#wal.counts,
        committedIndex: this.#wal.hardState.commit,
        fsyncSeconds: this.#wal.fsyncSeconds,
        writeSeconds: this.#wal.writeSeconds,
      },
      proposals: { pending: this.#proposals.waiting, failed: this.#proposals.failed },
      applyTimes: this.#applyTimes,
      space: this.space,
      compaction: this.#compactor.counts,
      defrag: this.maintenance.defragCounts,
      autoDefrag: this.maintenance.autoDefragCounts,
      hashSeconds: this.maintenance.hashes.hashSeconds,
      hashKvSeconds: this.maintenance.hashes.hashKvSeconds,
      snapshotSendSeconds: this.maintenance.snapshots.sendSeconds,
      scheduledSnapshots: this.maintenance.scheduledSnapshotCounts,
      snapSaveSeconds: this.#snapshotter.saveSeconds,
    };
  }

  /** One key as it is now: what most reads are. @param key  one character a byte. @returns its encoded KeyValue */
  get(key: string): Uint8Array | undefined {
    this.assertOpen();
    if (key.length === 0) throw new EtcdError("EMPTY_KEY");
    this.store.counts.ranges++;
    // Not what is newest: an entry that broke in the middle may have left some of its changes behind.
    const found = this.store.find(key, this.store.currentRevision);
    return found && this.store.recordCopy(found.main, found.sub);
  }

  /**
   * Takes no more, answers what is under way, and leaves everything on the disk: leases with their remaining time, the
   * page file with all of the log.
   * @throws (rejects) StrataError FAILED if something could not be written; it is closed then, too, and what was
   *   acknowledged is in the log
   */
  close(handover = false): Promise<void> {
    this.#closed ??= this.#close(handover);
    return this.#closed;
  }

  /** Drops everything as a crash would, but gives up its files. For tests, and for a store that has failed. */
  async abandon(): Promise<void> {
    this.#closed ??= Promise.resolve();
    this.#stopped.abort(new StrataError("CLOSED", "the store was abandoned"));
    this.watches.close();
    this.lessor.stop();
    this.#proposals.fail(new StrataError("CLOSED", "the store was abandoned"));
    await Promise.allSettled(this.#background);
    await this.#compactor.stop();
    await this.jobs.settled();
    await this.maintenance.close();
    await this.#wal.close().catch(() => undefined);
    await this.#snapshotter.settled();
    await this.#upkeep.close();
    await this.backend.abandon();
  }

  // -- inside

  #run(): void {
    this.#background.push(this.lessor.run(this.#stopped.signal));
  }

  async #close(handover: boolean): Promise<void> {
    this.#stopped.abort(new StrataError("CLOSED", "the store is closed"));
    await Promise.allSettled(this.#background);
    this.watches.close();
    try {
      if (this.#proposals.failure === undefined) {
        const { lessor } = this;
        const last = handover ? lessor.handoverCheckpoint() : lessor.finalCheckpoint();
        await Promise.all(last.map((some) => this.#proposeCheckpoint(some)));
      }
    } finally {
      this.lessor.stop();
      await this.#proposals.settled();
      await this.#compactor.stop();
      await this.#snapshotter.settled();
      await this.jobs.settled();
      await this.maintenance.close();
      try {
        await this.#wal.close();
      } finally {
        await this.#upkeep.close();
        await this.backend.close();
      }
    }
  }

  /** As `#propose`, without a promise. @throws what that rejects with, if it is not logged */
  #proposeAndAnswer<K extends keyof Answers>(
    request: RequestOf<K>,
    answer: Answer<Answers[K]>,
  ): void {
    this.assertWritable();
    if (this.backend.isFull) {
      this.#proposeWithRoom(request).then(
        (result) => answer(undefined, result),
        (error: unknown) => answer(error, undefined),
      );
      return;
    }
    this.space.assertRoomFor(request);
    const data = this.#encodeBounded(request);
    this.space.assertAllowed(request);
    this.#proposals.submit(data, () => this.#apply(request), answer);
  }

  /** Whatever goes into the log passes here, or where it is answered without a promise. */
  #propose<K extends keyof Answers>(request: RequestOf<K>): Promise<Answers[K]> {
    this.assertWritable();
    if (this.backend.isFull) return this.#proposeWithRoom(request);
    this.space.assertRoomFor(request);
    const data = this.#encodeBounded(request);
    this.space.assertAllowed(request);
    return this.#proposals.propose(data, () => this.#apply(request));
  }

  /** When the last commit is on the disk. Until then nothing of it is in the log, so nothing else bounds these. */
  async #proposeWithRoom<K extends keyof Answers>(request: RequestOf<K>): Promise<Answers[K]> {
    const bytes = this.#encode(request).length;
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      throw new EtcdError("TOO_MANY_REQUESTS");
    }
    this.#waitingBytes += bytes;
    try {
      await this.backend.room();
    } finally {
      this.#waitingBytes -= bytes;
    }
    return this.#propose(request);
  }

  #encode(request: Request): Uint8Array {
    const id = this.#requestIds.next();
    return this.#encoder.encode({ id, username: "", authRevision: 0, request });
  }

  #log<K extends keyof Answers>(request: RequestOf<K>): Promise<Answers[K]> {
    return this.#proposals.propose(this.#encodeBounded(request), () => this.#apply(request));
  }

  /** @throws EtcdError REQUEST_TOO_LARGE */
  #encodeBounded(request: Request): Uint8Array {
    const data = this.#encode(request);
    if (data.length > this.#options.maxRequestBytes) throw new EtcdError("REQUEST_TOO_LARGE");
    return data;
  }

  #apply<K extends keyof Answers>(request: RequestOf<K>): Answers[K] {
    const times = this.#applyTimes;
    const { kind } = request;
    const isTimed = times.isTimed(kind);
    const beganMs = isTimed ? performance.now() : 0;
    let succeeded = false;
    try {
      const answer = this.#applier.apply(request);
      succeeded = true;
      return answer;
    } finally {
      if (!isTimed) times.put(succeeded);
      else {
        const ms = performance.now() - beganMs;
        if (times.applied(kind, succeeded, ms)) this.#tooLong(kind, ms);
      }
    }
  }

  #tooLong(kind: string, ms: number): void {
    this.#options.log({
      level: "warn",
      message: "apply request took too long",
      fields: {
        took: formatGoDuration(ms),
        "expected-duration": formatGoDuration(this.#applyTimes.slowMs),
        prefix: "",
        request: kind,
      },
    });
  }

  async #change(change: ConfChange): Promise<Refusal | undefined> {
    this.assertWritable();
    const apply = (): Refusal | undefined => {
      const applied = this.#applier.applyConfChange(change);
      return applied.kind === "refused" ? applied.why : undefined;
    };
    return this.#proposals.propose(encodeConfChange(change), apply, EntryType.confChange);
  }

  async #proposeRevoke(id: bigint): Promise<void> {
    await this.#log({ kind: "leaseRevoke", id });
  }

  async #proposeCheckpoint(checkpoints: readonly LeaseCheckpoint[]): Promise<void> {
    await this.#log({ kind: "leaseCheckpoint", checkpoints });
  }

  /** @throws StrataError CLOSED */
  assertOpen(): void {
    if (this.#closed !== undefined) throw new StrataError("CLOSED", "the store is closed");
  }

  /** @throws StrataError FAILED, CLOSED */
  assertWritable(): void {
    this.assertOpen();
    if (this.#proposals.failure !== undefined) throw this.#proposals.error();
  }

  #failed(error: unknown): void {
    if (this.#closed !== undefined) return;
    this.backend.fail(error);
    this.#options.log({
      level: "error",
      message: "a write failed: reads go on, writes are refused until the store is opened again",
      fields: { error: reasonOf(error) },
    });
  }

  #failureText(): string | undefined {
    const { failure } = this.#proposals;
    return failure === undefined ? undefined : reasonOf(failure);
  }
}

/** Nobody looks at what changed unless somebody watches. */
class WatchListener implements ChangeListener {
  readonly #hub: WatchHub;

  constructor(hub: WatchHub) {
    this.#hub = hub;
  }

  get interested(): boolean {
    return this.#hub.watchers > 0;
  }

  changed(main: number, changes: readonly Change[]): void {
    this.#hub.changed(main, changes);
  }
}

interface MemberParts {
  readonly backend: Backend;
  readonly store: Store;
  readonly lessor: Lessor;
  readonly alarms: AlarmStore;
  readonly cluster: Cluster;
  readonly applier: Applier;
  readonly wal: Wal;
  readonly requestIds: RequestIds;
  readonly upkeep: Upkeep;
  readonly term: number;
  readonly snapshotIndex: number;
  readonly snapFolder: Directory;
  readonly walFolder: Directory;
  readonly lockedBy: "flock" | "sidecar" | "none";
  readonly databasePath: string;
}
