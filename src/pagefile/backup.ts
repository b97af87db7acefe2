/**
 * A hot backup: the pages of one root as they lie in the file, free ones included, behind two metas of that root. What
 * etcd's snapshots are made of.
 * @see bbolt tx.go WriteTo
 */
import { CorruptionError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import { encodeMetaPage, type Meta } from "./meta.ts";
import type { WalkSource } from "./page-runs.ts";

/** A read of this much takes a fraction of a millisecond from the system's cache. */
export const BACKUP_PIECE_BYTES: number = 1024 * 1024;

/** Bytes of a backup: exactly the pages below the high-water mark. */
export function backupBytes(meta: Meta): number {
  return meta.pgid * meta.pageBytes;
}

/**
 * The backup in order, in pieces of `pieceBytes`, but for the last. The root must be pinned by an open read transaction,
 * or by nobody writing.
 *
 * @param pieceBytes  two pages or more
 * @param room  gives a piece its memory, of just that length. Default: each has its own
 * @throws CorruptionError if the file is shorter than its meta says
 */
export function* backupPieces(
  source: WalkSource,
  meta: Meta,
  pieceBytes: number = BACKUP_PIECE_BYTES,
  room: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): Generator<Uint8Array> {
  const { pageBytes } = meta;
  invariant(pieceBytes >= 2 * pageBytes, "the metas are in the first piece", { pieceBytes });
  const endBytes = backupBytes(meta);
  for (let at = 0; at < endBytes; at += pieceBytes) {
    const piece = room(Math.min(pieceBytes, endBytes - at));
    const metasBytes = at === 0 ? 2 * pageBytes : 0;
    if (metasBytes > 0) {
      piece.set(encodeMetaPage(meta, 0), 0);
      piece.set(encodeMetaPage({ ...meta, txid: meta.txid - 1 }, 1), pageBytes);
    }
    const pages = piece.subarray(metasBytes);
    const got = source.readSome(at + metasBytes, pages);
    if (got < pages.length) {
      const what = `the file ends here, its meta says that ${meta.pgid} pages are in use`;
      throw new CorruptionError(source.path, at + metasBytes + got, what);
    }
    yield piece;
  }
}
