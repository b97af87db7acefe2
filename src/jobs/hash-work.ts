/**
 * The hashes themselves: CRC-32C over names, keys and values as they come, nothing between them.
 *
 * Hash: the name of each bucket and then its pairs, but for what changes without anybody's writing. etcd 3.5 leaves out
 * `consistent_index` and `term`, etcd 3.6 also `storageVersion`: as do we, for a row that only says who was here is no
 * content, and no data dir that etcd 3.5 is meant to open has one.
 *
 * HashKV: "key", then the pairs of bucket `key` in order, without
 *   - those above the revision;
 *   - those at or below the compacted revision that are not what the key is at the revision: so it does not matter how
 *     far the compaction has come;
 *   - a tombstone at the compacted revision, which etcd ≥ 3.4.34 and ≥ 3.5.16 keeps on the disk and those before do
 *     not: no tombstone is among what is kept.
 */
import { SystemFile } from "../../native-free/file.ts";
import { CONSISTENT_INDEX, KEY, META, STORAGE_VERSION, TERM } from "../backend/buckets.ts";
import { isBefore } from "../backend/revision.ts";
import { compareRanges, equalBytes, readU64BE, viewOf } from "../base/bytes.ts";
import { nextTurn } from "../base/turn.ts";
import {
  BUCKET_ELEMENT,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  type Page,
} from "../pagefile/page.ts";
import { PageReader } from "../pagefile/page-reader.ts";
import { leafPages } from "../pagefile/scan.ts";
import type { ReadTx } from "../pagefile/tx.ts";
import { CRC32C_ARENA_BYTES, CrcStream } from "./crc-stream.ts";
import { HASH, type HashInput, type KvHashRule } from "./hash.ts";
import { newProgressCells, type Progress, ProgressReader, ProgressWriter } from "./progress.ts";

const VOLATILE = [CONSISTENT_INDEX, TERM, STORAGE_VERSION];

/** A scan reads past the cache; this is for the way down to its first page. */
const CACHE_BYTES = 1024 * 1024;

/** Leaves between two reports. */
const REPORT_LEAVES = 64;

/** How long this thread hashes before others have their turn, and pairs between two looks at the clock. */
const SLICE_MS = 1;
const PAIRS_PER_LOOK = 64;
const REPORT_MS = 100;

/** `over`: neither this pair counts, nor any after it. */
type Verdict = "counts" | "does not" | "over";

/** Whether a pair counts; its value follows its key. Asked in the order of keys. */
type Judge = (bytes: Uint8Array, keyOffset: number, keyBytes: number) => Verdict;

/** One bucket's share of a hash. */
interface BucketHash {
  readonly name: Uint8Array;
  readonly judge: Judge;
}

/** The job itself, on whatever thread. */
export function hashPinned(
  { path, fd, meta, rule, totalBytes = meta.pgid * meta.pageBytes }: HashInput,
  progress: ProgressWriter = new ProgressWriter(),
): number {
  const reader = new PageReader(SystemFile.borrow(path, fd), meta.pageBytes, CACHE_BYTES);
  const tx = reader.view(meta);
  try {
    progress.phase(0, totalBytes);
    const crc = new CrcStream(CRC32C_ARENA_BYTES);
    let leaves = 0;
    for (const { name, judge } of bucketHashes(tx, rule)) {
      crc.update(name, 0, name.length);
      const bucket = tx.bucket(name);
      if (bucket === undefined) continue;
      for (const leaf of leafPages(tx, bucket)) {
        if (!hashLeaf(leaf, judge, crc)) break;
        if (++leaves % REPORT_LEAVES === 0) progress.done(leaves * meta.pageBytes);
      }
    }
    return crc.value();
  } finally {
    tx.close();
    reader.close();
  }
}

/**
 * A leaf has its pairs one after another: those that count are hashed as one piece, up to the next that does not.
 * @returns false if it is over
 */
function hashLeaf(page: Page, judge: Judge, crc: CrcStream): boolean {
  const { bytes, count } = page;
  let start = 0;
  let end = 0;
  let goesOn = true;
  for (let i = 0; i < count && goesOn; i++) {
    if ((leafFlags(page, i) & BUCKET_ELEMENT) !== 0) continue;
    const offset = leafKeyOffset(page, i);
    const keyBytes = leafKeyBytes(page, i);
    const verdict = judge(bytes, offset, keyBytes);
    if (verdict === "over") goesOn = false;
    if (verdict !== "counts") continue;
    if (offset !== end) {
      crc.update(bytes, start, end - start);
      start = offset;
    }
    end = offset + keyBytes + leafValueBytes(page, i);
  }
  crc.update(bytes, start, end - start);
  return goesOn;
}

