/** Users, roles and permissions. @see etcd api/etcdserverpb/rpc.proto */
import { RESPONSE_HEADER, type ResponseHeader } from "./header.ts";
import {
  bool,
  bytes,
  enumeration,
  type MessageTable,
  type Method,
  message,
  method,
  repeated,
  string,
  sub,
  uint64,
} from "./message-table.ts";

export interface UserAddOptions {
  readonly noPassword: boolean;
}

export const USER_ADD_OPTIONS: MessageTable<UserAddOptions> = message("authpb.UserAddOptions", {
  noPassword: bool(1),
});

export interface Permission {
  readonly permType: number;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export const PERMISSION: MessageTable<Permission> = message("authpb.Permission", {
  permType: enumeration(1, "permType"),
  key: bytes(2),
  rangeEnd: bytes(3),
});

export type AuthEnableRequest = Readonly<Record<never, never>>;

export const AUTH_ENABLE_REQUEST: MessageTable<AuthEnableRequest> = message(
  "etcdserverpb.AuthEnableRequest",
  {},
);

export interface AuthEnableResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_ENABLE_RESPONSE: MessageTable<AuthEnableResponse> = message(
  "etcdserverpb.AuthEnableResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export type AuthDisableRequest = Readonly<Record<never, never>>;

export const AUTH_DISABLE_REQUEST: MessageTable<AuthDisableRequest> = message(
  "etcdserverpb.AuthDisableRequest",
  {},
);

export interface AuthDisableResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_DISABLE_RESPONSE: MessageTable<AuthDisableResponse> = message(
  "etcdserverpb.AuthDisableResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export type AuthStatusRequest = Readonly<Record<never, never>>;

export const AUTH_STATUS_REQUEST: MessageTable<AuthStatusRequest> = message(
  "etcdserverpb.AuthStatusRequest",
  {},
);

export interface AuthStatusResponse {
  readonly header: ResponseHeader | undefined;
  readonly enabled: boolean;
  readonly authRevision: bigint;
}

export const AUTH_STATUS_RESPONSE: MessageTable<AuthStatusResponse> = message(
  "etcdserverpb.AuthStatusResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    enabled: bool(2),
    authRevision: uint64(3, "authRevision"),
  },
);

export interface AuthenticateRequest {
  readonly name: string;
  readonly password: string;
}

export const AUTHENTICATE_REQUEST: MessageTable<AuthenticateRequest> = message(
  "etcdserverpb.AuthenticateRequest",
  {
    name: string(1),
    password: string(2),
  },
);

export interface AuthenticateResponse {
  readonly header: ResponseHeader | undefined;
  readonly token: string;
}

export const AUTHENTICATE_RESPONSE: MessageTable<AuthenticateResponse> = message(
  "etcdserverpb.AuthenticateResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    token: string(2),
  },
);

export interface AuthUserAddRequest {
  readonly name: string;
  readonly password: string;
  readonly options: UserAddOptions | undefined;
  readonly hashedPassword: string;
}

export const AUTH_USER_ADD_REQUEST: MessageTable<AuthUserAddRequest> = message(
  "etcdserverpb.AuthUserAddRequest",
  {
    name: string(1),
    password: string(2),
    options: sub(3, () => USER_ADD_OPTIONS),
    hashedPassword: string(4, "hashedPassword"),
  },
);

export interface AuthUserAddResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_USER_ADD_RESPONSE: MessageTable<AuthUserAddResponse> = message(
  "etcdserverpb.AuthUserAddResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export interface AuthUserGetRequest {
  readonly name: string;
}

export const AUTH_USER_GET_REQUEST: MessageTable<AuthUserGetRequest> = message(
  "etcdserverpb.AuthUserGetRequest",
  {
    name: string(1),
  },
);

export interface AuthUserGetResponse {
  readonly header: ResponseHeader | undefined;
  readonly roles: readonly string[];
}

export const AUTH_USER_GET_RESPONSE: MessageTable<AuthUserGetResponse> = message(
  "etcdserverpb.AuthUserGetResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    roles: repeated(string(2)),
  },
);

