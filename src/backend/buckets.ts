/**
 * etcd's buckets and the keys of its `meta` bucket, each named once.
 * @see etcd server/storage/schema/bucket.go, and docs/format.md
 */
import { utf8 } from "../base/bytes.ts";

export const ALARM: Uint8Array = utf8("alarm");
export const AUTH: Uint8Array = utf8("auth");
export const AUTH_ROLES: Uint8Array = utf8("authRoles");
export const AUTH_USERS: Uint8Array = utf8("authUsers");
export const CLUSTER: Uint8Array = utf8("cluster");
/** Every kept revision of every user key. */
export const KEY: Uint8Array = utf8("key");
export const LEASE: Uint8Array = utf8("lease");
export const MEMBERS: Uint8Array = utf8("members");
export const MEMBERS_REMOVED: Uint8Array = utf8("members_removed");
export const META: Uint8Array = utf8("meta");

/** u64 BE: the log index of the last entry whose effects are in the file. */
export const CONSISTENT_INDEX: Uint8Array = utf8("consistent_index");
/** u64 BE: the term of that entry (etcd ≥ 3.5). */
export const TERM: Uint8Array = utf8("term");
/** JSON of the raft membership (etcd ≥ 3.5). */
export const CONF_STATE: Uint8Array = utf8("confState");
/** A revision: a compaction that has begun. */
export const SCHEDULED_COMPACT_REV: Uint8Array = utf8("scheduledCompactRev");
/** A revision: the last compaction that has ended. */
export const FINISHED_COMPACT_REV: Uint8Array = utf8("finishedCompactRev");
/** Text: the version of the schema (etcd ≥ 3.6). */
export const STORAGE_VERSION: Uint8Array = utf8("storageVersion");

/** Of bucket `auth`. One byte, 1 = on; absent until auth was first on. */
export const AUTH_ENABLED: Uint8Array = utf8("authEnabled");
/** Of bucket `auth`. u64 BE: counts changes to users and roles. */
export const AUTH_REVISION: Uint8Array = utf8("authRevision");
/** Of bucket `cluster`. Text. */
export const CLUSTER_VERSION: Uint8Array = utf8("clusterVersion");
/** Of bucket `cluster`. JSON of a downgrade that is under way (etcd ≥ 3.5). */
export const DOWNGRADE: Uint8Array = utf8("downgrade");