/**
 * The same in slices on the caller's thread, for a file that no other thread can read.
 * @param open  a view of the pinned commit; called for every slice
 */
export async function hashInSlices(
  open: () => ReadTx,
  rule: KvHashRule | undefined,
  signal: AbortSignal,
  shown?: SliceProgress,
): Promise<number> {
  const crc = new CrcStream(CRC32C_ARENA_BYTES);
  const hashes = within(open, (tx) => bucketHashes(tx, rule));
  const report = shown && reporter(shown);
  for (const { name, judge } of hashes) {
    crc.update(name, 0, name.length);
    let from: Uint8Array | undefined;
    do {
      signal.throwIfAborted();
      const at = from;
      from = within(open, (tx) => hashSlice(tx, name, at, judge, crc));
      report?.(crc.hashedBytes);
      await nextTurn();
    } while (from !== undefined);
  }
  return crc.value();
}

export interface SliceProgress {
  /** About what there is to read. */
  readonly totalBytes: number;
  /** Called after slices, ten times a second at most. */
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** As a thread's progress is told. */
function reporter({ totalBytes, onProgress }: SliceProgress): (doneBytes: number) => void {
  const cells = newProgressCells();
  const writer = new ProgressWriter(cells);
  const reader = new ProgressReader(cells, HASH.phases);
  writer.phase(0, totalBytes);
  let reportedMs = Number.NEGATIVE_INFINITY;
  return (doneBytes) => {
    const nowMs = performance.now();
    if (nowMs < reportedMs + REPORT_MS) return;
    reportedMs = nowMs;
    writer.done(doneBytes);
    onProgress?.(reader.read(nowMs));
  };
}

function within<T>(open: () => ReadTx, read: (tx: ReadTx) => T): T {
  const tx = open();
  try {
    return read(tx);
  } finally {
    tx.close();
  }
}

/** @returns where to go on; undefined at the end */
function hashSlice(
  tx: ReadTx,
  name: Uint8Array,
  from: Uint8Array | undefined,
  judge: Judge,
  crc: CrcStream,
): Uint8Array | undefined {
  const cursor = tx.bucket(name)?.cursor();
  if (cursor === undefined) return undefined;
  const endMs = performance.now() + SLICE_MS;
  let more = from === undefined ? cursor.first() : cursor.seek(from);
  for (let pairs = 1; more; pairs++) {
    if (!cursor.isBucket) {
      const { bytes, keyOffset, keyBytes, valueBytes } = cursor;
      const verdict = judge(bytes, keyOffset, keyBytes);
      if (verdict === "over") return undefined;
      if (verdict === "counts") crc.update(bytes, keyOffset, keyBytes + valueBytes);
    }
    more = cursor.next();
    if (more && pairs % PAIRS_PER_LOOK === 0 && performance.now() >= endMs) {
      return new Uint8Array(cursor.key());
    }
  }
  return undefined;
}

function bucketHashes(tx: ReadTx, rule: KvHashRule | undefined): BucketHash[] {
  if (rule !== undefined) return [{ name: KEY, judge: kvJudge(rule) }];
  return [...tx.buckets()].map(({ name }) => ({
    name: new Uint8Array(name),
    judge: equalBytes(name, META) ? judgeOfMeta : () => "counts",
  }));
}

function judgeOfMeta(bytes: Uint8Array, keyOffset: number, keyBytes: number): Verdict {
  const isVolatile = VOLATILE.some(
    (name) => compareRanges(bytes, keyOffset, keyBytes, name, 0, name.length) === 0,
  );
  return isVolatile ? "does not" : "counts";
}

function kvJudge(rule: KvHashRule): Judge {
  const { revision, compactRevision, keptMains, keptSubs } = rule;
  let kept = 0;
  let page: Uint8Array = META;
  let view = viewOf(page);
  return (bytes, keyOffset) => {
    if (bytes !== page) {
      page = bytes;
      view = viewOf(bytes);
    }
    const main = readU64BE(view, keyOffset);
    if (main > revision) return "over";
    if (main > compactRevision) return "counts";
    const sub = readU64BE(view, keyOffset + 9);
    // Both are in order: what is kept is passed but once.
    while (kept < keptMains.length && isBefore(keptMains, keptSubs, kept, main, sub)) kept++;
    return keptMains[kept] === main && keptSubs[kept] === sub ? "counts" : "does not";
  };
}
