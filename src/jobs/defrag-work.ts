/**
 * Offline defragmentation: a database file copied into a fresh one beside it, without its free and half-empty pages,
 * and put in its place by a rename.
 *
 * At every moment the old file or the new one is there, whole. A process that is killed leaves a `<file>.tmp.<digits>`
 * behind, a name that etcd sweeps away at its own start and that the next defrag of the file removes.
 *
 * The lock belongs to the old file, not to its name: somebody who opened the old file and waits for its lock would get
 * it after the rename, and write to a file that nobody finds again. So the old file's metas are wiped once the new one
 * is durable: whoever waited fails with `invalid database`, and opens the new file when it tries again.
 */
import { createHash, randomInt } from "node:crypto";
import { chmodSync, chownSync, fstatSync, realpathSync, statfsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SystemDirectory, SystemFile } from "../../native-free/file.ts";
import { lockFile } from "../../native-free/file-lock.ts";
import { copyName, removeLeftovers } from "../backend/fresh-copy.ts";
import { StrataError } from "../base/errors.ts";
import { type Compacted, compactTree } from "../pagefile/compact.ts";
import { readMetas } from "../pagefile/meta.ts";
import { shownHolders } from "../pagefile/open.ts";
import type { PieceSink } from "../pagefile/page-output.ts";
import type { WalkSource } from "../pagefile/page-runs.ts";
import { BackgroundSync } from "./background-sync.ts";
import type { DefragInput, DefragReport } from "./defrag.ts";
import { ProgressWriter } from "./progress.ts";
import { hasTrailer, TRAILER_BYTES } from "./snapshot-trailer.ts";

const MEASURING = 0;
const COPYING = 1;
const SYNCING = 2;

/** Less than this share of the size, and less than these bytes, is not worth a rewrite unless it is asked for. */
const GAIN_WORTH = 0.05;
const GAIN_WORTH_BYTES = 16 * 1024 * 1024;

/** The job itself, on whatever thread. */
export async function defrag(
  input: DefragInput,
  progress: ProgressWriter = new ProgressWriter(),
): Promise<DefragReport> {
  const startedMs = performance.now();
  // A symbolic link is to go on leading to the file, not to be replaced by it.
  const path = realPath(input.path);
  const old = new SystemFile(path, "write");
  try {
    const lock = lockFile(old, "exclusive", { fallback: "sidecar" });
    if (lock.kind === "busy") {
      const holders = shownHolders(lock.holders);
      throw new StrataError(
        "LOCKED",
        `${path}: held by ${holders}: stop it, or defragment it online`,
      );
    }
    if (lock.kind === "unsupported") {
      throw new StrataError("NO_LOCK", `${path}: cannot be locked: ${lock.why}`);
    }
    try {
      const report = await defragLocked(old, input, progress, startedMs);
      return { ...report, lockedBy: lock.by };
    } finally {
      lock.close();
    }
  } finally {
    old.close();
  }
}

