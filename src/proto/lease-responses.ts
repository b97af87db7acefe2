/**
 * etcdserverpb's messages about leases that are not in the log: what a client asks, and every response.
 *
 * @see etcd api/etcdserverpb/rpc.proto for the field numbers
 */
import type { MessageWriter } from "./message-writer.ts";
import { FieldReader } from "./protobuf.ts";

export interface LeaseTimeToLiveRequest {
  readonly id: bigint;
  readonly keys: boolean;
}

export interface LeaseTimeToLiveResponse {
  readonly id: bigint;
  /** Seconds; -1: there is no such lease. */
  readonly ttl: number;
  readonly grantedTtl: number;
  readonly keys: readonly Uint8Array[];
}

const fields = new FieldReader();

/** LeaseKeepAliveRequest. @returns its id, or what is wrong with the bytes */
export function decodeLeaseKeepAlive(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): bigint | string {
  let id = 0n;
  fields.open(bytes, start, end);
  while (fields.next()) if (fields.field === 1 && fields.is(0)) id = fields.int64Big;
  return fields.fault ?? id;
}

/** @returns the request, or what is wrong with the bytes */
export function decodeLeaseTimeToLive(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): LeaseTimeToLiveRequest | string {
  let id = 0n;
  let keys = false;
  fields.open(bytes, start, end);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(0)) id = fields.int64Big;
    else if (fields.field === 2 && fields.is(0)) keys = fields.bool;
  }
  return fields.fault ?? { id, keys };
}

/** LeaseLeasesRequest and others without fields. @returns what is wrong with the bytes, if anything is */
export function decodeEmpty(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): object | string {
  fields.open(bytes, start, end);
  while (fields.next());
  return fields.fault ?? {};
}

/** LeaseGrantResponse and LeaseKeepAliveResponse. */
export function writeLeaseTtl(to: MessageWriter, id: bigint, ttl: number): void {
  to.int64(3, ttl);
  to.bigint(2, id);
}

export function writeLeaseTimeToLive(to: MessageWriter, response: LeaseTimeToLiveResponse): void {
  const { id, ttl, grantedTtl, keys } = response;
  for (let i = keys.length - 1; i >= 0; i--) to.presentBytes(5, keys[i] as Uint8Array);
  to.int64(4, grantedTtl);
  to.int64(3, ttl);
  to.bigint(2, id);
}

export function writeLeases(to: MessageWriter, ids: readonly bigint[]): void {
  for (let i = ids.length - 1; i >= 0; i--) {
    const before = to.length;
    to.bigint(1, ids[i] as bigint);
    to.message(2, before);
  }
}
