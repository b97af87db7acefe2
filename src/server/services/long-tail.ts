/** The services of the long tail, and when each is loaded. */
import { type LazyService, lazyService } from "./lazy-service.ts";
import type { ServiceContext } from "./service-context.ts";

/** Cluster, Maintenance, Auth, Lock and Election; and what strata's maintenance has beyond etcd's. */
export function longTailServices(context: ServiceContext): LazyService[] {
  return [
    lazyService(
      "etcdserverpb.Cluster",
      {
        MemberAdd: "unary",
        MemberRemove: "unary",
        MemberUpdate: "unary",
        MemberList: "unary",
        MemberPromote: "unary",
      },
      async () => (await import("./cluster.ts")).clusterMethods(context),
    ),
    lazyService(
      "etcdserverpb.Maintenance",
      {
        Alarm: "unary",
        Status: "unary",
        Defragment: "unary",
        Hash: "unary",
        HashKV: "unary",
        Snapshot: "serverStream",
        MoveLeader: "unary",
        Downgrade: "unary",
      },
      async () => (await import("./maintenance.ts")).maintenanceMethods(context),
    ),
    lazyService(
      "etcdserverpb.Auth",
      {
        AuthEnable: "unary",
        AuthDisable: "unary",
        AuthStatus: "unary",
        Authenticate: "unary",
        UserAdd: "unary",
        UserGet: "unary",
        UserList: "unary",
        UserDelete: "unary",
        UserChangePassword: "unary",
        UserGrantRole: "unary",
        UserRevokeRole: "unary",
        RoleAdd: "unary",
        RoleGet: "unary",
        RoleList: "unary",
        RoleDelete: "unary",
        RoleGrantPermission: "unary",
        RoleRevokePermission: "unary",
      },
      async () => (await import("./auth.ts")).authMethods(context),
    ),
    lazyService(
      "stratapb.Maintenance",
      {
        Jobs: "unary",
        CancelJob: "unary",
        Defragment: "serverStream",
        CheckIntegrity: "serverStream",
        SetQuota: "unary",
      },
      async () => (await import("./strata-maintenance.ts")).strataMaintenanceMethods(context),
    ),
    lazyService("v3lockpb.Lock", { Lock: "unary", Unlock: "unary" }, async () =>
      (await import("./lock.ts")).lockMethods(context),
    ),
    lazyService(
      "v3electionpb.Election",
      {
        Campaign: "unary",
        Proclaim: "unary",
        Leader: "unary",
        Observe: "serverStream",
        Resign: "unary",
      },
      async () => (await import("./election.ts")).electionMethods(context),
    ),
  ];
}
