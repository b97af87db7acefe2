/**
 * The write-ahead log: etcd's, byte for byte. `createWal` makes one, `openWal` reads it from a snapshot on and goes on
 * writing it. One `Wal` is the only writer of its directory; who keeps others out is the owner of the data directory.
 *
 * Records are encoded as they are appended, and go to the disk a batch at a time: one write, one fdatasync.
 */
import type { Directory, DirectoryTree, RandomAccessFile } from "../../native-free/file.ts";
import { reasonOf, StrataError } from "../base/errors.ts";
import { DISK_SECONDS, Histogram } from "../base/histogram.ts";
import { invariant } from "../base/invariant.ts";
import { borrowArena, giveBackArena } from "./arena-pool.ts";
import type { Entry } from "./entry.ts";
import { RECORD_BYTES_LIMIT } from "./frame.ts";
import { GroupCommit, type Schedule } from "./group-commit.ts";
import {
  EMPTY_HARD_STATE,
  encodeHardState,
  type HardState,
  isEmptyHardState,
} from "./hard-state.ts";
import { CUT_NAME, NextSegment, type PrepareSegment, removeLeftovers } from "./next-segment.ts";
import { type LogContents, readLog } from "./reader.ts";
import { RecordType } from "./record.ts";
import { entryRecordBytesMax, RecordBuffer } from "./record-buffer.ts";
import { type RepairReport, repairWal } from "./repair.ts";
import { SegmentFile } from "./segment-file.ts";
import { segmentName } from "./segment-name.ts";
import { encodeSnapshotRecord, NO_SNAPSHOT, type WalSnapshot } from "./snapshot-record.ts";
import { AdaptiveSyncPolicy, type SyncPlace, type SyncPolicy } from "./sync-policy.ts";
import { WalError } from "./wal-error.ts";

/** etcd's: 64 · 10⁶, no power of two. */
export const SEGMENT_BYTES: number = 64_000_000;

/** Zeroing so much takes about 0.2 ms, once for a thousand small entries. */
const STEP_BYTES = 256 * 1024;

/**
 * Batches that are usually longer than this gain nothing from zeros that were laid out before: the disk would write
 * everything twice, to save a part of what a sync of so much takes.
 */
const LONG_BATCH_BYTES = 1024 * 1024;
/** The loop would be held for a millisecond by nothing but copying it to the system. */
const WRITE_BESIDE_BYTES = 512 * 1024;
/** How much of what is usual is what was before. */
const FADING = 0.8;

export interface WalOptions {
  /** A segment that has reached this length is followed by another. Default: 64,000,000. */
  readonly segmentBytes?: number;
  /** How much a segment that was not prepared grows at a time, with zeros. Default: 262,144. 0: with its records. */
  readonly stepBytes?: number;
  /**
   * Lays out the next segment once the present one is half full. Default: nobody, and every segment grows in steps.
   */
  readonly prepare?: PrepareSegment;
  /** A batch of so much is written on another thread, too, where the file can do that. Default: 524,288. */
  readonly writeBesideBytes?: number;
  /** Skip every sync: a power loss may then take what was acknowledged, and the whole log. */
  readonly noFsync?: boolean;
  /** Default: an `AdaptiveSyncPolicy` of its own. */
  readonly syncPolicy?: SyncPolicy;
  /** When a batch begins. Default: setImmediate, after everything that came in by the same turn of the event loop. */
  readonly schedule?: Schedule;
}

export interface OpenWalOptions extends WalOptions {
  /** Cut off a record at the end that a power loss tore, once. Default: no, and such a log is not opened. */
  readonly repair?: boolean;
}

export interface OpenedWal {
  readonly wal: Wal;
  readonly contents: LogContents;
  readonly repaired: RepairReport | undefined;
}

/** Of the writer, since it was opened. */
export interface WalCounts {
  readonly entries: number;
  readonly bytes: number;
  readonly batches: number;
  readonly cuts: number;
  /** How many syncs ran where. */
  readonly syncs: Readonly<Record<SyncPlace, number>>;
}

