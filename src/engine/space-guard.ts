/**
 * The quota of a running member: who may still write, the alarm once nobody may, and its end.
 *
 * Everything is decided before a request is logged, and the log says what came of it: the alarm goes and comes by
 * entries of its own. So a replay comes to the same state under any flags, and so does a real etcd that takes over.
 *
 * |                | `size`, as etcd                           | `allocatable`                                     |
 * | -------------- | ----------------------------------------- | ------------------------------------------------- |
 * | a request      | is refused when the file is at the quota  | when what is live and buffered is                 |
 * | the alarm      | is raised by any refusal                  | when even small requests are refused              |
 * | passes anyhow  | deletes, revokes, compactions, alarms     | these, and the compactor's txn, out of a reserve  |
 *
 * @see etcd server/etcdserver/api/v3rpc/quota.go
 */
import type { AlarmMember } from "../alarm/alarm-record.ts";
import type { AlarmStore } from "../alarm/alarm-store.ts";
import type { Backend } from "../backend/backend.ts";
import { costOf, Quota, type QuotaMode, type SpaceUse } from "../backend/quota.ts";
import type { Clock } from "../base/clock.ts";
import { EtcdError, StrataError } from "../base/errors.ts";
import type { Store } from "../mvcc/store.ts";
import {
  AlarmAction,
  type AlarmRequest,
  AlarmType,
  type Request,
  type TxnRequest,
} from "../proto/messages.ts";
import { isCompactorsTxn } from "./compactor-txn.ts";
import type { EngineLog } from "./log.ts";
import { liveBytes, remedyOf, worthwhileBytes } from "./space-remedy.ts";
import type { SpaceForecast } from "./space-watch.ts";

/** All of it can be changed while the member runs. */
export interface SpaceRules {
  /** As --quota-backend-bytes: 0 = the default of 2 GiB, negative = none. */
  readonly quotaBytes: number;
  readonly quotaMode: QuotaMode;
  /** The NOSPACE alarm is lifted when its cause is gone. Default: false. */
  readonly autoDisarm?: boolean | undefined;
  /** A share of the quota, from which on its filling is warned of: 0 ≤ … < 1. Default: 0, never. */
  readonly quotaSoftLimit?: number | undefined;
}

export interface SpaceGuardParts {
  readonly backend: Backend;
  readonly store: Store;
  readonly alarms: AlarmStore;
  readonly memberId: bigint;
  readonly clock: Clock;
  readonly log: EngineLog;
  /** Of what is logged, and not applied yet. */
  readonly waitingBytes: () => number;
  /** @throws (rejects) StrataError FAILED, CLOSED */
  readonly propose: (request: AlarmRequest) => Promise<unknown>;
}

/** Between two log lines about refusals, while an alarm lasts. */
const REFUSALS_INTERVAL_MS = 60_000;

/** For the compactor's txn: two hundred of them, which is most of a day of Kubernetes. */
const RESERVE_BYTES = 64 * 1024;

export class SpaceGuard {
  /** What `runSpaceWatch` found last, while it runs and there is a soft limit. */
  forecast: SpaceForecast | undefined;
  /** Requests refused for want of room, or because of the alarm. */
  refusals = 0;
  readonly #parts: SpaceGuardParts;
  #rules: SpaceRules;
  #quota: Quota;
  #raising = false;
  #lifting = false;
  /** Somebody has asked for the alarm: it is not about space, as far as anybody knows. */
  #byHand = false;
  /** Of anybody: logged, and not applied yet. */
  readonly #alarmsUnderWay = new Set<Promise<unknown>>();
  /** Of the dearest request refused since room was last found. */
  #refusedCost = 0;
  #refusalsSaid = 0;
  #refusalSaidMs = Number.NEGATIVE_INFINITY;
  #reserveBytes = RESERVE_BYTES;

