/**
 * etcdserverpb's requests about leases and alarms, as the log keeps them.
 *
 * @see etcd api/etcdserverpb/rpc.proto for the field numbers
 */
import { type MessageWriter, written } from "./message-writer.ts";
import type {
  AlarmRequest,
  LeaseCheckpointRequest,
  LeaseGrantRequest,
  LeaseRevokeRequest,
} from "./messages.ts";
import { FieldReader } from "./protobuf.ts";

/** For messages that hold no others. */
const fields = new FieldReader();

export function encodeLeaseGrant(grant: LeaseGrantRequest): Uint8Array {
  return written(writeLeaseGrant, grant);
}

export function writeLeaseGrant(to: MessageWriter, grant: LeaseGrantRequest): void {
  to.bigint(2, grant.id);
  to.int64(1, grant.ttl);
}

/** @returns the request, or what is wrong with the bytes; so do all that follow */
export function decodeLeaseGrant(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): LeaseGrantRequest | string {
  let ttl = 0;
  let id = 0n;
  fields.open(bytes, start, end);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(0)) ttl = fields.int64;
    else if (fields.field === 2 && fields.is(0)) id = fields.int64Big;
  }
  return fields.fault ?? { kind: "leaseGrant", ttl, id };
}

export function encodeLeaseRevoke(revoke: LeaseRevokeRequest): Uint8Array {
  return written(writeLeaseRevoke, revoke);
}

export function writeLeaseRevoke(to: MessageWriter, revoke: LeaseRevokeRequest): void {
  to.bigint(1, revoke.id);
}

export function decodeLeaseRevoke(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): LeaseRevokeRequest | string {
  let id = 0n;
  fields.open(bytes, start, end);
  while (fields.next()) if (fields.field === 1 && fields.is(0)) id = fields.int64Big;
  return fields.fault ?? { kind: "leaseRevoke", id };
}

export function writeLeaseCheckpoint(to: MessageWriter, request: LeaseCheckpointRequest): void {
  for (const { id, remainingTtl } of request.checkpoints.toReversed()) {
    const before = to.length;
    to.int64(2, remainingTtl);
    to.bigint(1, id);
    to.message(1, before);
  }
}

export function decodeLeaseCheckpoint(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): LeaseCheckpointRequest | string {
  const checkpoints: { id: bigint; remainingTtl: number }[] = [];
  const outer = new FieldReader().open(bytes, start, end);
  while (outer.next()) {
    if (outer.field !== 1 || !outer.is(2)) continue;
    const checkpoint = { id: 0n, remainingTtl: 0 };
    fields.open(bytes, outer.start, outer.start + outer.length);
    while (fields.next()) {
      if (fields.field === 1 && fields.is(0)) checkpoint.id = fields.int64Big;
      else if (fields.field === 2 && fields.is(0)) checkpoint.remainingTtl = fields.int64;
    }
    if (fields.fault !== undefined) return fields.fault;
    checkpoints.push(checkpoint);
  }
  return outer.fault ?? { kind: "leaseCheckpoint", checkpoints };
}

export function encodeAlarm(alarm: AlarmRequest): Uint8Array {
  return written(writeAlarm, alarm);
}

export function writeAlarm(to: MessageWriter, alarm: AlarmRequest): void {
  to.int64(3, alarm.alarm);
  to.bigint(2, alarm.memberId);
  to.int64(1, alarm.action);
}

export function decodeAlarm(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): AlarmRequest | string {
  let action = 0;
  let memberId = 0n;
  let alarm = 0;
  fields.open(bytes, start, end);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(0)) action = fields.int32;
    else if (fields.field === 2 && fields.is(0)) memberId = fields.bigint;
    else if (fields.field === 3 && fields.is(0)) alarm = fields.int32;
  }
  return fields.fault ?? { kind: "alarm", action, memberId, alarm };
}
