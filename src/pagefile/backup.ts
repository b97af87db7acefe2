/**
 * A hot backup: the pages of one root as they lie in the file, free ones included, behind two metas of that root. What
 * etcd's snapshots are made of.
 * @see bbolt tx.go WriteTo
 */
import { CorruptionError } from "../base/errors.ts";
import { encodeMetaPage, type Meta } from "./meta.ts";
import type { WalkSource } from "./page-runs.ts";

const PIECE_BYTES = 1024 * 1024;

/** Bytes of a backup: exactly the pages below the high-water mark. */
export function backupBytes(meta: Meta): number {
  return meta.pgid * meta.pageBytes;
}

/**
 * The backup in order, in pieces of at most 1 MiB that are valid until the next is asked for. The root must be pinned
 * by an open read transaction, or by nobody writing.
 *
 * @throws CorruptionError if the file is shorter than its meta says
 */
export function* backupPieces(source: WalkSource, meta: Meta): Generator<Uint8Array> {
  const { pageBytes } = meta;
  const metas = new Uint8Array(2 * pageBytes);
  metas.set(encodeMetaPage(meta, 0), 0);
  metas.set(encodeMetaPage({ ...meta, txid: meta.txid - 1 }, 1), pageBytes);
  yield metas;
  const endBytes = backupBytes(meta);
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 2 * pageBytes; at < endBytes; at += PIECE_BYTES) {
    const some = piece.subarray(0, Math.min(PIECE_BYTES, endBytes - at));
    const got = source.readSome(at, some);
    if (got < some.length) {
      const what = `the file ends here, its meta says that ${meta.pgid} pages are in use`;
      throw new CorruptionError(source.path, at + got, what);
    }
    yield some;
  }
}
