/** Alarms of a cluster: as the store's own. */
import { AlarmAction, AlarmType } from "../proto/messages.ts";
import { type AlarmMember, MAINTENANCE_METHODS } from "../proto/tables/maintenance.ts";
import type { Calls, RemoteOptions } from "./calls.ts";

export type AlarmName = "noSpace" | "corrupt";

export class RemoteAlarms {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async list(options: RemoteOptions = {}): Promise<readonly AlarmMember[]> {
    return this.#change(AlarmAction.get, 0n, AlarmType.none, options);
  }

  /**
   * @param options  memberId: whose alarm it is. Default: that of the member that answers
   * @returns what was raised
   */
  async activate(
    alarm: AlarmName,
    options: { readonly memberId?: bigint } & RemoteOptions = {},
  ): Promise<readonly AlarmMember[]> {
    const memberId = options.memberId ?? (await this.#memberId(options));
    return this.#change(AlarmAction.activate, memberId, AlarmType[alarm], options);
  }

  /** Takes every alarm of a type away, of whichever member. @returns those that were */
  async disarm(alarm: AlarmName, options: RemoteOptions = {}): Promise<readonly AlarmMember[]> {
    const type = AlarmType[alarm];
    const gone: AlarmMember[] = [];
    for (const { memberId } of await this.#change(AlarmAction.get, 0n, type, options)) {
      gone.push(...(await this.#change(AlarmAction.deactivate, memberId, type, options)));
    }
    return gone;
  }

  async #memberId(options: RemoteOptions): Promise<bigint> {
    const { header } = await this.#calls.call(MAINTENANCE_METHODS.status, {}, options);
    return header?.memberId ?? 0n;
  }

  async #change(
    action: number,
    memberId: bigint,
    alarm: number,
    options: RemoteOptions,
  ): Promise<readonly AlarmMember[]> {
    const request = { action, memberId, alarm };
    return (await this.#calls.call(MAINTENANCE_METHODS.alarm, request, options)).alarms;
  }
}
