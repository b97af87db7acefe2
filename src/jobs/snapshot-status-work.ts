/**
 * What `snapshot status` says of a database: integrity, hash, revision, counts. One pass over the file does all.
 *
 * hash: CRC-32C over the name of each top-level bucket and then each of its keys and values, in order, nothing between.
 * @see etcd etcdutl/snapshot/v3_snapshot.go Status, and mvcc-schema "Snapshot status"
 */

import { KEY, META, STORAGE_VERSION } from "../backend/buckets.ts";
import { isRevision, TOMBSTONE_BYTES } from "../backend/revision.ts";
import { compareRanges } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { findUserKey } from "../mvcc/key-value.ts";
import { checkTree } from "../pagefile/check.ts";
import {
  BUCKET_ELEMENT,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  type Page,
} from "../pagefile/page.ts";
import type { BucketElement, WalkVisitor } from "../pagefile/walk.ts";
import { CRC32C_ARENA_BYTES, CrcStream } from "./crc-stream.ts";
import { LiveKeys } from "./live-keys.ts";
import { type OfflineView, readOffline } from "./offline-file.ts";
import { ProgressWriter } from "./progress.ts";
import type { StatusInput, StatusOutput } from "./snapshot-status.ts";

/** The job itself, on whatever thread. */
export async function readStatus(
  input: StatusInput,
  progress: ProgressWriter = new ProgressWriter(),
): Promise<StatusOutput> {
  const { value, reading } = await readOffline(input.path, (view) =>
    statusOf(view, input.liveKeys, progress),
  );
  return { ...value, reading };
}

function statusOf(
  view: OfflineView,
  wantLiveKeys: boolean,
  progress: ProgressWriter,
): Omit<StatusOutput, "reading"> {
  const { source, meta } = view;
  const sizeBytes = meta.pgid * source.pageBytes;
  progress.phase(0, sizeBytes);
  const visitor = new StatusVisitor(source.path, source.pageBytes, wantLiveKeys, progress);
  const { faults, faultCount } = checkTree(source, meta, visitor);
  const first = faults[0];
  if (first !== undefined) {
    const lines = faults.map(({ what }) => what);
    const what = `snapshot file integrity check failed. ${faultCount} errors found.\n${lines.join("\n")}`;
    throw new CorruptionError(source.path, first.offsetBytes, what);
  }
  const { rows, revision, version } = visitor;
  const liveKeys = visitor.liveKeys?.count;
  return { hash: visitor.hash(), revision, rows, liveKeys, sizeBytes, version };
}

/** How often a walk reports: every so many pages. */
const REPORT_PAGES = 256;

class StatusVisitor implements WalkVisitor {
  rows = 0;
  revision = 0;
  version = "";
  readonly liveKeys: LiveKeys | undefined;
  readonly #crc = new CrcStream(CRC32C_ARENA_BYTES);
  readonly #path: string;
  readonly #pageBytes: number;
  readonly #progress: ProgressWriter;
  readonly #userKey = { offset: 0, length: 0 };
  #pages = 0;
  #reported = 0;
  #bucket: "key" | "meta" | "other" = "other";

  constructor(path: string, pageBytes: number, liveKeys: boolean, progress: ProgressWriter) {
    this.#path = path;
    this.#pageBytes = pageBytes;
    this.#progress = progress;
    this.liveKeys = liveKeys ? new LiveKeys() : undefined;
  }

  hash(): number {
    return this.#crc.value();
  }

  entered(pages: number): void {
    this.#pages += pages;
    if (this.#pages - this.#reported < REPORT_PAGES) return;
    this.#reported = this.#pages;
    this.#progress.done(this.#pages * this.#pageBytes);
  }

  enterBucket(bucket: BucketElement): boolean {
    if (bucket.depth === 1) {
      const { bytes, nameOffset, nameBytes } = bucket;
      this.#crc.update(bytes, nameOffset, nameBytes);
      this.#bucket = isName(bucket, KEY) ? "key" : isName(bucket, META) ? "meta" : "other";
    }
    return true;
  }

  leaf(page: Page, depth: number): void {
    if (depth !== 1) return;
    const { count } = page;
    this.rows += count;
    if (count === 0) return;
    this.#hashLeaf(page);
    if (this.#bucket === "key") this.#keyLeaf(page);
    else if (this.#bucket === "meta") this.#metaLeaf(page);
  }

  /** bbolt packs keys and values without gaps, so that most pages are hashed in one piece. */
  #hashLeaf(page: Page): void {
    const { count, bytes } = page;
    let start = leafKeyOffset(page, 0);
    let end = start;
    for (let i = 0; i < count; i++) {
      const offset = leafKeyOffset(page, i);
      if (offset !== end) {
        this.#crc.update(bytes, start, end - start);
        start = offset;
      }
      end = offset + leafKeyBytes(page, i);
      // etcd hashes the name of a bucket inside, and nothing of its content.
      if ((leafFlags(page, i) & BUCKET_ELEMENT) === 0) end += leafValueBytes(page, i);
    }
    this.#crc.update(bytes, start, end - start);
  }

  #keyLeaf(page: Page): void {
    const { count, bytes, view } = page;
    const last = leafKeyOffset(page, count - 1);
    const { liveKeys } = this;
    for (let i = liveKeys === undefined ? count - 1 : 0; i < count; i++) {
      const offset = leafKeyOffset(page, i);
      const length = leafKeyBytes(page, i);
      if (!isRevision(bytes, offset, length)) {
        const at = page.id * this.#pageBytes + offset - page.base;
        throw new CorruptionError(
          this.#path,
          at,
          `a key of bucket "key" is no revision (${length} bytes)`,
        );
      }
      if (liveKeys === undefined) continue;
      const valueBytes = leafValueBytes(page, i);
      if (!findUserKey(bytes, offset + length, valueBytes, this.#userKey)) {
        const at = page.id * this.#pageBytes + offset + length - page.base;
        throw new CorruptionError(this.#path, at, 'a value of bucket "key" is no KeyValue');
      }
      if (length === TOMBSTONE_BYTES) {
        liveKeys.remove(bytes, this.#userKey.offset, this.#userKey.length);
      } else {
        liveKeys.put(bytes, this.#userKey.offset, this.#userKey.length);
      }
    }
    this.revision = view.getUint32(last) * 2 ** 32 + view.getUint32(last + 4);
  }

  #metaLeaf(page: Page): void {
    const { bytes } = page;
    for (let i = 0; i < page.count; i++) {
      const offset = leafKeyOffset(page, i);
      const length = leafKeyBytes(page, i);
      const name = STORAGE_VERSION;
      if (compareRanges(bytes, offset, length, name, 0, name.length) !== 0) continue;
      const start = offset + length;
      this.version = Buffer.from(bytes.subarray(start, start + leafValueBytes(page, i))).toString();
    }
  }
}

function isName(bucket: BucketElement, name: Uint8Array): boolean {
  const { bytes, nameOffset, nameBytes } = bucket;
  return compareRanges(bytes, nameOffset, nameBytes, name, 0, name.length) === 0;
}