export type AuthUserListRequest = Readonly<Record<never, never>>;

export const AUTH_USER_LIST_REQUEST: MessageTable<AuthUserListRequest> = message(
  "etcdserverpb.AuthUserListRequest",
  {},
);

export interface AuthUserListResponse {
  readonly header: ResponseHeader | undefined;
  readonly users: readonly string[];
}

export const AUTH_USER_LIST_RESPONSE: MessageTable<AuthUserListResponse> = message(
  "etcdserverpb.AuthUserListResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    users: repeated(string(2)),
  },
);

export interface AuthUserDeleteRequest {
  readonly name: string;
}

export const AUTH_USER_DELETE_REQUEST: MessageTable<AuthUserDeleteRequest> = message(
  "etcdserverpb.AuthUserDeleteRequest",
  {
    name: string(1),
  },
);

export interface AuthUserDeleteResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_USER_DELETE_RESPONSE: MessageTable<AuthUserDeleteResponse> = message(
  "etcdserverpb.AuthUserDeleteResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export interface AuthUserChangePasswordRequest {
  readonly name: string;
  readonly password: string;
  readonly hashedPassword: string;
}

export const AUTH_USER_CHANGE_PASSWORD_REQUEST: MessageTable<AuthUserChangePasswordRequest> =
  message("etcdserverpb.AuthUserChangePasswordRequest", {
    name: string(1),
    password: string(2),
    hashedPassword: string(3, "hashedPassword"),
  });

export interface AuthUserChangePasswordResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_USER_CHANGE_PASSWORD_RESPONSE: MessageTable<AuthUserChangePasswordResponse> =
  message("etcdserverpb.AuthUserChangePasswordResponse", {
    header: sub(1, () => RESPONSE_HEADER),
  });

export interface AuthUserGrantRoleRequest {
  readonly user: string;
  readonly role: string;
}

export const AUTH_USER_GRANT_ROLE_REQUEST: MessageTable<AuthUserGrantRoleRequest> = message(
  "etcdserverpb.AuthUserGrantRoleRequest",
  {
    user: string(1),
    role: string(2),
  },
);

export interface AuthUserGrantRoleResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_USER_GRANT_ROLE_RESPONSE: MessageTable<AuthUserGrantRoleResponse> = message(
  "etcdserverpb.AuthUserGrantRoleResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export interface AuthUserRevokeRoleRequest {
  readonly name: string;
  readonly role: string;
}

export const AUTH_USER_REVOKE_ROLE_REQUEST: MessageTable<AuthUserRevokeRoleRequest> = message(
  "etcdserverpb.AuthUserRevokeRoleRequest",
  {
    name: string(1),
    role: string(2),
  },
);

export interface AuthUserRevokeRoleResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_USER_REVOKE_ROLE_RESPONSE: MessageTable<AuthUserRevokeRoleResponse> = message(
  "etcdserverpb.AuthUserRevokeRoleResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export interface AuthRoleAddRequest {
  readonly name: string;
}

export const AUTH_ROLE_ADD_REQUEST: MessageTable<AuthRoleAddRequest> = message(
  "etcdserverpb.AuthRoleAddRequest",
  {
    name: string(1),
  },
);

export interface AuthRoleAddResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_ROLE_ADD_RESPONSE: MessageTable<AuthRoleAddResponse> = message(
  "etcdserverpb.AuthRoleAddResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export interface AuthRoleGetRequest {
  readonly role: string;
}

export const AUTH_ROLE_GET_REQUEST: MessageTable<AuthRoleGetRequest> = message(
  "etcdserverpb.AuthRoleGetRequest",
  {
    role: string(1),
  },
);

export interface AuthRoleGetResponse {
  readonly header: ResponseHeader | undefined;
  readonly perm: readonly Permission[];
}

