/** What stands in etcd's small buckets: everything but the user's keys. */

import { type AlarmRecord, decodeAlarm } from "../../alarm/alarm-record.ts";
import {
  decodeRole,
  decodeUser,
  type RoleRecord,
  type UserRecord,
} from "../../auth/auth-records.ts";
import {
  ALARM,
  AUTH,
  AUTH_ENABLED,
  AUTH_REVISION,
  AUTH_ROLES,
  AUTH_USERS,
  CLUSTER,
  CLUSTER_VERSION,
  CONF_STATE,
  CONSISTENT_INDEX,
  DOWNGRADE,
  FINISHED_COMPACT_REV,
  LEASE,
  MEMBERS,
  MEMBERS_REMOVED,
  META,
  SCHEDULED_COMPACT_REV,
  STORAGE_VERSION,
  TERM,
} from "../../backend/buckets.ts";
import { readRevision } from "../../backend/revision.ts";
import { equalBytes, readI64BEBig, viewOf } from "../../base/bytes.ts";
import { printableText, quoted } from "../../base/quote.ts";
import { decodeLease, type LeaseRecord } from "../../lease/lease-record.ts";
import { decodeMember, decodeMemberId, type MemberRecord } from "../../membership/member-record.ts";
import {
  BUCKET_ELEMENT,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  type Page,
} from "../../pagefile/page.ts";
import type { Faults } from "./faults.ts";
import type { LeafVisitor } from "./walks.ts";

export const SMALL_BUCKETS: readonly Uint8Array[] = [
  ALARM,
  AUTH,
  AUTH_ROLES,
  AUTH_USERS,
  CLUSTER,
  LEASE,
  MEMBERS,
  MEMBERS_REMOVED,
  META,
];

/** Rows kept of each kind; those beyond are counted. */
const ROWS_KEPT = 1000;

export class SchemaRows implements LeafVisitor {
  consistentIndex: bigint | undefined;
  term: bigint | undefined;
  confState: string | undefined;
  storageVersion: string | undefined;
  /** Main revisions; -1 = none. */
  scheduled = -1;
  finished = -1;
  clusterVersion: string | undefined;
  downgrade: string | undefined;
  authEnabled = false;
  authRevision: bigint | undefined;
  readonly members: MemberRecord[] = [];
  readonly removedMembers: bigint[] = [];
  readonly alarms: AlarmRecord[] = [];
  readonly users: UserRecord[] = [];
  readonly roles: RoleRecord[] = [];
  /** Sees every lease. */
  readonly #onLease: (lease: LeaseRecord) => void;
  leases = 0;
  readonly #pageBytes: number;
  readonly #faults: Faults;

  constructor(pageBytes: number, faults: Faults, onLease: (lease: LeaseRecord) => void = () => {}) {
    this.#pageBytes = pageBytes;
    this.#faults = faults;
    this.#onLease = onLease;
  }

  leaf(page: Page, bucket: Uint8Array): void {
    for (let i = 0; i < page.count; i++) {
      const start = leafKeyOffset(page, i);
      const end = start + leafKeyBytes(page, i);
      const key = page.bytes.slice(start, end);
      const value = page.bytes.slice(end, end + leafValueBytes(page, i));
      const isBucket = (leafFlags(page, i) & BUCKET_ELEMENT) !== 0;
      if (isBucket || !this.#row(bucket, key, value)) {
        const name = printableText(bucket) ?? "";
        const what = `bucket "${name}": the row ${quoted(key)} is not what etcd stores there`;
        this.#faults.add(what, page.id * this.#pageBytes + start - page.base);
      }
    }
  }

  /** @returns false if the row is not what it should be */
  #row(bucket: Uint8Array, key: Uint8Array, value: Uint8Array): boolean {
    switch (bucket) {
      case META:
        return this.#meta(key, value);
      case CLUSTER:
        if (equalBytes(key, CLUSTER_VERSION)) this.clusterVersion = text(value);
        else if (equalBytes(key, DOWNGRADE)) this.downgrade = text(value);
        return true;
      case AUTH:
        if (equalBytes(key, AUTH_ENABLED)) this.authEnabled = value.length === 1 && value[0] === 1;
        else if (equalBytes(key, AUTH_REVISION)) {
          this.authRevision = u64(value);
          return this.authRevision !== undefined;
        }
        return true;
      case LEASE: {
        const lease = decodeLease(key, value);
        if (lease === undefined) return false;
        this.leases++;
        this.#onLease(lease);
        return true;
      }
      case ALARM:
        return keep(this.alarms, decodeAlarm(key));
      case MEMBERS:
        return keep(this.members, decodeMember(key, value));
      case MEMBERS_REMOVED:
        return keep(this.removedMembers, decodeMemberId(key));
      case AUTH_USERS:
        return keep(this.users, decodeUser(value));
      case AUTH_ROLES:
        return keep(this.roles, decodeRole(value));
      default:
        return true;
    }
  }

  #meta(key: Uint8Array, value: Uint8Array): boolean {
    if (equalBytes(key, CONSISTENT_INDEX)) {
      this.consistentIndex = u64(value);
      return this.consistentIndex !== undefined;
    }
    if (equalBytes(key, TERM)) {
      this.term = u64(value);
      return this.term !== undefined;
    }
    if (equalBytes(key, CONF_STATE)) this.confState = text(value);
    else if (equalBytes(key, STORAGE_VERSION)) this.storageVersion = text(value);
    else if (equalBytes(key, SCHEDULED_COMPACT_REV)) {
      this.scheduled = readRevision(value)?.main ?? -1;
      return this.scheduled >= 0;
    } else if (equalBytes(key, FINISHED_COMPACT_REV)) {
      this.finished = readRevision(value)?.main ?? -1;
      return this.finished >= 0;
    }
    return true;
  }
}

function keep<T>(rows: T[], row: T | undefined): boolean {
  if (row === undefined) return false;
  if (rows.length < ROWS_KEPT) rows.push(row);
  return true;
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString();
}

function u64(value: Uint8Array): bigint | undefined {
  return value.length === 8 ? BigInt.asUintN(64, readI64BEBig(viewOf(value), 0)) : undefined;
}
