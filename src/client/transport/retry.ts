/** Which unary calls are sent again by themselves. @see etcd client/v3/retry.go, retry_interceptor.go */
import { EtcdError } from "../../base/errors.ts";
import { GrpcStatus, RpcError } from "../status.ts";
import { jittered } from "./backoff.ts";

/** etcd's `withRepeatablePolicy`. */
const REPEATABLE: ReadonlySet<string> = new Set([
  "/etcdserverpb.KV/Range",
  "/etcdserverpb.Lease/LeaseTimeToLive",
  "/etcdserverpb.Lease/LeaseLeases",
  "/etcdserverpb.Cluster/MemberList",
  "/etcdserverpb.Maintenance/Alarm",
  "/etcdserverpb.Maintenance/Status",
  "/etcdserverpb.Maintenance/Hash",
  "/etcdserverpb.Maintenance/HashKV",
  "/etcdserverpb.Maintenance/MoveLeader",
  "/etcdserverpb.Auth/UserList",
  "/etcdserverpb.Auth/UserGet",
  "/etcdserverpb.Auth/RoleGet",
  "/etcdserverpb.Auth/RoleList",
]);

/** So often a call is sent at most. */
export const ATTEMPTS_MAX = 100;

const WAIT_MS = 25;
const JITTER = 0.1;

/** Whether a method may be sent again though the server may have done it. */
export function isRepeatable(path: string): boolean {
  return REPEATABLE.has(path);
}

/** Whether it may go better elsewhere, or in a moment, at a call that may be repeated. */
export function isUnavailable(error: unknown): boolean {
  const status =
    error instanceof EtcdError || error instanceof RpcError ? error.grpcStatus : undefined;
  return status === GrpcStatus.unavailable;
}

/** Whether another one of several servers may take what this one, not yet a voter, must not take. */
export function isLearners(error: unknown): boolean {
  return error instanceof EtcdError && error.code === "NOT_SUPPORTED_FOR_LEARNER";
}

/** Every majority of the servers may be asked in one go; then comes a pause. @param attempt  1 for the second one */
export function retryDelayMs(attempt: number, servers: number, random: () => number): number {
  const quorum = Math.floor(servers / 2) + 1;
  return attempt % quorum === 0 ? jittered(WAIT_MS, JITTER, random) : 0;
}