export const AUTH_ROLE_GET_RESPONSE: MessageTable<AuthRoleGetResponse> = message(
  "etcdserverpb.AuthRoleGetResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    perm: repeated(sub(2, () => PERMISSION)),
  },
);

export type AuthRoleListRequest = Readonly<Record<never, never>>;

export const AUTH_ROLE_LIST_REQUEST: MessageTable<AuthRoleListRequest> = message(
  "etcdserverpb.AuthRoleListRequest",
  {},
);

export interface AuthRoleListResponse {
  readonly header: ResponseHeader | undefined;
  readonly roles: readonly string[];
}

export const AUTH_ROLE_LIST_RESPONSE: MessageTable<AuthRoleListResponse> = message(
  "etcdserverpb.AuthRoleListResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    roles: repeated(string(2)),
  },
);

export interface AuthRoleDeleteRequest {
  readonly role: string;
}

export const AUTH_ROLE_DELETE_REQUEST: MessageTable<AuthRoleDeleteRequest> = message(
  "etcdserverpb.AuthRoleDeleteRequest",
  {
    role: string(1),
  },
);

export interface AuthRoleDeleteResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_ROLE_DELETE_RESPONSE: MessageTable<AuthRoleDeleteResponse> = message(
  "etcdserverpb.AuthRoleDeleteResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export interface AuthRoleGrantPermissionRequest {
  readonly name: string;
  readonly perm: Permission | undefined;
}

export const AUTH_ROLE_GRANT_PERMISSION_REQUEST: MessageTable<AuthRoleGrantPermissionRequest> =
  message("etcdserverpb.AuthRoleGrantPermissionRequest", {
    name: string(1),
    perm: sub(2, () => PERMISSION),
  });

export interface AuthRoleGrantPermissionResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_ROLE_GRANT_PERMISSION_RESPONSE: MessageTable<AuthRoleGrantPermissionResponse> =
  message("etcdserverpb.AuthRoleGrantPermissionResponse", {
    header: sub(1, () => RESPONSE_HEADER),
  });

