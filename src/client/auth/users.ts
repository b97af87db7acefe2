/** Users of a cluster, and their roles. */
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import type { Calls, RemoteOptions } from "../calls.ts";

export class RemoteUsers {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /**
   * @param password  undefined: the user has none, and is known by the name in a client certificate
   * @throws (rejects) EtcdError USER_EMPTY, USER_ALREADY_EXIST
   */
  async add(
    name: string,
    password: string | undefined,
    options: RemoteOptions = {},
  ): Promise<void> {
    const noPassword = password === undefined;
    const request = { name, password: password ?? "", options: { noPassword } };
    await this.#calls.call(AUTH_METHODS.userAdd, request, options);
  }

  /** @throws (rejects) EtcdError USER_NOT_FOUND */
  async delete(name: string, options: RemoteOptions = {}): Promise<void> {
    await this.#calls.call(AUTH_METHODS.userDelete, { name }, options);
  }

  /** @throws (rejects) EtcdError USER_NOT_FOUND */
  async get(
    name: string,
    options: RemoteOptions = {},
  ): Promise<{ readonly roles: readonly string[] }> {
    const { roles } = await this.#calls.call(AUTH_METHODS.userGet, { name }, options);
    return { roles };
  }

  /** Their names. */
  async list(options: RemoteOptions = {}): Promise<readonly string[]> {
    return (await this.#calls.call(AUTH_METHODS.userList, {}, options)).users;
  }

  /** @throws (rejects) EtcdError USER_NOT_FOUND */
  async changePassword(name: string, password: string, options: RemoteOptions = {}): Promise<void> {
    await this.#calls.call(AUTH_METHODS.userChangePassword, { name, password }, options);
  }

  /** @throws (rejects) EtcdError USER_NOT_FOUND, ROLE_NOT_FOUND */
  async grantRole(user: string, role: string, options: RemoteOptions = {}): Promise<void> {
    await this.#calls.call(AUTH_METHODS.userGrantRole, { user, role }, options);
  }

  /** @throws (rejects) EtcdError USER_NOT_FOUND, ROLE_NOT_GRANTED */
  async revokeRole(user: string, role: string, options: RemoteOptions = {}): Promise<void> {
    await this.#calls.call(AUTH_METHODS.userRevokeRole, { name: user, role }, options);
  }
}
