/**
 * The quota of a running member: who may still write, and the alarm once somebody may not.
 * @see etcd server/etcdserver/api/v3rpc/quota.go
 */
import type { AlarmStore } from "../alarm/alarm-store.ts";
import type { Backend } from "../backend/backend.ts";
import { costOf, Quota, type QuotaMode, type SpaceUse } from "../backend/quota.ts";
import { EtcdError, StrataError } from "../base/errors.ts";
import { AlarmAction, type AlarmRequest, AlarmType, type Request } from "../proto/messages.ts";
import type { EngineLog } from "./log.ts";

export interface SpaceGuardParts {
  readonly backend: Backend;
  readonly alarms: AlarmStore;
  readonly memberId: bigint;
  readonly log: EngineLog;
  /** Of what is logged, and not applied yet. */
  readonly waitingBytes: () => number;
  /** @throws (rejects) StrataError FAILED, CLOSED */
  readonly propose: (request: AlarmRequest) => Promise<unknown>;
}

export class SpaceGuard {
  readonly #parts: SpaceGuardParts;
  #quota: Quota;
  #raising = false;

  constructor(parts: SpaceGuardParts, quotaBytes: number, mode: QuotaMode) {
    this.#parts = parts;
    this.#quota = new Quota(quotaBytes, mode);
  }

  get quota(): Quota {
    return this.#quota;
  }

  /** @throws StrataError BAD_ARGUMENT */
  setQuota(bytes: number): void {
    if (!Number.isSafeInteger(bytes)) {
      throw new StrataError("BAD_ARGUMENT", `a quota is a whole number of bytes: ${bytes}`);
    }
    const before = this.#quota;
    this.#quota = new Quota(bytes, before.mode);
    if (before.bytes === this.#quota.bytes) return;
    const fields = { "from-bytes": before.bytes, "to-bytes": this.#quota.bytes };
    this.#parts.log({ level: "info", message: "the quota was changed", fields });
  }

  /** What is used, and on its way to be. */
  use(): SpaceUse {
    const { backend, waitingBytes } = this.#parts;
    const { sizeBytes, reusableBytes, pinnedBytes } = backend.space;
    const bufferedBytes = backend.bufferedBytes + waitingBytes();
    const { hasReaders } = backend;
    return { sizeBytes, reusableBytes, pinnedBytes, hasReaders, bufferedBytes };
  }

  /**
   * Before a request is logged; and each time it is refused, etcd raises the alarm again.
   * @throws EtcdError NO_SPACE
   */
  assertRoomFor(request: Request): void {
    const cost = costOf(request);
    if (cost === 0 || this.#quota.available(this.use(), cost)) return;
    this.exhausted();
    throw new EtcdError("NO_SPACE");
  }

  /**
   * Before a logged request is applied. By etcd's rule one that does not fit any more is applied and refused; else
   * whatever was let into the log has been counted then.
   */
  fits(cost: number): boolean {
    return this.#quota.mode !== "size" || this.#quota.available(this.use(), cost);
  }

  /** Raises the alarm, unless it is. */
  exhausted(): void {
    const { alarms, memberId, backend, log, propose } = this.#parts;
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
      fields: { quotaBytes: this.#quota.bytes, sizeBytes: backend.space.sizeBytes },
    });
  }
}
