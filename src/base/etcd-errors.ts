/**
 * Every error that etcd's clients know, once each: its gRPC status and its text. Clients match on the text, so it is
 * etcd's to the letter, the two unlike spellings of "already exist" included.
 *
 * Where etcd's versions differ in the status, it is the newest one's; 3.4 and 3.5 said 14 for NOT_CAPABLE, 3.5 for
 * CLUSTER_VERSION_UNAVAILABLE, 3.4 for NOT_SUPPORTED_FOR_LEARNER. A real server sends MEMBER_NOT_ENOUGH_STARTED and
 * TOO_MANY_REQUESTS as status 2, because nothing there translates them.
 *
 * @see etcd api/v3rpc/rpctypes/error.go
 */

/**
 * Code: [gRPC status, text]. The codes are etcd's own names without `ErrGRPC`, but for FUTURE (FutureRev) and
 * CORRUPT_CLUSTER (Corrupt).
 */
export const ETCD_ERRORS = {
  // 1: canceled
  WATCH_CANCELED: [1, "etcdserver: watch canceled"],
  CANCELED: [1, "etcdserver: request canceled"],
  // 3: invalid argument
  EMPTY_KEY: [3, "etcdserver: key is not provided"],
  KEY_NOT_FOUND: [3, "etcdserver: key not found"],
  VALUE_PROVIDED: [3, "etcdserver: value is provided"],
  LEASE_PROVIDED: [3, "etcdserver: lease is provided"],
  TOO_MANY_OPS: [3, "etcdserver: too many operations in txn request"],
  DUPLICATE_KEY: [3, "etcdserver: duplicate key given in txn request"],
  INVALID_CLIENT_API_VERSION: [3, "etcdserver: invalid client api version"],
  INVALID_SORT_OPTION: [3, "etcdserver: invalid sort option"],
  MEMBER_BAD_URLS: [3, "etcdserver: given member URLs are invalid"],
  REQUEST_TOO_LARGE: [3, "etcdserver: request is too large"],
  USER_EMPTY: [3, "etcdserver: user name is empty"],
  ROLE_EMPTY: [3, "etcdserver: role name is empty"],
  AUTH_FAILED: [3, "etcdserver: authentication failed, invalid user ID or password"],
  PERMISSION_NOT_GIVEN: [3, "etcdserver: permission not given"],
  INVALID_AUTH_MGMT: [3, "etcdserver: invalid auth management"],
  AUTH_OLD_REVISION: [3, "etcdserver: revision of auth store is old"],
  WRONG_DOWNGRADE_VERSION_FORMAT: [3, "etcdserver: wrong downgrade target version format"],
  INVALID_DOWNGRADE_TARGET_VERSION: [3, "etcdserver: invalid downgrade target version"],
  // 4: deadline exceeded
  DEADLINE_EXCEEDED: [4, "etcdserver: context deadline exceeded"],
  // 5: not found
  LEASE_NOT_FOUND: [5, "etcdserver: requested lease not found"],
  MEMBER_NOT_FOUND: [5, "etcdserver: member not found"],
  // 7: permission denied
  PERMISSION_DENIED: [7, "etcdserver: permission denied"],
  // 8: resource exhausted
  NO_SPACE: [8, "etcdserver: mvcc: database space exceeded"],
  TOO_MANY_REQUESTS: [8, "etcdserver: too many requests"],
  // 9: failed precondition
  LEASE_EXIST: [9, "etcdserver: lease already exists"],
  MEMBER_EXIST: [9, "etcdserver: member ID already exist"],
  PEER_URL_EXIST: [9, "etcdserver: Peer URLs already exists"],
  MEMBER_NOT_ENOUGH_STARTED: [
    9,
    "etcdserver: re-configuration failed due to not enough started members",
  ],
  MEMBER_NOT_LEARNER: [9, "etcdserver: can only promote a learner member"],
  LEARNER_NOT_READY: [
    9,
    "etcdserver: can only promote a learner member which is in sync with leader",
  ],
  TOO_MANY_LEARNERS: [9, "etcdserver: too many learner members in cluster"],
  CLUSTER_ID_MISMATCH: [9, "etcdserver: cluster ID mismatch"],
  ROOT_USER_NOT_EXIST: [9, "etcdserver: root user does not exist"],
  ROOT_ROLE_NOT_EXIST: [9, "etcdserver: root user does not have root role"],
  USER_ALREADY_EXIST: [9, "etcdserver: user name already exists"],
  USER_NOT_FOUND: [9, "etcdserver: user name not found"],
  ROLE_ALREADY_EXIST: [9, "etcdserver: role name already exists"],
  ROLE_NOT_FOUND: [9, "etcdserver: role name not found"],
  ROLE_NOT_GRANTED: [9, "etcdserver: role is not granted to the user"],
  PERMISSION_NOT_GRANTED: [9, "etcdserver: permission is not granted to the role"],
  AUTH_NOT_ENABLED: [9, "etcdserver: authentication is not enabled"],
  NOT_LEADER: [9, "etcdserver: not leader"],
  NOT_CAPABLE: [9, "etcdserver: not capable"],
  NOT_SUPPORTED_FOR_LEARNER: [9, "etcdserver: rpc not supported for learner"],
  BAD_LEADER_TRANSFEREE: [9, "etcdserver: bad leader transferee"],
  CLUSTER_VERSION_UNAVAILABLE: [9, "etcdserver: cluster version not found during downgrade"],
  DOWNGRADE_IN_PROCESS: [9, "etcdserver: cluster has a downgrade job in progress"],
  NO_INFLIGHT_DOWNGRADE: [9, "etcdserver: no inflight downgrade job"],
  // 11: out of range
  COMPACTED: [11, "etcdserver: mvcc: required revision has been compacted"],
  FUTURE: [11, "etcdserver: mvcc: required revision is a future revision"],
  LEASE_TTL_TOO_LARGE: [11, "etcdserver: too large lease TTL"],
  // 14: unavailable
  NO_LEADER: [14, "etcdserver: no leader"],
  LEADER_CHANGED: [14, "etcdserver: leader changed"],
  STOPPED: [14, "etcdserver: server stopped"],
  TIMEOUT: [14, "etcdserver: request timed out"],
  TIMEOUT_DUE_TO_LEADER_FAIL: [
    14,
    "etcdserver: request timed out, possibly due to previous leader failure",
  ],
  TIMEOUT_DUE_TO_CONNECTION_LOST: [
    14,
    "etcdserver: request timed out, possibly due to connection lost",
  ],
  TIMEOUT_WAIT_APPLIED_INDEX: [
    14,
    "etcdserver: request timed out, waiting for the applied index took too long",
  ],
  UNHEALTHY: [14, "etcdserver: unhealthy cluster"],
  // 15: data loss
  /** An alarm was raised. `CORRUPT` is another thing: bytes on disk that the format does not allow. */
  CORRUPT_CLUSTER: [15, "etcdserver: corrupt cluster"],
  // 16: unauthenticated
  INVALID_AUTH_TOKEN: [16, "etcdserver: invalid auth token"],
} as const;

export type EtcdErrorCode = keyof typeof ETCD_ERRORS;

export function isEtcdErrorCode(code: string): code is EtcdErrorCode {
  return Object.hasOwn(ETCD_ERRORS, code);
}
