/** Whether a cluster asks who calls. */
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import type { Calls, RemoteOptions } from "../calls.ts";

export interface AuthStatus {
  readonly enabled: boolean;
  readonly authRevision: bigint;
}

export class RemoteAuth {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** From here on, who is no user is refused. @throws (rejects) EtcdError ROOT_USER_NOT_EXIST, ROOT_ROLE_NOT_EXIST */
  async enable(options: RemoteOptions = {}): Promise<void> {
    await this.#calls.call(AUTH_METHODS.enable, {}, options);
  }

  async disable(options: RemoteOptions = {}): Promise<void> {
    await this.#calls.call(AUTH_METHODS.disable, {}, options);
  }

  /** @throws (rejects) RpcError with status 12 (Unimplemented): etcd 3.4 does not know the call */
  async status(options: RemoteOptions = {}): Promise<AuthStatus> {
    const answer = await this.#calls.call(AUTH_METHODS.status, {}, options);
    return { enabled: answer.enabled, authRevision: answer.authRevision };
  }
}