const RESOLVED: Promise<void> = Promise.resolve();

/**
 * Makes a log with nothing in it but `metadata`, under `name` in `parent`: wholly or not at all, whatever happens.
 *
 * @throws StrataError EXISTS if there is a log of that name, or anything in its place
 */
export function createWal(
  parent: DirectoryTree,
  name: string,
  metadata: Uint8Array,
  options: WalOptions = {},
): Wal {
  const isThere = parent.exists(name);
  if (isThere && parent.folder(name).list().length > 0) {
    throw new StrataError("EXISTS", `${parent.path}/${name} is there already, and not empty`);
  }
  const unfinished = `${name}.tmp`;
  if (parent.exists(unfinished)) {
    const old = parent.folder(unfinished);
    for (const file of old.list()) old.remove(file);
    parent.removeFolder(unfinished);
  }
  parent.makeFolder(unfinished);
  const directory = parent.folder(unfinished);
  const arena = borrowArena();
  const buffer = new RecordBuffer(arena, 0);
  buffer.addCrc();
  buffer.add(RecordType.metadata, metadata);
  buffer.add(RecordType.snapshot, encodeSnapshotRecord(NO_SNAPSHOT));
  const file = directory.openFile(segmentName(0, 0), "create-exclusive", 0o600);
  try {
    new SegmentFile(file, 0, growth(options)).write(buffer.parts(), buffer.byteLength);
    if (!options.noFsync) file.sync();
  } finally {
    file.close();
    giveBackArena(arena);
  }
  if (!options.noFsync) directory.sync();
  if (isThere) parent.removeFolder(name);
  parent.rename(unfinished, name);
  if (!options.noFsync) parent.sync();
  return openWal(parent.folder(name), NO_SNAPSHOT, options).wal;
}

/** Whether a directory has a log: any segment in it, as etcd decides. */
export function hasWal(directory: Directory): boolean {
  return directory.list().some((name) => name.endsWith(".wal"));
}

/**
 * Reads the log from a snapshot on, and opens it to be continued. What was read is on the disk when this returns, also
 * if the process that wrote it never came to sync it.
 *
 * @param from  as of `readLog`. That its record is there is not checked, as etcd does not.
 * @throws WalError as `readLog` in mode `write`
 */
