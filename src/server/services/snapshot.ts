/**
 * Maintenance.Snapshot: the bytes of one commit in pieces, then their checksum in a message of its own.
 *
 * @see etcd server/etcdserver/api/v3rpc/maintenance.go Snapshot
 */

import { utf8 } from "../../base/bytes.ts";
import { STORAGE_VERSION } from "../../base/version.ts";
import type { Member } from "../../engine/member.ts";
import type { StreamCall } from "../../grpc/service.ts";
import { FieldWriter } from "../../proto/protobuf.ts";

/** As etcd's. Pieces are whole numbers of it. */
const BLOB_BYTES = 32 * 1024;
/** SHA-256. */
const CHECKSUM_BYTES = 32;

const VERSION = new FieldWriter().message(4, utf8(STORAGE_VERSION)).bytes();

/**
 * Resolves when the call has ended.
 * @param maxMs  as --snapshot-max-duration; 0: the peer may take as long as it likes
 */
export async function sendSnapshot(member: Member, call: StreamCall, maxMs = 0): Promise<void> {
  const limit = maxMs > 0 ? { maxMs, setBy: "--snapshot-max-duration" } : undefined;
  const { signal } = call;
  const snapshot = await member.maintenance.snapshot({ signal, lent: true, limit });
  // Whoever sends waits for room: the end of the call wakes it.
  void snapshot.ended.then(() => {
    if (snapshot.failure !== undefined) call.failWith(snapshot.failure);
  });
  try {
    let left = snapshot.sizeBytes - CHECKSUM_BYTES;
    for await (const piece of snapshot) {
      // The checksum is a piece of its own, and comes when nothing is left.
      for (let at = 0; at < piece.length; at += BLOB_BYTES) {
        const blob = piece.subarray(at, at + BLOB_BYTES);
        left = Math.max(0, left - blob.length);
        if (!call.send(headOf(left, blob.length), blob, VERSION)) await call.drained();
        if (call.ended) return;
      }
      // Its memory is read into again.
      await call.written();
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
