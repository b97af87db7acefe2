/**
 * A data dir is made of a snapshot under `member.part`, synced, and gets its own name last: a folder `member` is whole.
 * Whatever fails on the way, nothing of it is left; only a crash leaves a `member.part`, which no server looks at.
 *
 * The copy is hashed while it is made, so that the snapshot is read once.
 *
 * @see etcd etcdutl/snapshot/v3_snapshot.go Restore
 */
import { createHash } from "node:crypto";
import { basename, dirname, join, resolve, sep } from "node:path";
import {
  type DirectoryTree,
  type RandomAccessFile,
  SystemDirectory,
  SystemFile,
} from "../../native-free/file.ts";
import { equalBytes } from "../base/bytes.ts";
import { CorruptionError, StrataError } from "../base/errors.ts";
import type { Cluster } from "../membership/cluster.ts";
import { readMetas } from "../pagefile/meta.ts";
import { beginLog, clusterOf, enterMembers } from "./new-member.ts";
import { ProgressWriter } from "./progress.ts";
import type { RestoreInput, RestoreReport } from "./snapshot-restore.ts";
import { hasTrailer, TRAILER_BYTES } from "./snapshot-trailer.ts";
import { WriteBehind } from "./write-behind.ts";

const COPYING = 0;
const ENTERING = 1;

/** etcd's names; and what `member` is called until it is whole. */
const MEMBER = "member";
const UNFINISHED = "member.part";
const SNAP = "snap";
const WAL = "wal";
const DATABASE = "db";

/** The job itself, on a thread that may wait. */
export async function restore(
  input: RestoreInput,
  progress: ProgressWriter = new ProgressWriter(),
): Promise<RestoreReport> {
  const { dataDir, walDir } = input;
  const source = new SystemFile(input.snapshotPath, "read");
  try {
    assertChecksum(source, input);
    if (walDir !== undefined && isWithin(walDir, resolve(dataDir, MEMBER))) {
      const what = `wal-dir ${JSON.stringify(walDir)} is where the database goes: leave --wal-dir out, or name another place`;
      throw new StrataError("INCOMPATIBLE", what);
    }
    const made = [...SystemDirectory.missing(dataDir)];
    try {
      const data = SystemDirectory.make(dataDir);
      let wal: WalPlace | undefined;
      if (walDir !== undefined) {
        const parent = dirname(resolve(walDir));
        made.push(...SystemDirectory.missing(parent));
        wal = { parent: SystemDirectory.make(parent), name: basename(resolve(walDir)) };
      }
      return await restoreInto({ data, wal }, source, input, progress);
    } catch (error) {
      // Those inside before those around them; one that somebody else has put something into stays.
      for (const path of made.reverse()) {
        attempt(() => new SystemDirectory(dirname(path)).removeFolder(basename(path)));
      }
      throw error;
    }
  } finally {
    source.close();
  }
}

interface WalPlace {
  readonly parent: DirectoryTree;
  readonly name: string;
}

export interface RestorePlace {
  /** It is there, and has no `member`. */
  readonly data: DirectoryTree;
  /** Where nothing of that name is. Undefined: in `member`. */
  readonly wal: WalPlace | undefined;
}

/** The same for any disk; what is left of it after a failure is removed, but not the places themselves. */
export async function restoreInto(
  { data, wal }: RestorePlace,
  source: RandomAccessFile,
  input: Omit<RestoreInput, "snapshotPath" | "dataDir" | "walDir">,
  progress: ProgressWriter = new ProgressWriter(),
): Promise<RestoreReport> {
  assertChecksum(source, input);
  const cluster = clusterOf(input);
  if (wal?.parent.exists(wal.name)) {
    throw new StrataError("EXISTS", `${wal.parent.path}/${wal.name} is there already`);
  }
  data.makeFolder(UNFINISHED);
  try {
    const member = data.folder(UNFINISHED);
    member.makeFolder(SNAP);
    const snap = member.folder(SNAP);
    const sizeBytes = await copyDatabase(source, snap, cluster, input, progress);
    snap.sync();
    await beginLog(wal ?? { parent: member, name: WAL }, snap, cluster, input.votersInLog);
    member.sync();
    progress.done(0);
    data.rename(UNFINISHED, MEMBER);
    data.sync();
    return { sizeBytes, clusterId: cluster.id, memberId: cluster.localId };
  } catch (error) {
    for (const name of [UNFINISHED, MEMBER]) removeMember(data, name);
    if (wal !== undefined) removeLog(wal);
    throw named(error, join(data.path, UNFINISHED));
  }
}

