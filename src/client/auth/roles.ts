/** Roles of a cluster, and what each may do. */
import { type Keys, requestRange } from "../../api/key-range.ts";
import { AUTH_METHODS, type Permission } from "../../proto/tables/auth.ts";
import type { Calls, RemoteOptions } from "../calls.ts";

/** By etcd's numbers. */
const ACCESS = ["read", "write", "readwrite"] as const;

export type Access = (typeof ACCESS)[number];

export interface RolePermission {
  readonly access: Access;
  /** As `grantPermission` takes it. */
  readonly keys: Keys;
}

export class RemoteRoles {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** @throws (rejects) EtcdError ROLE_EMPTY, ROLE_ALREADY_EXIST */
  async add(name: string, options: RemoteOptions = {}): Promise<void> {
    await this.#calls.call(AUTH_METHODS.roleAdd, { name }, options);
  }

  /** @throws (rejects) EtcdError ROLE_NOT_FOUND */
  async delete(name: string, options: RemoteOptions = {}): Promise<void> {
    await this.#calls.call(AUTH_METHODS.roleDelete, { role: name }, options);
  }

  /** @throws (rejects) EtcdError ROLE_NOT_FOUND */
  async get(
    name: string,
    options: RemoteOptions = {},
  ): Promise<{ readonly permissions: readonly RolePermission[] }> {
    const { perm } = await this.#calls.call(AUTH_METHODS.roleGet, { role: name }, options);
    return { permissions: perm.map(rolePermission) };
  }

  /** Their names. */
  async list(options: RemoteOptions = {}): Promise<readonly string[]> {
    return (await this.#calls.call(AUTH_METHODS.roleList, {}, options)).roles;
  }

  /** In place of what it has for the same keys. @throws (rejects) EtcdError ROLE_NOT_FOUND */
  async grantPermission(
    name: string,
    access: Access,
    keys: Keys,
    options: RemoteOptions = {},
  ): Promise<void> {
    const perm = { permType: ACCESS.indexOf(access), ...requestRange(keys) };
    await this.#calls.call(AUTH_METHODS.roleGrantPermission, { name, perm }, options);
  }

  /** @throws (rejects) EtcdError ROLE_NOT_FOUND, PERMISSION_NOT_GRANTED (not for exactly these keys) */
  async revokePermission(name: string, keys: Keys, options: RemoteOptions = {}): Promise<void> {
    const request = { role: name, ...requestRange(keys) };
    await this.#calls.call(AUTH_METHODS.roleRevokePermission, request, options);
  }
}

function rolePermission({ permType, key, rangeEnd }: Permission): RolePermission {
  const access = ACCESS[permType] ?? "read";
  if (rangeEnd.length === 0) return { access, keys: key };
  const isOpen = rangeEnd.length === 1 && rangeEnd[0] === 0;
  return { access, keys: isOpen ? { start: key } : { start: key, end: rangeEnd } };
}
