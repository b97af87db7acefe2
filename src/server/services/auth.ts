/**
 * etcdserverpb.Auth while auth is off: what an etcd answers then. Users and roles cannot be made or changed yet, and
 * who asks for that is told so; a data dir that has some from a real etcd keeps them, and their names are listed.
 *
 * @see etcd server/etcdserver/api/v3rpc/auth.go
 */
import { AUTH, AUTH_REVISION, AUTH_ROLES, AUTH_USERS } from "../../backend/buckets.ts";
import { readU64BEBig, utf8, viewOf } from "../../base/bytes.ts";
import { EtcdError } from "../../base/errors.ts";
import type { Member } from "../../engine/member.ts";
import type { Method } from "../../grpc/service.ts";
import { Code, GrpcError } from "../../grpc/status.ts";
import * as pb from "../../proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { headerOf } from "./header.ts";
import { assertNoToken } from "./no-token.ts";
import type { ServiceContext } from "./service-context.ts";
import { unary } from "./unary.ts";

const UNIMPLEMENTED = "etcdserver: users and roles are not supported by this server";
const ROOT = utf8("root");

/** etcd counts from 1. */
const FIRST_REVISION = 1n;

const unimplemented: Method = {
  kind: "unary",
  handle: (call) => call.fail(Code.unimplemented, UNIMPLEMENTED),
};

type Name =
  | "AuthEnable"
  | "AuthDisable"
  | "AuthStatus"
  | "Authenticate"
  | "UserAdd"
  | "UserGet"
  | "UserList"
  | "UserDelete"
  | "UserChangePassword"
  | "UserGrantRole"
  | "UserRevokeRole"
  | "RoleAdd"
  | "RoleGet"
  | "RoleList"
  | "RoleDelete"
  | "RoleGrantPermission"
  | "RoleRevokePermission";

export function authMethods({ member }: ServiceContext): Readonly<Record<Name, Method>> {
  return {
    AuthEnable: unary(pb.AuthEnableRequestSchema, pb.AuthEnableResponseSchema, () => {
      member.assertOpen();
      const users = member.backend.view.bucket(AUTH_USERS);
      if (users?.get(ROOT) === undefined) throw new EtcdError("ROOT_USER_NOT_EXIST");
      throw new GrpcError(Code.unimplemented, UNIMPLEMENTED);
    }),
    AuthDisable: unary(pb.AuthDisableRequestSchema, pb.AuthDisableResponseSchema, () => {
      member.assertOpen();
      return { header: headerOf(member) };
    }),
    AuthStatus: unary(pb.AuthStatusRequestSchema, pb.AuthStatusResponseSchema, (_, call) => {
      assertNoToken(call);
      member.assertOpen();
      const revision = member.backend.view.bucket(AUTH)?.get(AUTH_REVISION);
      const authRevision =
        revision?.length === 8 ? readU64BEBig(viewOf(revision), 0) : FIRST_REVISION;
      return { header: headerOf(member), enabled: false, authRevision };
    }),
    Authenticate: unary(pb.AuthenticateRequestSchema, pb.AuthenticateResponseSchema, () => {
      throw new EtcdError("AUTH_NOT_ENABLED");
    }),
    UserAdd: unimplemented,
    UserGet: unimplemented,
    UserList: unary(pb.AuthUserListRequestSchema, pb.AuthUserListResponseSchema, (_, call) => {
      assertNoToken(call);
      return { header: headerOf(member), users: namesIn(member, AUTH_USERS) };
    }),
    UserDelete: unimplemented,
    UserChangePassword: unimplemented,
    UserGrantRole: unimplemented,
    UserRevokeRole: unimplemented,
    RoleAdd: unimplemented,
    RoleGet: unimplemented,
    RoleList: unary(pb.AuthRoleListRequestSchema, pb.AuthRoleListResponseSchema, (_, call) => {
      assertNoToken(call);
      return { header: headerOf(member), roles: namesIn(member, AUTH_ROLES) };
    }),
    RoleDelete: unimplemented,
    RoleGrantPermission: unimplemented,
    RoleRevokePermission: unimplemented,
  };
}

/** Users and roles are kept under their names. */
function namesIn(member: Member, bucket: Uint8Array): string[] {
  member.assertOpen();
  const names: string[] = [];
  const cursor = member.backend.view.bucket(bucket)?.cursor();
  for (let more = cursor?.first(); more && cursor; more = cursor.next()) {
    names.push(Buffer.from(cursor.key()).toString("utf8"));
  }
  return names;
}
