/**
 * A row of bucket `lease`: its key is the id (i64 BE), its value protobuf leasepb.Lease
 * {1 ID, 2 TTL, 3 RemainingTTL: int64}. When it expires is known to the running leader alone.
 */
import { readI64BEBig, viewOf, writeU64BEBig } from "../base/bytes.ts";
import { everyField } from "../base/protobuf.ts";
import { type MessageWriter, written } from "../proto/message-writer.ts";

export interface LeaseRecord {
  readonly id: bigint;
  /** Seconds. */
  readonly ttl: bigint;
  /** Seconds that were left at the last checkpoint; 0 if there was none. */
  readonly remainingTtl: bigint;
}

/** @returns undefined if the two are no lease, or the value is another one's */
export function decodeLease(key: Uint8Array, value: Uint8Array): LeaseRecord | undefined {
  if (key.length !== 8) return undefined;
  let id = 0n;
  let ttl = 0n;
  let remainingTtl = 0n;
  const whole = everyField(value, (fields) => {
    if (fields.field === 1) id = fields.int64();
    else if (fields.field === 2) ttl = fields.int64();
    else if (fields.field === 3) remainingTtl = fields.int64();
  });
  return whole && id === readI64BEBig(viewOf(key), 0) ? { id, ttl, remainingTtl } : undefined;
}

export function leaseKey(id: bigint): Uint8Array {
  const key = new Uint8Array(8);
  writeU64BEBig(viewOf(key), 0, BigInt.asUintN(64, id));
  return key;
}

/** The row's value, as gogo-protobuf writes it: what is 0 is left out. Seconds. */
export function encodeLease(id: bigint, ttl: number, remainingTtl: number): Uint8Array {
  return written(writeLease, { id, ttl, remainingTtl });
}

function writeLease(
  to: MessageWriter,
  lease: { id: bigint; ttl: number; remainingTtl: number },
): void {
  to.int64(3, lease.remainingTtl);
  to.int64(2, lease.ttl);
  to.bigint(1, lease.id);
}

/** As etcdctl prints it: 16 hex digits. */
export function shownLease(id: bigint): string {
  return BigInt.asUintN(64, id).toString(16).padStart(16, "0");
}
