/**
 * Maintenance.Snapshot: the bytes of one commit in pieces, then their checksum in a message of its own.
 *
 * @see etcd server/etcdserver/api/v3rpc/maintenance.go Snapshot
 */

import { utf8 } from "../../base/bytes.ts";
import { STORAGE_VERSION } from "../../base/version.ts";
import type { Member } from "../../engine/member.ts";
import type { Snapshot } from "../../engine/snapshots.ts";
import type { StreamCall } from "../../grpc/service.ts";
import { FieldWriter } from "../../proto/protobuf.ts";

const BLOB_BYTES = 32 * 1024;
/** SHA-256. */
const CHECKSUM_BYTES = 32;

const VERSION = new FieldWriter().message(4, utf8(STORAGE_VERSION)).bytes();

/** Resolves when the call has ended. */
export async function sendSnapshot(member: Member, call: StreamCall): Promise<void> {
  const snapshot = await member.maintenance.snapshot(call.signal);
  try {
    let left = snapshot.sizeBytes - CHECKSUM_BYTES;
    for await (const blob of blobsOf(snapshot, left)) {
      // The checksum comes when nothing is left.
      left = Math.max(0, left - blob.length);
      if (!call.send(headOf(left, blob.length), blob, VERSION)) await call.drained();
      if (call.ended) return;
    }
    call.end();
  } finally {
    await snapshot.close();
  }
}

/** What a message has before its blob. */
function headOf(remainingBytes: number, blobBytes: number): Uint8Array {
  const head = new FieldWriter();
  if (remainingBytes > 0) head.number(2, remainingBytes);
  return head.head(3, blobBytes).bytes();
}

/** Of 32 KiB each, but for the last of the database; then the checksum, which comes as a piece of its own. */
async function* blobsOf(snapshot: Snapshot, databaseBytes: number): AsyncGenerator<Uint8Array> {
  let left = databaseBytes;
  let rest = new Uint8Array(0);
  for await (const piece of snapshot) {
    if (left === 0) {
      yield piece;
      continue;
    }
    let at = 0;
    if (rest.length > 0) {
      const missing = Math.min(BLOB_BYTES - rest.length, piece.length);
      rest = new Uint8Array(Buffer.concat([rest, piece.subarray(0, missing)]));
      at = missing;
      if (rest.length === BLOB_BYTES || rest.length === left) {
        left -= rest.length;
        yield rest;
        rest = new Uint8Array(0);
      }
    }
    while (piece.length - at >= BLOB_BYTES || (piece.length - at === left && left > 0)) {
      const blob = piece.subarray(at, at + BLOB_BYTES);
      at += blob.length;
      left -= blob.length;
      yield blob;
    }
    if (at < piece.length) rest = piece.slice(at) as Uint8Array<ArrayBuffer>;
  }
}
