/**
 * The quota of a running member: who may still write, and the alarm once somebody may not.
 * @see etcd server/etcdserver/api/v3rpc/quota.go
 */
import type { AlarmStore } from "../alarm/alarm-store.ts";
import type { Backend } from "../backend/backend.ts";
import { costOf, type Quota } from "../backend/quota.ts";
import { EtcdError } from "../base/errors.ts";
import { AlarmAction, type AlarmRequest, AlarmType, type Request } from "../proto/messages.ts";
import type { EngineLog } from "./log.ts";

export interface SpaceGuardParts {
  readonly quota: Quota;
  readonly backend: Backend;
  readonly alarms: AlarmStore;
  readonly memberId: bigint;
  readonly log: EngineLog;
  /** @throws (rejects) StrataError FAILED, CLOSED */
  readonly propose: (request: AlarmRequest) => Promise<unknown>;
}

export class SpaceGuard {
  readonly #parts: SpaceGuardParts;
  #raising = false;

  constructor(parts: SpaceGuardParts) {
    this.#parts = parts;
  }

  /**
   * Before a request is logged; and each time it is refused, etcd raises the alarm again.
   * @throws EtcdError NO_SPACE
   */
  assertRoomFor(request: Request): void {
    const cost = costOf(request);
    if (cost === 0) return;
    const { backend, quota } = this.#parts;
    const { sizeBytes, inUseBytes } = backend.space;
    if (quota.available({ size: sizeBytes, sizeInUse: inUseBytes }, cost)) return;
    this.exhausted();
    throw new EtcdError("NO_SPACE");
  }

  /** Raises the alarm, unless it is. */
  exhausted(): void {
    const { alarms, memberId, quota, backend, log, propose } = this.#parts;
    if (this.#raising || alarms.has(AlarmType.noSpace)) return;
    this.#raising = true;
    propose({ kind: "alarm", action: AlarmAction.activate, memberId, alarm: AlarmType.noSpace })
      .catch(() => undefined) // Whoever comes next finds the store failed, or raises it again.
      .finally(() => {
        this.#raising = false;
      });
    log({
      level: "warn",
      message: "the database has reached its quota: an alarm forbids more until it is disarmed",
      fields: { quotaBytes: quota.bytes, sizeBytes: backend.space.sizeBytes },
    });
  }
}
