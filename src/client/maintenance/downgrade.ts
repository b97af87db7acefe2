/** A cluster on its way to an older version of etcd; etcd 3.5 and later know it. */
import { MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";
import type { Calls, RemoteOptions } from "../calls.ts";

const ACTION = { validate: 0, enable: 1, cancel: 2 } as const;

/** Every call returns the version that the cluster has now. */
export class RemoteDowngrade {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** @param version  as `3.5`. @throws (rejects) EtcdError INVALID_DOWNGRADE_TARGET_VERSION, DOWNGRADE_IN_PROCESS */
  async validate(version: string, options: RemoteOptions = {}): Promise<string> {
    return this.#call(ACTION.validate, version, options);
  }

  /** @param version  as `3.5`. @throws (rejects) as `validate` */
  async enable(version: string, options: RemoteOptions = {}): Promise<string> {
    return this.#call(ACTION.enable, version, options);
  }

  /** @throws (rejects) EtcdError NO_INFLIGHT_DOWNGRADE */
  async cancel(options: RemoteOptions = {}): Promise<string> {
    return this.#call(ACTION.cancel, "", options);
  }

  async #call(action: number, version: string, options: RemoteOptions): Promise<string> {
    const request = { action, version };
    return (await this.#calls.call(MAINTENANCE_METHODS.downgrade, request, options)).version;
  }
}
