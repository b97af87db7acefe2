/**
 * Reading a database file that some other process may hold open, without ever changing it.
 *
 * With the shared lock, which bbolt's readers take too, nobody can write meanwhile. While a server holds the file there
 * is no lock to be had, and none is needed if one thing is checked: a commit N+1 writes only to pages that the root N
 * cannot reach, and its successor is the first that may reuse pages of N. So what was read from root N counts if N is
 * still the newest valid meta when the reading is over. (A reused page carries the same id: nothing in it would show.)
 */
import { SystemFile } from "../../native-free/file.ts";
import { lockFile } from "../../native-free/file-lock.ts";
import { StrataError } from "../base/errors.ts";
import { type Meta, type MetaPair, readMetas } from "../pagefile/meta.ts";
import { shownHolders } from "../pagefile/open.ts";
import type { WalkSource } from "../pagefile/page-runs.ts";

/** A root of a file, and the file to read it from. */
export interface OfflineView {
  readonly file: SystemFile;
  readonly metas: MetaPair;
  readonly meta: Meta;
  readonly source: WalkSource;
  /** Nobody can write meanwhile: what is read now stands. */
  readonly locked: boolean;
}

/** How a file was read: under a shared lock, or beside a process that holds it. */
export type ReadingMode =
  | { readonly mode: "locked" }
  | { readonly mode: "unlocked"; readonly attempts: number; readonly why: string };

export interface OfflineReading<T> {
  readonly value: T;
  readonly reading: ReadingMode;
}

/** A server that commits ten times a second outruns a reader of a big file; it is not to be tried for ever. */
const ATTEMPTS_MAX = 5;

/**
 * Reads `path` by `read`, which may be called several times when the file changes under it.
 *
 * @throws CorruptionError, the system's errors; StrataError CHANGED when the file moved on at every attempt
 */
export async function readOffline<T>(
  path: string,
  read: (view: OfflineView) => T | Promise<T>,
): Promise<OfflineReading<T>> {
  const file = new SystemFile(path, "read");
  try {
    const lock = lockFile(file, "shared");
    if (lock.kind === "held") {
      return {
        value: await read(viewOf(file, readMetas(file), true)),
        reading: { mode: "locked" },
      };
    }
    const why = lock.kind === "busy" ? `held by ${shownHolders(lock.holders)}` : lock.why;
    for (let attempts = 1; attempts <= ATTEMPTS_MAX; attempts++) {
      const before = readMetas(file);
      const attempt = await settled(() => read(viewOf(file, before, false)));
      const still = sameRoot(before, readMetas(file));
      if (still && !attempt.ok) throw attempt.error;
      if (still && attempt.ok) {
        return { value: attempt.value, reading: { mode: "unlocked", attempts, why } };
      }
    }
    throw new StrataError(
      "CHANGED",
      `${path}: ${why}, and it changed during each of ${ATTEMPTS_MAX} attempts to read it: ` +
        "take a snapshot of the running server (etcdctl snapshot save) and look at that",
    );
  } finally {
    file.close();
  }
}

type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

async function settled<T>(work: () => T | Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}

function sameRoot(a: MetaPair, b: MetaPair): boolean {
  return a.active.txid === b.active.txid && a.active.root === b.active.root;
}

function viewOf(file: SystemFile, metas: MetaPair, locked: boolean): OfflineView {
  const meta = metas.active;
  const source: WalkSource = {
    path: file.path,
    pageBytes: metas.pageBytes,
    pgid: meta.pgid,
    size: () => file.size(),
    readSome: (offsetBytes, into) => file.readSome(offsetBytes, into),
  };
  return { file, metas, meta, source, locked };
}
