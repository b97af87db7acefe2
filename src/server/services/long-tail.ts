/** The services of the long tail, and when each is loaded. */
import type { Member } from "../../engine/member.ts";
import { type LazyService, lazyService } from "./lazy-service.ts";

/** What they need of a ServiceContext. */
export interface LongTailContext {
  readonly member: Member;
}

/** Cluster, Maintenance and Auth. */
export function longTailServices(context: LongTailContext): LazyService[] {
  const { member } = context;
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
      async () => (await import("./cluster.ts")).clusterMethods(member),
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
      async () => (await import("./maintenance.ts")).maintenanceMethods(member),
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
      async () => (await import("./auth.ts")).authMethods(member),
    ),
  ];
}