export function openWal(
  directory: Directory,
  from: Pick<WalSnapshot, "index" | "term"> = NO_SNAPSHOT,
  options: OpenWalOptions = {},
): OpenedWal {
  let repaired: RepairReport | undefined;
  let contents: LogContents;
  try {
    contents = readLog(directory, from, "write");
  } catch (error) {
    if (!(options.repair && error instanceof WalError && error.fault === "torn")) throw error;
    repaired = repairWal(directory);
    contents = readLog(directory, from, "write");
  }
  const { metadata, end } = contents;
  if (metadata === undefined || end.offsetBytes === 0) {
    const what = metadata ? "the last segment is empty" : "the log has no metadata record";
    throw new WalError("bad-record", `${directory.path}/${end.segment.name}`, 0, what);
  }
  removeLeftovers(directory);
  const file = directory.openFile(end.segment.name, "write");
  try {
    if (end.garbageOffsetBytes !== undefined) file.truncate(end.offsetBytes);
    if (!options.noFsync) {
      file.sync();
      directory.sync();
    }
    const lastIndex = contents.entries.at(-1)?.index ?? from.index;
    const wal = new Wal(directory, file, { ...contents, metadata, lastIndex }, options);
    return { wal, contents, repaired };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** What a log that was read goes on from. */
interface Position extends Pick<LogContents, "hardState" | "end"> {
  readonly metadata: Uint8Array;
  readonly lastIndex: number;
}

/** @see createWal, openWal */
export class Wal {
  readonly directory: Directory;
  readonly metadata: Uint8Array;
  /** Of each fdatasync, here or beside, and of each write before one. Seconds. */
  readonly fsyncSeconds: Histogram = new Histogram(DISK_SECONDS);
  readonly writeSeconds: Histogram = new Histogram(DISK_SECONDS);
  readonly #options: WalOptions;
  readonly #segmentBytes: number;
  readonly #writeBesideBytes: number;
  readonly #policy: SyncPolicy;
  readonly #arena = borrowArena();
  readonly #buffer: RecordBuffer;
  readonly #commit: GroupCommit;
  readonly #next: NextSegment;
  #tail: SegmentFile;
  #sequence: number;
  #lastIndex: number;
  #hardState: HardState;
  /** The state was changed, and goes to the disk behind the entries that are on their way. */
  #statePending = false;
  #failure: unknown;
  #closed: Promise<void> | undefined;
  #entries = 0;
  #bytes = 0;
  #batches = 0;
  #cuts = 0;
  readonly #syncs = { here: 0, beside: 0 };
  #usualBytes = 0;

  /** Use `createWal` or `openWal`. */
  constructor(directory: Directory, file: RandomAccessFile, from: Position, options: WalOptions) {
    this.directory = directory;
    this.metadata = from.metadata;
    this.#options = options;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#writeBesideBytes = options.writeBesideBytes ?? WRITE_BESIDE_BYTES;
    this.#policy = options.syncPolicy ?? new AdaptiveSyncPolicy();
    this.#lastIndex = from.lastIndex;
    this.#hardState = from.hardState;
    this.#sequence = from.end.segment.sequence;
    this.#tail = new SegmentFile(file, from.end.offsetBytes, growth(options));
    this.#buffer = new RecordBuffer(this.#arena, from.end.crc);
    this.#next = new NextSegment(directory, this.#segmentBytes, options.prepare);
    const schedule = options.schedule ?? setImmediate;
    this.#commit = new GroupCommit((...args) => this.#commitBatch(...args), schedule);
  }

  /** Of the last entry, or the snapshot if that is later; 0 if there is neither. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** The last one that was appended, on the disk or on its way. */
  get hardState(): HardState {
    return this.#hardState;
  }

  /** Where the next record goes, those on their way not counted. */
  get position(): { readonly sequence: number; readonly offsetBytes: number } {
    return { sequence: this.#sequence, offsetBytes: this.#tail.offsetBytes };
  }

  get counts(): WalCounts {
    return {
      entries: this.#entries,
      bytes: this.#bytes,
      batches: this.#batches,
      cuts: this.#cuts,
      syncs: { ...this.#syncs },
    };
  }

  /**
   * Appends entries, and behind them the state. Resolves when a finished fdatasync covers them; several calls share
   * one, in the order of the calls, and of their states the last is written. A change of nothing but `commit` resolves
   * at once and goes with the next batch: it can be told from the entries (etcd does not sync it either).
   *
   * @param entries  without gaps; the first is next to the last one, or replaces one that is there and all after it.
   *   Data of more than 64 KiB is not copied: it must not change until the promise is settled.
   * @param hardState  its term not below the last one's. One that is all zero counts as none.
   * @throws (rejects) StrataError FAILED after a failed write or sync, this one's or an earlier one's: nobody knows
   *   what is on the disk, and the log must be opened again; CLOSED; BAD_ARGUMENT for an entry of 10 MiB, which
   *   etcd 3.4 could not read, and then nothing was appended
   */
  append(entries: readonly Entry[], hardState: HardState = EMPTY_HARD_STATE): Promise<void> {
    try {
      this.#assertUsable();
      this.#checkEntries(entries);
      const stateChanges = this.#checkState(hardState);
      for (const entry of entries) {
        this.#buffer.addEntry(entry);
        this.#lastIndex = entry.index;
      }
      this.#entries += entries.length;
      const before = this.#hardState;
      if (stateChanges) {
        this.#hardState = hardState;
        this.#statePending = true;
      }
      const mustSync =
        entries.length > 0 ||
        (stateChanges && (hardState.term !== before.term || hardState.vote !== before.vote));
      return mustSync ? this.#commit.join() : RESOLVED;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Records that there is a snapshot of the state machine. Resolves when it is on the disk.
   * @param snapshot  of etcd 3.5 and later an index above 0 wants a `confState`.
   * @throws (rejects) as `append`
   */
  saveSnapshot(snapshot: WalSnapshot): Promise<void> {
    try {
      this.#assertUsable();
      this.#addPendingState();
      this.#buffer.add(RecordType.snapshot, encodeSnapshotRecord(snapshot));
      this.#lastIndex = Math.max(this.#lastIndex, snapshot.index);
      return this.#commit.join();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Resolves when everything that was appended before is on the disk, a change of `commit` included.
   * @throws (rejects) as `append`
   */
  sync(): Promise<void> {
    try {
      this.#assertUsable();
      const clean = this.#commit.idle && !this.#statePending && this.#buffer.byteLength === 0;
      return clean ? RESOLVED : this.#commit.join();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Syncs, and closes the log. A failed one is closed as well, and that is no error.
   * @throws (rejects) as `append` if the last sync fails; it is closed then, too
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    try {
      // Whatever is on its way goes first; `#closed` keeps new things out.
      if (this.#failure === undefined) await this.#commit.join();
    } finally {
      // A segment that is being cut has acknowledged long before it is through.
      await this.#commit.quiet();
      await this.#next.close().catch(() => undefined);
      this.#tail.file.close();
      giveBackArena(this.#arena);
    }
  }

  #assertUsable(): void {
    const { path } = this.directory;
    if (this.#failure !== undefined) throw this.#failed();
    if (this.#closed !== undefined) throw new StrataError("CLOSED", `${path}: the log is closed`);
  }

  #failed(): StrataError {
    return new StrataError(
      "FAILED",
      `${this.directory.path}: a write or sync failed, the log must be opened again before it is written: ${reasonOf(this.#failure)}`,
      { cause: this.#failure },
    );
  }

  #checkEntries(entries: readonly Entry[]): void {
    let next = Math.min(entries[0]?.index ?? 0, this.#lastIndex + 1);
    for (const entry of entries) {
      const { index, term } = entry;
      invariant(index >= 1 && index === next, "entries are appended without gaps", { index, next });
      invariant(Number.isSafeInteger(index) && Number.isSafeInteger(term) && term >= 0, "exact", {
        index,
        term,
      });
      next++;
      const bytes = entryRecordBytesMax(entry);
      if (bytes + 7 >= RECORD_BYTES_LIMIT) {
        throw new StrataError("BAD_ARGUMENT", `entry ${index} makes a record of ${bytes} bytes`);
      }
    }
  }

  /** @returns whether there is anything to be written. */
  #checkState(state: HardState): boolean {
    if (isEmptyHardState(state)) return false;
    const { term, commit } = state;
    invariant(Number.isSafeInteger(commit) && commit >= 0, "a commit index is exact", { commit });
    invariant(Number.isSafeInteger(term) && term >= this.#hardState.term, "terms never go back", {
      term,
      before: this.#hardState.term,
    });
    return true;
  }

  #addPendingState(): void {
    if (!this.#statePending) return;
    this.#statePending = false;
    this.#buffer.add(RecordType.state, encodeHardState(this.#hardState));
  }

  #addSegmentHead(): void {
    this.#buffer.addCrc();
    this.#buffer.add(RecordType.metadata, this.metadata);
    if (!isEmptyHardState(this.#hardState)) {
      this.#buffer.add(RecordType.state, encodeHardState(this.#hardState));
    }
  }

  /** One write and one sync for everything that was appended by now. */
  #commitBatch(acknowledge: () => void, joined: number): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failed();
    try {
      this.#addPendingState();
      const isFull = this.#tail.offsetBytes >= this.#segmentBytes;
      const { byteLength } = this.#buffer;
      // A cut makes the head of the next segment before anything is waited for.
      if (byteLength >= this.#writeBesideBytes && !isFull) {
        return this.#latch(this.#writeAndSyncBeside(byteLength));
      }
      if (byteLength > 0) {
        const begin = performance.now();
        this.#tail.write(this.#buffer.parts(), byteLength);
        this.writeSeconds.observe((performance.now() - begin) / 1000);
      }
      this.#buffer.clear();
      this.#written(byteLength);
      // As etcd: the save that finds the segment full still goes into it.
      if (isFull && byteLength > 0) return this.#latch(this.#cut(acknowledge));
      return this.#latch(this.#sync(this.#tail.file, this.#policy.choose(joined)));
    } catch (error) {
      this.#failure ??= error;
      throw this.#failed();
    }
  }

  #written(byteLength: number): void {
    this.#bytes += byteLength;
    this.#batches++;
    this.#usualBytes = FADING * this.#usualBytes + (1 - FADING) * byteLength;
    // A log with little in it does not take twice the disk.
    const isHalfFull = this.#tail.offsetBytes >= this.#segmentBytes / 2;
    if (isHalfFull && this.#usualBytes < LONG_BATCH_BYTES) this.#next.begin(this.#sequence);
  }

  async #writeAndSyncBeside(byteLength: number): Promise<void> {
    const tail = this.#tail;
    const parts = this.#buffer.ownParts();
    this.#buffer.clear();
    const begin = performance.now();
    await tail.writeBeside(parts, byteLength);
    this.writeSeconds.observe((performance.now() - begin) / 1000);
    this.#written(byteLength);
    await this.#sync(tail.file, "beside");
  }

  #latch(later: Promise<void> | undefined): Promise<void> | undefined {
    return later?.catch((error: unknown) => {
      this.#failure ??= error;
      throw this.#failed();
    });
  }

  /** Syncs here, and is through when it returns, or beside, where the file can do that. */
  #sync(file: RandomAccessFile, place: SyncPlace): Promise<void> | undefined {
    if (this.#options.noFsync) return undefined;
    const begin = performance.now();
    if (file.syncBeside === undefined || place === "here") {
      file.sync();
      this.#syncs.here++;
      this.#took("here", performance.now() - begin);
      return undefined;
    }
    this.#syncs.beside++;
    return file.syncBeside().then(() => this.#took("beside", performance.now() - begin));
  }

  #took(place: "here" | "beside", ms: number): void {
    this.#policy.took(place, ms);
    this.fsyncSeconds.observe(ms / 1000);
  }

  /**
   * Ends the segment and begins the next, in the order that etcd does it: a power loss finds a log that ends with the
   * old one, or a new one whose head is whole. What is appended meanwhile continues the CRC of that head, so the head
   * is made before anything is waited for.
   */
  async #cut(acknowledge: () => void): Promise<void> {
    const { directory } = this;
    const old = this.#tail;
    const name = segmentName(this.#sequence + 1, this.#lastIndex + 1);
    this.#addSegmentHead();
    const head = Buffer.concat(this.#buffer.parts());
    this.#buffer.clear();

    old.trim();
    await this.#sync(old.file, this.#policy.choose(1));
    acknowledge();
    old.file.close();

    if (!this.#next.take()) directory.openFile(CUT_NAME, "create-exclusive", 0o600).close();
    const unnamed = directory.openFile(CUT_NAME, "write");
    let tail = new SegmentFile(unnamed, 0, growth(this.#options));
    try {
      tail.write([head], head.length);
      await this.#sync(unnamed, this.#policy.choose(1));
    } finally {
      unnamed.close();
    }
    directory.rename(CUT_NAME, name);
    if (!this.#options.noFsync) await (directory.syncBeside?.() ?? directory.sync());

    tail = new SegmentFile(directory.openFile(name, "write"), head.length, growth(this.#options));
    this.#tail = tail;
    this.#sequence++;
    this.#bytes += head.length;
    this.#cuts++;
  }
}

function growth(options: WalOptions): { limitBytes: number; stepBytes: number } {
  const { segmentBytes = SEGMENT_BYTES, stepBytes = STEP_BYTES } = options;
  return { limitBytes: segmentBytes, stepBytes };
}