async function defragLocked(
  old: SystemFile,
  input: DefragInput,
  progress: ProgressWriter,
  startedMs: number,
): Promise<Omit<DefragReport, "lockedBy">> {
  const { path } = old;
  const directory = new SystemDirectory(dirname(path));
  const removedLeftovers = removeLeftovers(directory, basename(path));
  const fileBeforeBytes = old.size();
  const { active, pageBytes } = readMetas(old);
  const sizeBeforeBytes = active.pgid * pageBytes;
  const trailerBytes = hasTrailer(fileBeforeBytes) ? TRAILER_BYTES : 0;
  const source: WalkSource = {
    path,
    pageBytes,
    pgid: active.pgid,
    size: () => fileBeforeBytes,
    readSome: (offsetBytes, into) => old.readSome(offsetBytes, into),
  };
  const compact = (phase: number, sink: PieceSink | undefined): Compacted => {
    progress.phase(phase, sizeBeforeBytes);
    const onPages = (pages: number): void => progress.done(pages * pageBytes);
    return compactTree(source, active, sink, { onPages });
  };

  // The copy is at most as large as the original. Only a disk without room for that much is worth a reading ahead.
  if (freeDiskBytes(path) < sizeBeforeBytes + trailerBytes) {
    const { meta } = compact(MEASURING, undefined);
    assertDisk(path, meta.pgid * pageBytes + trailerBytes);
  }
  const temporary = copyName(basename(path), randomInt(2 ** 47));
  let done: Compacted;
  let sizeAfterBytes: number;
  try {
    const copy = new SystemFile(join(directory.path, temporary), "create-exclusive");
    try {
      const flushed = new BackgroundSync(copy);
      try {
        done = compact(COPYING, (at, bytes) => flushed.write(at, bytes));
      } finally {
        await flushed.settled();
      }
      sizeAfterBytes = done.meta.pgid * pageBytes;
      if (!input.force) assertWorth(path, sizeBeforeBytes, sizeAfterBytes);
      progress.phase(SYNCING, 0);
      if (trailerBytes > 0) copy.write(sizeAfterBytes, sha256Of(copy, sizeAfterBytes));
      keepOwner(old, copy);
      copy.sync();
    } finally {
      copy.close();
    }
    progress.done(0);
    directory.rename(temporary, basename(path));
  } catch (error) {
    removeLeftovers(directory, basename(path));
    throw error;
  }
  directory.sync();
  disable(old, pageBytes);
  return {
    path,
    sizeBeforeBytes,
    sizeAfterBytes,
    fileBeforeBytes,
    fileAfterBytes: sizeAfterBytes + trailerBytes,
    keys: done.keys,
    buckets: done.buckets,
    tookMs: performance.now() - startedMs,
    trailer: trailerBytes > 0 ? "renewed" : "none",
    removedLeftovers,
  };
}

function assertWorth(path: string, beforeBytes: number, afterBytes: number): void {
  const gain = beforeBytes - afterBytes;
  if (gain > 0 && (gain >= beforeBytes * GAIN_WORTH || gain >= GAIN_WORTH_BYTES)) return;
  throw new StrataError(
    "NO_GAIN",
    `${path}: nothing worth gaining: ${beforeBytes} bytes would become ${afterBytes}`,
  );
}

/** Where the file itself is: what leads to it is not to be replaced. */
export function realPath(path: string): string {
  return realpathSync(path);
}

function freeDiskBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}

/** @throws StrataError NO_DISK */
export function assertDisk(path: string, neededBytes: number): void {
  const freeBytes = freeDiskBytes(path);
  if (freeBytes >= neededBytes) return;
  throw new StrataError(
    "NO_DISK",
    `${path}: the copy needs ${neededBytes} bytes of disk beside it, ${freeBytes} are free`,
  );
}

/** The copy is to be whose the old file is. */
export function keepOwner(old: SystemFile, copy: SystemFile): void {
  const { mode, uid, gid } = fstatSync(old.fd);
  const mine = fstatSync(copy.fd);
  if (mine.uid !== uid || mine.gid !== gid) chownSync(copy.path, uid, gid);
  // After the owner: giving a file away clears bits of its mode.
  chmodSync(copy.path, mode & 0o7777);
}

const PIECE_BYTES = 1024 * 1024;

function sha256Of(file: SystemFile, bytes: number): Uint8Array {
  const hash = createHash("sha256");
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    const some = piece.subarray(0, Math.min(PIECE_BYTES, bytes - at));
    file.read(at, some);
    hash.update(some);
  }
  return hash.digest();
}

/** Wipes the metas of a file that has no name any more; with a hard link somewhere it is still somebody's. */
export function disable(old: SystemFile, pageBytes: number): void {
  if (!isNameless(old)) return;
  old.write(0, new Uint8Array(2 * pageBytes));
}

export function isNameless({ fd }: SystemFile): boolean {
  return fstatSync(fd).nlink === 0;
}
