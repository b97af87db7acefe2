/**
 * A hot backup: the pages of one root as they lie in the file, free ones included, behind two metas of that root. What
 * etcd's snapshots are made of.
 * @see bbolt tx.go WriteTo
 */
import { CorruptionError } from "../base/errors.ts";
import { encodeMetaPage, type Meta } from "./meta.ts";
import type { WalkSource } from "./page-runs.ts";

/** A read of this much takes a fraction of a millisecond from the system's cache. */
export const BACKUP_PIECE_BYTES: number = 1024 * 1024;

/** Bytes of a backup: exactly the pages below the high-water mark. */
export function backupBytes(meta: Meta): number {
  return meta.pgid * meta.pageBytes;
}

/**
 * The backup in order, in pieces of at most `pieceBytes`, each in memory of its own. The root must be pinned by an open
 * read transaction, or by nobody writing.
 *
 * @throws CorruptionError if the file is shorter than its meta says
 */
export function* backupPieces(
  source: WalkSource,
  meta: Meta,
  pieceBytes: number = BACKUP_PIECE_BYTES,
): Generator<Uint8Array<ArrayBuffer>> {
  const { pageBytes } = meta;
  const metas = new Uint8Array(2 * pageBytes);
  metas.set(encodeMetaPage(meta, 0), 0);
  metas.set(encodeMetaPage({ ...meta, txid: meta.txid - 1 }, 1), pageBytes);
  yield metas;
  const endBytes = backupBytes(meta);
  for (let at = 2 * pageBytes; at < endBytes; at += pieceBytes) {
    const some = new Uint8Array(Math.min(pieceBytes, endBytes - at));
    const got = source.readSome(at, some);
    if (got < some.length) {
      const what = `the file ends here, its meta says that ${meta.pgid} pages are in use`;
      throw new CorruptionError(source.path, at + got, what);
    }
    yield some;
  }
}
