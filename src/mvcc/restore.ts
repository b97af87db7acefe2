/**
 * The index of a store that starts, from all records of bucket `key`. The storage thread decodes a piece while this
 * one takes in the piece before; between pieces others have their turn.
 *
 * @see etcd server/storage/mvcc/kvstore.go restore
 */
import type { ScanPiece, Storage } from "../backend/storage.ts";
import { IndexRestore } from "./index-restore.ts";
import type { KeyIndex } from "./key-index.ts";

export interface RestoredIndex {
  readonly index: KeyIndex;
  /** Of the last record; 1 if there is none. */
  readonly lastRevision: number;
  readonly records: number;
  /** Which lease each key hangs on, of those that hang on one. */
  readonly leases: ReadonlyMap<string, bigint>;
}

export interface RestoreProgress {
  readonly records: number;
  /** Of keys and values so far. */
  readonly recordBytes: number;
}

const PIECE_RECORDS = 16_384;

/**
 * @param signal  ends it: then it rejects with the signal's reason
 * @throws (rejects) what `Storage.scan` throws
 */
export async function restoreIndex(
  storage: Pick<Storage, "scan">,
  onProgress: (progress: RestoreProgress) => void = () => undefined,
  signal?: AbortSignal,
): Promise<RestoredIndex> {
  const restore = new IndexRestore();
  const leases = new Map<string, bigint>();
  let lastRevision = 1;
  let records = 0;
  let recordBytes = 0;
  let coming: Promise<ScanPiece> | undefined = storage.scan({
    restart: true,
    limit: PIECE_RECORDS,
  });
  while (coming !== undefined) {
    const piece: ScanPiece = await coming;
    signal?.throwIfAborted();
    coming = piece.done ? undefined : storage.scan({ restart: false, limit: PIECE_RECORDS });
    takeIn(piece, restore, leases);
    if (piece.count > 0) lastRevision = piece.mains[piece.count - 1] as number;
    records += piece.count;
    recordBytes += piece.recordBytes;
    onProgress({ records, recordBytes });
  }
  return { index: restore.finish(), lastRevision, records, leases };
}

function takeIn(piece: ScanPiece, restore: IndexRestore, leases: Map<string, bigint>): void {
  const { count, mains, subs, tombstones, creates, versions, keyEnds } = piece;
  const keys = Buffer.from(piece.keys.buffer, piece.keys.byteOffset, piece.keys.byteLength);
  let start = 0;
  let nextLease = 0;
  for (let i = 0; i < count; i++) {
    const end = keyEnds[i] as number;
    const key = keys.toString("latin1", start, end);
    start = end;
    const main = mains[i] as number;
    const sub = subs[i] as number;
    const tombstone = tombstones[i] === 1;
    restore.add(main, sub, tombstone, key, creates[i] as number, versions[i] as number);
    const lease = piece.leases[nextLease];
    if (lease !== undefined && lease[0] === i) {
      nextLease++;
      leases.set(key, lease[1]);
    } else if (leases.size > 0) leases.delete(key);
  }
}