/** The system does not say of an open file which one it is. */
function named(error: unknown, path: string): unknown {
  const isNameless = error instanceof Error && "syscall" in error && !("path" in error);
  return isNameless ? Object.assign(error, { path }) : error;
}

/** @throws StrataError CORRUPT if there is none, and there must be */
function assertChecksum(
  source: RandomAccessFile,
  { skipHashCheck }: { skipHashCheck: boolean },
): void {
  if (skipHashCheck || hasTrailer(source.size())) return;
  throw new StrataError("CORRUPT", "snapshot missing hash but --skip-hash-check=false");
}

/** @returns its size @throws StrataError CORRUPT if its checksum is another one */
async function copyDatabase(
  source: RandomAccessFile,
  snap: DirectoryTree,
  cluster: Cluster,
  { skipHashCheck, bumpRevision }: Pick<RestoreInput, "skipHashCheck" | "bumpRevision">,
  progress: ProgressWriter,
): Promise<number> {
  const fileBytes = source.size();
  // As etcd: also where it is not looked at, a checksum is none of the database's.
  const sizeBytes = hasTrailer(fileBytes) ? fileBytes - TRAILER_BYTES : fileBytes;
  const isVerified = !skipHashCheck && hasTrailer(fileBytes);
  const copy = snap.openFile(DATABASE, "create-exclusive", 0o600);
  try {
    const behind = new WriteBehind(copy);
    const hash = createHash("sha256");
    try {
      progress.phase(COPYING, sizeBytes);
      while (behind.bytes < sizeBytes) {
        const at = behind.bytes;
        const memory = await behind.room();
        const some = memory.subarray(0, Math.min(memory.length, sizeBytes - at));
        source.read(at, some);
        behind.push(memory, some.length);
        if (isVerified) hash.update(some);
        progress.done(at + some.length);
      }
    } catch (error) {
      // Not closed under what is under way.
      await behind.settled().catch(() => undefined);
      throw error;
    }
    await behind.settled();
    if (isVerified) {
      const expected = new Uint8Array(TRAILER_BYTES);
      source.read(sizeBytes, expected);
      assertSame(expected, hash.digest());
    }
    progress.phase(ENTERING, 0);
    // Of an empty file a new database would be made.
    readMetas(source);
    try {
      enterMembers(copy, cluster, bumpRevision);
    } catch (error) {
      // What is wrong with the copy is wrong with the file that it was made of, which is still there afterwards.
      if (!(error instanceof CorruptionError)) throw error;
      throw new CorruptionError(source.path, error.offsetBytes, error.what);
    }
  } finally {
    copy.close();
  }
  return sizeBytes;
}

/** In decimal, as Go prints bytes. */
function assertSame(expected: Uint8Array, got: Uint8Array): void {
  if (equalBytes(expected, got)) return;
  const what = `expected sha256 [${expected.join(" ")}], got [${[...got].join(" ")}]`;
  throw new StrataError("CORRUPT", what);
}

function removeMember(data: DirectoryTree, name: string): void {
  attempt(() => {
    if (!data.exists(name)) return;
    const member = data.folder(name);
    removeLog({ parent: member, name: WAL });
    removeFolder(member, SNAP);
    data.removeFolder(name);
  });
}

function removeLog({ parent, name }: WalPlace): void {
  removeFolder(parent, `${name}.tmp`);
  removeFolder(parent, name);
}

/** With the files in it. */
function removeFolder(parent: DirectoryTree, name: string): void {
  attempt(() => {
    if (!parent.exists(name)) return;
    const folder = parent.folder(name);
    for (const file of folder.list()) folder.remove(file);
    parent.removeFolder(name);
  });
}

/** A disk that refuses the removal as well: what it refused first says more. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // It stays.
  }
}

function isWithin(path: string, folder: string): boolean {
  return `${resolve(path)}${sep}`.startsWith(`${folder}${sep}`);
}
