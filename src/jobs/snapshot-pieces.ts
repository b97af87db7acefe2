/**
 * A snapshot as etcd sends it and etcdctl saves it: the pages of one commit, and the SHA-256 of all of them behind.
 * @see etcd server/etcdserver/api/v3rpc/maintenance.go Snapshot
 */
import { createHash } from "node:crypto";
import { SystemFile } from "../../native-free/file.ts";
import { BACKUP_PIECE_BYTES, backupBytes, backupPieces } from "../pagefile/backup.ts";
import type { Meta } from "../pagefile/meta.ts";
import type { WalkSource } from "../pagefile/page-runs.ts";
import type { PinnedFile } from "./hash.ts";
import { TRAILER_BYTES } from "./snapshot-trailer.ts";

/** Of the whole snapshot, its checksum included. */
export function snapshotBytes(meta: Meta): number {
  return backupBytes(meta) + TRAILER_BYTES;
}

/** In order; the last is the checksum, alone. Parameters as `backupPieces`'. @throws CorruptionError as that */
export function* snapshotPieces(
  source: WalkSource,
  meta: Meta,
  pieceBytes: number = BACKUP_PIECE_BYTES,
  room: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): Generator<Uint8Array> {
  const hash = createHash("sha256");
  for (const piece of backupPieces(source, meta, pieceBytes, room)) {
    hash.update(piece);
    yield piece;
  }
  const checksum = room(TRAILER_BYTES);
  checksum.set(hash.digest());
  yield checksum;
}

/** For another thread than the one that has the file open. */
export function sourceOf({ path, fd, meta }: PinnedFile): WalkSource {
  const file = SystemFile.borrow(path, fd);
  return {
    path,
    pageBytes: meta.pageBytes,
    pgid: meta.pgid,
    size: () => file.size(),
    readSome: (offsetBytes, into) => file.readSome(offsetBytes, into),
  };
}