export interface AuthRoleRevokePermissionRequest {
  readonly role: string;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export const AUTH_ROLE_REVOKE_PERMISSION_REQUEST: MessageTable<AuthRoleRevokePermissionRequest> =
  message("etcdserverpb.AuthRoleRevokePermissionRequest", {
    role: string(1),
    key: bytes(2),
    rangeEnd: bytes(3),
  });

export interface AuthRoleRevokePermissionResponse {
  readonly header: ResponseHeader | undefined;
}

export const AUTH_ROLE_REVOKE_PERMISSION_RESPONSE: MessageTable<AuthRoleRevokePermissionResponse> =
  message("etcdserverpb.AuthRoleRevokePermissionResponse", {
    header: sub(1, () => RESPONSE_HEADER),
  });

export const AUTH_METHODS: {
  readonly enable: Method<AuthEnableRequest, AuthEnableResponse>;
  readonly disable: Method<AuthDisableRequest, AuthDisableResponse>;
  readonly status: Method<AuthStatusRequest, AuthStatusResponse>;
  readonly authenticate: Method<AuthenticateRequest, AuthenticateResponse>;
  readonly userAdd: Method<AuthUserAddRequest, AuthUserAddResponse>;
  readonly userGet: Method<AuthUserGetRequest, AuthUserGetResponse>;
  readonly userList: Method<AuthUserListRequest, AuthUserListResponse>;
  readonly userDelete: Method<AuthUserDeleteRequest, AuthUserDeleteResponse>;
  readonly userChangePassword: Method<
    AuthUserChangePasswordRequest,
    AuthUserChangePasswordResponse
  >;
  readonly userGrantRole: Method<AuthUserGrantRoleRequest, AuthUserGrantRoleResponse>;
  readonly userRevokeRole: Method<AuthUserRevokeRoleRequest, AuthUserRevokeRoleResponse>;
  readonly roleAdd: Method<AuthRoleAddRequest, AuthRoleAddResponse>;
  readonly roleGet: Method<AuthRoleGetRequest, AuthRoleGetResponse>;
  readonly roleList: Method<AuthRoleListRequest, AuthRoleListResponse>;
  readonly roleDelete: Method<AuthRoleDeleteRequest, AuthRoleDeleteResponse>;
  readonly roleGrantPermission: Method<
    AuthRoleGrantPermissionRequest,
    AuthRoleGrantPermissionResponse
  >;
  readonly roleRevokePermission: Method<
    AuthRoleRevokePermissionRequest,
    AuthRoleRevokePermissionResponse
  >;
} = {
  enable: method("/etcdserverpb.Auth/AuthEnable", AUTH_ENABLE_REQUEST, AUTH_ENABLE_RESPONSE),
  disable: method("/etcdserverpb.Auth/AuthDisable", AUTH_DISABLE_REQUEST, AUTH_DISABLE_RESPONSE),
  status: method("/etcdserverpb.Auth/AuthStatus", AUTH_STATUS_REQUEST, AUTH_STATUS_RESPONSE),
  authenticate: method(
    "/etcdserverpb.Auth/Authenticate",
    AUTHENTICATE_REQUEST,
    AUTHENTICATE_RESPONSE,
  ),
  userAdd: method("/etcdserverpb.Auth/UserAdd", AUTH_USER_ADD_REQUEST, AUTH_USER_ADD_RESPONSE),
  userGet: method("/etcdserverpb.Auth/UserGet", AUTH_USER_GET_REQUEST, AUTH_USER_GET_RESPONSE),
  userList: method("/etcdserverpb.Auth/UserList", AUTH_USER_LIST_REQUEST, AUTH_USER_LIST_RESPONSE),
  userDelete: method(
    "/etcdserverpb.Auth/UserDelete",
    AUTH_USER_DELETE_REQUEST,
    AUTH_USER_DELETE_RESPONSE,
  ),
  userChangePassword: method(
    "/etcdserverpb.Auth/UserChangePassword",
    AUTH_USER_CHANGE_PASSWORD_REQUEST,
    AUTH_USER_CHANGE_PASSWORD_RESPONSE,
  ),
  userGrantRole: method(
    "/etcdserverpb.Auth/UserGrantRole",
    AUTH_USER_GRANT_ROLE_REQUEST,
    AUTH_USER_GRANT_ROLE_RESPONSE,
  ),
  userRevokeRole: method(
    "/etcdserverpb.Auth/UserRevokeRole",
    AUTH_USER_REVOKE_ROLE_REQUEST,
    AUTH_USER_REVOKE_ROLE_RESPONSE,
  ),
  roleAdd: method("/etcdserverpb.Auth/RoleAdd", AUTH_ROLE_ADD_REQUEST, AUTH_ROLE_ADD_RESPONSE),
  roleGet: method("/etcdserverpb.Auth/RoleGet", AUTH_ROLE_GET_REQUEST, AUTH_ROLE_GET_RESPONSE),
  roleList: method("/etcdserverpb.Auth/RoleList", AUTH_ROLE_LIST_REQUEST, AUTH_ROLE_LIST_RESPONSE),
  roleDelete: method(
    "/etcdserverpb.Auth/RoleDelete",
    AUTH_ROLE_DELETE_REQUEST,
    AUTH_ROLE_DELETE_RESPONSE,
  ),
  roleGrantPermission: method(
    "/etcdserverpb.Auth/RoleGrantPermission",
    AUTH_ROLE_GRANT_PERMISSION_REQUEST,
    AUTH_ROLE_GRANT_PERMISSION_RESPONSE,
  ),
  roleRevokePermission: method(
    "/etcdserverpb.Auth/RoleRevokePermission",
    AUTH_ROLE_REVOKE_PERMISSION_REQUEST,
    AUTH_ROLE_REVOKE_PERMISSION_RESPONSE,
  ),
};
