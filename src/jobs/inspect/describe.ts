/** A row of one of etcd's buckets in words, for a page that is shown element by element. */
import { decodeAlarm } from "../../alarm/alarm-record.ts";
import { decodeRole, decodeUser } from "../../auth/auth-records.ts";
import {
  ALARM,
  AUTH,
  AUTH_REVISION,
  AUTH_ROLES,
  AUTH_USERS,
  CONSISTENT_INDEX,
  FINISHED_COMPACT_REV,
  KEY,
  LEASE,
  META,
  SCHEDULED_COMPACT_REV,
  TERM,
} from "../../backend/buckets.ts";
import { readRevision } from "../../backend/revision.ts";
import { equalBytes, readI64BEBig, viewOf } from "../../base/bytes.ts";
import { decodeLease, shownLease } from "../../lease/lease-record.ts";
import { shownMember } from "../../membership/member-record.ts";
import { decodeKeyValue } from "../../mvcc/key-value.ts";
import type { Show } from "./show.ts";

/** @returns undefined if it is no row that is known, or not what it should be */
export function describeRow(
  bucket: Uint8Array,
  key: Uint8Array,
  value: Uint8Array,
  show: Show,
): string | undefined {
  if (equalBytes(bucket, KEY)) return describeRevision(key, value, show);
  if (equalBytes(bucket, META) || equalBytes(bucket, AUTH)) {
    const text = describeMark(key, value);
    return text && `${show.key(key)} = ${text}`;
  }
  if (equalBytes(bucket, LEASE)) {
    const lease = decodeLease(key, value);
    if (lease === undefined) return undefined;
    const left = lease.remainingTtl === 0n ? "" : `, ${lease.remainingTtl} remaining`;
    return `lease ${shownLease(lease.id)}: TTL ${lease.ttl}${left}`;
  }
  if (equalBytes(bucket, ALARM)) {
    const alarm = decodeAlarm(key);
    return alarm && `${alarm.alarm} on member ${shownMember(alarm.memberId)}`;
  }
  if (equalBytes(bucket, AUTH_USERS)) {
    const user = decodeUser(value);
    const password = user?.hasPassword ? "a password" : "no password";
    return user && `user ${user.name}, ${password}, roles [${user.roles.join(" ")}]`;
  }
  if (equalBytes(bucket, AUTH_ROLES)) {
    const role = decodeRole(value);
    const permissions = role?.permissions.map(
      ({ type, key: from, rangeEnd }) => `${type} ${show.key(from)}-${show.key(rangeEnd)}`,
    );
    return role && `role ${role.name}: ${permissions?.join(", ")}`;
  }
  return undefined;
}

/** A branch's key in words, if it is of a bucket where keys say something. */
export function describeKey(bucket: Uint8Array | undefined, key: Uint8Array): string | undefined {
  const revision = bucket && equalBytes(bucket, KEY) ? readRevision(key) : undefined;
  return revision && `${revision.main}_${revision.sub}${revision.tombstone ? " (tombstone)" : ""}`;
}

function describeRevision(key: Uint8Array, value: Uint8Array, show: Show): string | undefined {
  const revision = readRevision(key);
  const kv = decodeKeyValue(value);
  if (revision === undefined || kv === undefined) return undefined;
  const at = `${revision.main}_${revision.sub}`;
  if (revision.tombstone) return `${at} ${show.key(kv.key)} deleted`;
  const lease = kv.lease === 0n ? "" : `, lease ${shownLease(kv.lease)}`;
  const numbers = `create ${kv.createRevision}, mod ${kv.modRevision}, version ${kv.version}`;
  return `${at} ${show.key(kv.key)} = ${show.valueStart(kv.value)} (${numbers}${lease})`;
}

function describeMark(key: Uint8Array, value: Uint8Array): string | undefined {
  if ([CONSISTENT_INDEX, TERM, AUTH_REVISION].some((each) => equalBytes(key, each))) {
    return number(value);
  }
  if (equalBytes(key, SCHEDULED_COMPACT_REV) || equalBytes(key, FINISHED_COMPACT_REV)) {
    const revision = readRevision(value);
    return revision && `${revision.main}_${revision.sub}`;
  }
  return undefined;
}

function number(value: Uint8Array): string | undefined {
  return value.length === 8
    ? BigInt.asUintN(64, readI64BEBig(viewOf(value), 0)).toString()
    : undefined;
}
