/**
 * Maintenance.Downgrade. There is nothing to prepare here: any etcd from 3.4 on starts on this data dir as it is. So a
 * target is judged as etcd judges it, and no downgrade ever begins.
 *
 * @see etcd server/etcdserver/v3_server.go Downgrade
 */
import { EtcdError } from "../../base/errors.ts";
import { Code, GrpcError } from "../../grpc/status.ts";
import { DowngradeRequest_DowngradeAction as Action } from "../../proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";

const VERSION = /^(\d{1,9})\.(\d{1,9})(?:\.\d{1,9})?$/;

/**
 * @param clusterVersion  as in `3.4.0`
 * @returns the cluster's version, as in `3.4`
 * @throws EtcdError CLUSTER_VERSION_UNAVAILABLE, WRONG_DOWNGRADE_VERSION_FORMAT, INVALID_DOWNGRADE_TARGET_VERSION,
 *   NO_INFLIGHT_DOWNGRADE; GrpcError unimplemented for one that would begin
 */
export function judgeDowngrade(
  action: number,
  target: string,
  clusterVersion: string | undefined,
): string {
  if (action === Action.CANCEL) throw new EtcdError("NO_INFLIGHT_DOWNGRADE");
  if (action !== Action.VALIDATE && action !== Action.ENABLE) {
    throw new GrpcError(Code.unknown, "etcdserver: unknown method");
  }
  const wanted = VERSION.exec(target);
  if (wanted === null) throw new EtcdError("WRONG_DOWNGRADE_VERSION_FORMAT");
  const cluster = VERSION.exec(clusterVersion ?? "");
  if (cluster === null) throw new EtcdError("CLUSTER_VERSION_UNAVAILABLE");
  const [, major, minor] = cluster.map(Number) as [number, number, number];
  if (Number(wanted[1]) !== major || Number(wanted[2]) !== minor - 1) {
    throw new EtcdError("INVALID_DOWNGRADE_TARGET_VERSION");
  }
  if (action === Action.ENABLE) {
    throw new GrpcError(
      Code.unimplemented,
      "etcdserver: a downgrade needs no preparation here: stop this server and start the other etcd",
    );
  }
  return `${major}.${minor}`;
}
