/**
 * Rows of the auth buckets, as far as they may be shown: a user's password hash is left out of what is decoded.
 *
 * authUsers: authpb.User {1 name, 2 password, 3 roles, 4 options {1 no_password}}
 * authRoles: authpb.Role {1 name, 2 keyPermission {1 permType, 2 key, 3 range_end}}
 */
import { everyField } from "../base/protobuf.ts";

export interface UserRecord {
  readonly name: string;
  readonly roles: readonly string[];
  /** Whether a password hash is stored. The hash itself is not to be had here. */
  readonly hasPassword: boolean;
  /** The user may log in by certificate alone. */
  readonly noPassword: boolean;
}

export interface Permission {
  readonly type: string;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export interface RoleRecord {
  readonly name: string;
  readonly permissions: readonly Permission[];
}

const PERMISSION_TYPES = ["READ", "WRITE", "READWRITE"];
const NONE = new Uint8Array(0);

/** @returns undefined if the bytes are no User */
export function decodeUser(value: Uint8Array): UserRecord | undefined {
  let name = "";
  let hasPassword = false;
  let noPassword = false;
  const roles: string[] = [];
  let whole = true;
  const read = everyField(value, (fields) => {
    if (fields.field === 1) name = text(fields.view());
    else if (fields.field === 2) hasPassword = fields.length > 0;
    else if (fields.field === 3) roles.push(text(fields.view()));
    else if (fields.field === 4) {
      whole &&= everyField(fields.view(), (options) => {
        if (options.field === 1) noPassword = options.varint !== 0n;
      });
    }
  });
  return read && whole ? { name, roles, hasPassword, noPassword } : undefined;
}

/** @returns undefined if the bytes are no Role */
export function decodeRole(value: Uint8Array): RoleRecord | undefined {
  let name = "";
  let whole = true;
  const permissions: Permission[] = [];
  const read = everyField(value, (fields) => {
    if (fields.field === 1) name = text(fields.view());
    else if (fields.field === 2) {
      const permission = decodePermission(fields.view());
      if (permission === undefined) whole = false;
      else permissions.push(permission);
    }
  });
  return read && whole ? { name, permissions } : undefined;
}

function decodePermission(value: Uint8Array): Permission | undefined {
  let type = 0n;
  let key: Uint8Array = NONE;
  let rangeEnd: Uint8Array = NONE;
  const whole = everyField(value, (fields) => {
    if (fields.field === 1) type = fields.varint;
    else if (fields.field === 2) key = fields.view();
    else if (fields.field === 3) rangeEnd = fields.view();
  });
  return whole
    ? { type: PERMISSION_TYPES[Number(type)] ?? String(type), key, rangeEnd }
    : undefined;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