  /** @throws StrataError BAD_ARGUMENT */
  constructor(parts: SpaceGuardParts, { quotaBytes, quotaMode, ...rules }: SpaceRules) {
    const { autoDisarm, quotaSoftLimit } = rules;
    this.#parts = parts;
    this.#rules = { quotaBytes, quotaMode, autoDisarm, quotaSoftLimit };
    assertRules(this.#rules);
    this.#quota = new Quota(quotaBytes, quotaMode);
  }

  get quota(): Quota {
    return this.#quota;
  }

  get rules(): SpaceRules {
    return this.#rules;
  }

  get softLimit(): number {
    return this.#rules.quotaSoftLimit ?? 0;
  }

  /**
   * From now on. What was let in stays; an alarm stays, too, unless it lifts itself.
   * @throws StrataError BAD_ARGUMENT, and nothing is changed
   */
  change(rules: Partial<SpaceRules>): void {
    const changed = { ...this.#rules, ...rules };
    assertRules(changed);
    this.#rules = changed;
    this.#quota = new Quota(changed.quotaBytes, changed.quotaMode);
    this.lookAgain();
  }

  /** As it is now, with what is on its way. */
  use(): SpaceUse {
    const { backend, waitingBytes } = this.#parts;
    const { sizeBytes, reusableBytes, pinnedBytes } = backend.space;
    const bufferedBytes = backend.bufferedBytes + waitingBytes();
    const { hasReaders } = backend;
    return { sizeBytes, reusableBytes, pinnedBytes, hasReaders, bufferedBytes };
  }

  /** What counts against the quota, in bytes. */
  usedBytes(): number {
    const use = this.use();
    if (this.#quota.mode === "size") return use.sizeBytes;
    return liveBytes(use) + use.bufferedBytes;
  }

  // -- the door

  /**
   * Before a request is logged; and each time it is refused, etcd raises the alarm again.
   * @throws EtcdError NO_SPACE
   */
  assertRoomFor(request: Request): void {
    const cost = costOf(request);
    if (cost === 0) return;
    const use = this.use();
    if (!this.#quota.available(use, cost)) throw this.#refuse(cost, use);
    if (this.#parts.alarms.has(AlarmType.noSpace)) this.#liftIfGone(use);
  }

  /**
   * Right before a request is logged: what an alarm will refuse is not. etcd before 3.5.33 lets a txn pass whose puts
   * are in an inner one, and would do in a replay of the log what was refused here.
   * @throws EtcdError NO_SPACE, CORRUPT_CLUSTER
   */
  assertAllowed(request: Request): void {
    const { alarms } = this.#parts;
    const forbidden = alarms.forbids(request);
    if (forbidden === undefined) {
      if (!this.#raising || costOf(request) === 0) return;
    } else if (forbidden.code !== "NO_SPACE") throw forbidden;
    else if (this.#lifting) return;
    this.#sayRefused(costOf(request), this.use());
    throw forbidden ?? new EtcdError("NO_SPACE");
  }

  /**
   * Before a logged request is applied. By etcd's rule one that does not fit any more is applied, and refused; by the
   * other, what is under way was counted when it was let in.
   */
  fits(cost: number): boolean {
    return this.#quota.mode !== "size" || this.#quota.available(this.use(), cost);
  }

  // -- the reserve

  /** Whether there is a reserve for it. */
  hasReserve(request: TxnRequest): boolean {
    return this.#quota.mode === "allocatable" && isCompactorsTxn(request);
  }

  /**
   * Logs the compactor's txn although it has no room, while the reserve has some.
   * @param propose  logs it, whatever the quota says
   * @returns undefined: it is to go the way of all others
   */
  async fromReserve<T>(request: TxnRequest, propose: () => Promise<T>): Promise<T | undefined> {
    const { alarms } = this.#parts;
    // An alarm that somebody is about to disarm must not be raised again behind it.
    await this.alarmsSettled();
    const cost = costOf(request);
    const use = this.use();
    const isAlarmed = alarms.has(AlarmType.noSpace);
    const left = this.#quota.remaining(use);
    if (!isAlarmed && cost < left) {
      if (left >= worthwhileBytes(this.#quota)) this.#reserveBytes = RESERVE_BYTES;
      return undefined;
    }
    if (alarms.has(AlarmType.corrupt) || this.#reserveBytes < cost || this.#isGone(use)) {
      return undefined;
    }
    this.#reserveBytes -= cost;
    return isAlarmed ? await this.#withoutAlarm(propose) : await propose();
  }

  /** Applying a put under the alarm would be refused, here and by any etcd that reads the log: so it goes in between. */
  async #withoutAlarm<T>(propose: () => Promise<T>): Promise<T> {
    const raised = this.#parts.alarms.get(AlarmType.noSpace);
    // All in one turn: nothing gets between them in the log, and one sync is for them all.
    const alarms = raised.map((alarm) => this.#log(AlarmAction.deactivate, alarm));
    let answer: Promise<T>;
    try {
      answer = propose();
    } finally {
      alarms.push(...raised.map((alarm) => this.#log(AlarmAction.activate, alarm)));
    }
    const [answered] = await Promise.all([answer, ...alarms]);
    return answered;
  }

  // -- the alarm

  /** Somebody asks for an alarm, or for its end. An alarm of that kind does not lift itself. */
  async alarmByHand<T>(action: number, alarm: number, propose: () => Promise<T>): Promise<T> {
    if (action === AlarmAction.activate && alarm === AlarmType.noSpace) this.#byHand = true;
    return await this.#underWay(propose());
  }

  /** When all alarms that are raised or lifted by now are in force. */
  async alarmsSettled(): Promise<void> {
    while (this.#alarmsUnderWay.size > 0) await Promise.allSettled([...this.#alarmsUnderWay]);
  }

  /** Notes a request about alarms that is on its way to be applied. */
  #underWay<T>(applied: Promise<T>): Promise<T> {
    const over = (): void => {
      this.#alarmsUnderWay.delete(settled);
    };
    const settled = applied.then(over, over);
    this.#alarmsUnderWay.add(settled);
    return applied;
  }

  /** A request is refused; the alarm is raised, unless it is. */
  exhausted(cost: number): void {
    this.#raise();
    this.#sayRefused(cost, this.use());
  }

  #raise(): void {
    const { alarms, memberId } = this.#parts;
    if (this.#raising || alarms.has(AlarmType.noSpace)) return;
    this.#raising = true;
    this.#byHand = false;
    this.#refusalSaidMs = Number.NEGATIVE_INFINITY;
    this.#log(AlarmAction.activate, { memberId, alarm: AlarmType.noSpace })
      .catch(() => undefined) // Whoever comes next finds the store failed, or raises it again.
      .finally(() => {
        this.#raising = false;
      });
  }

  /** There may be more room than before: after a commit, a defragmentation, a change of the rules. */
  lookAgain(): void {
    if (this.#parts.alarms.has(AlarmType.noSpace)) this.#liftIfGone(this.use());
  }

  #liftIfGone(use: SpaceUse): void {
    const { alarms, log } = this.#parts;
    if (this.#lifting || this.#raising || !this.#isGone(use)) {
      return;
    }
    this.#lifting = true;
    const raised = alarms.get(AlarmType.noSpace);
    Promise.all(raised.map((alarm) => this.#log(AlarmAction.deactivate, alarm)))
      .catch(() => undefined) // The store has failed.
      .finally(() => {
        this.#lifting = false;
      });
    log({
      level: "info",
      message: "there is room again: the NOSPACE alarm is lifted",
      fields: { ...this.#numbers(use), refused: this.refusals },
    });
    this.#refusedCost = 0;
    this.#refusalSaidMs = Number.NEGATIVE_INFINITY;
    this.#reserveBytes = RESERVE_BYTES;
  }

  /** Some more than nothing, and more than what was refused, or it would be raised again at once. */
  #isGone(use: SpaceUse): boolean {
    if (this.#rules.autoDisarm !== true || this.#byHand) return false;
    const quota = this.#quota;
    const refused = Math.min(2 * this.#refusedCost, quota.bytes / 8);
    return quota.remaining(use) > Math.max(worthwhileBytes(quota), refused);
  }

  /** @returns when it is applied */
  #log(action: number, { memberId, alarm }: AlarmMember): Promise<unknown> {
    return this.#underWay(this.#parts.propose({ kind: "alarm", action, memberId, alarm }));
  }

  // -- refusals

  #refuse(cost: number, use: SpaceUse): EtcdError {
    this.#refusedCost = Math.max(this.#refusedCost, cost);
    const isFull =
      this.#quota.mode === "size" || this.#quota.remaining(use) < worthwhileBytes(this.#quota) / 4;
    if (isFull) this.#raise();
    this.#sayRefused(cost, use);
    return new EtcdError("NO_SPACE");
  }

  /** The first of an alarm at once, and then how many there were, now and then. */
  #sayRefused(cost: number, use: SpaceUse): void {
    this.refusals++;
    const { store, alarms, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    if (nowMs - this.#refusalSaidMs < REFUSALS_INTERVAL_MS) return;
    const { revisions, liveKeys } = store.index.memory();
    const helps = remedyOf({
      quota: this.#quota,
      use,
      cost,
      isAlarmed: alarms.has(AlarmType.noSpace),
      currentRevision: store.currentRevision,
      revisions,
      liveKeys,
    });
    // Somebody has asked for the alarm, or its cause is gone and nobody has disarmed it.
    const isOnlyAlarm = alarms.has(AlarmType.noSpace) && this.#quota.available(use, cost);
    log({
      level: "warn",
      message: isOnlyAlarm
        ? "a write was refused because of the NOSPACE alarm, although there is room for it"
        : "the database has no room for a write within its quota: it was refused",
      fields: { ...this.#numbers(use), refused: this.refusals - this.#refusalsSaid, helps },
    });
    this.#refusalsSaid = this.refusals;
    this.#refusalSaidMs = nowMs;
  }

  #numbers(use: SpaceUse): Record<string, number> {
    const live = liveBytes(use);
    return {
      "quota-bytes": this.#quota.flag,
      "file-bytes": use.sizeBytes,
      "in-use-bytes": live + use.bufferedBytes,
      "reclaimable-bytes": use.sizeBytes - live,
    };
  }
}

function assertRules({ quotaBytes, quotaSoftLimit = 0 }: SpaceRules): void {
  if (!Number.isInteger(quotaBytes)) {
    throw new StrataError("BAD_ARGUMENT", `a quota is a whole number of bytes: ${quotaBytes}`);
  }
  if (!(quotaSoftLimit >= 0 && quotaSoftLimit < 1)) {
    const what = `a soft limit is a share, at least 0 and below 1: ${quotaSoftLimit}`;
    throw new StrataError("BAD_ARGUMENT", what);
  }
}
