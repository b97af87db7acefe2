import { ALARM } from "../backend/buckets.ts";
import { costOf } from "../backend/quota.ts";
import type { RowSink } from "../backend/row-sink.ts";
import { EtcdError } from "../base/errors.ts";
import { AlarmAction, type AlarmRequest, AlarmType, type Request } from "../proto/messages.ts";
import { type AlarmMember, alarmKey, decodeAlarmMember } from "./alarm-record.ts";

const NO_VALUE = new Uint8Array(0);

/**
 * The alarms that are active: pairs of a member and a type. They are rows of the database, so they outlive a restart,
 * and nothing takes one away but being deactivated.
 *
 * A type that etcd gave no name is kept like any other and forbids nothing. A member may be any number, 0 included.
 *
 * @see etcd server/etcdserver/api/v3alarm/alarms.go, server/etcdserver/apply/uber_applier.go
 */
export class AlarmStore {
  /** By type, then by member. */
  readonly #members = new Map<number, Map<bigint, AlarmMember>>();

  /** Takes a row of bucket `alarm` at start. @returns false if its key is no AlarmMember */
  load(key: Uint8Array): boolean {
    const member = decodeAlarmMember(key);
    if (member !== undefined) this.#add(member);
    return member !== undefined;
  }

  /**
   * Does what the request asks for. An unknown action does nothing.
   * @returns what its answer lists: for get the alarms, else the one that was activated or deactivated, if there is one
   */
  apply({ action, memberId, alarm }: AlarmRequest, rows: RowSink): readonly AlarmMember[] {
    if (action === AlarmAction.get) return this.get(alarm);
    if (action === AlarmAction.activate && alarm !== AlarmType.none) {
      return [this.activate({ memberId, alarm }, rows)];
    }
    if (action !== AlarmAction.deactivate) return [];
    return this.deactivate({ memberId, alarm }, rows) ? [{ memberId, alarm }] : [];
  }

  /** Once more is as good as once. */
  activate(member: AlarmMember, rows: RowSink): AlarmMember {
    if (this.#add(member)) rows.putRow(ALARM, alarmKey(member), NO_VALUE);
    return member;
  }

  /** @returns whether that alarm, of exactly that member, was active */
  deactivate(member: AlarmMember, rows: RowSink): boolean {
    const ofType = this.#members.get(member.alarm);
    if (!ofType?.delete(member.memberId)) return false;
    if (ofType.size === 0) this.#members.delete(member.alarm);
    rows.deleteRow(ALARM, alarmKey(member));
    return true;
  }

  /**
   * The active alarms of a type, or all of them for NONE, by type and then by member. (etcd gives them in any order.)
   */
  get(type: number = AlarmType.none): readonly AlarmMember[] {
    const all = [...this.#members.values()].flatMap((ofType) => [...ofType.values()]);
    return all
      .filter(({ alarm }) => type === AlarmType.none || alarm === type)
      .sort((a, b) => a.alarm - b.alarm || (a.memberId < b.memberId ? -1 : 1));
  }

  /** Whether any member has it. */
  has(type: number): boolean {
    return this.#members.has(type);
  }

  /**
   * Judges a request when it is applied, so that every replay of the log judges alike.
   *
   * | active  | refused                                                                             | with            |
   * | ------- | ----------------------------------------------------------------------------------- | --------------- |
   * | NOSPACE | what costs anything of the quota: put, lease grant, a txn with a put in it            | NO_SPACE        |
   * | CORRUPT | put, delete, any txn but of ranges alone, compaction, lease grant and revoke          | CORRUPT_CLUSTER |
   *
   * CORRUPT goes first. Ranges are never refused: etcd serves them past its log and its alarms.
   *
   * @returns the error to answer with; undefined: go ahead
   */
  forbids(request: Request): EtcdError | undefined {
    if (this.#members.size === 0) return undefined;
    if (this.has(AlarmType.corrupt) && changesData(request))
      return new EtcdError("CORRUPT_CLUSTER");
    if (this.has(AlarmType.noSpace) && costOf(request) > 0) return new EtcdError("NO_SPACE");
    return undefined;
  }

  #add(member: AlarmMember): boolean {
    const ofType = this.#members.get(member.alarm) ?? new Map<bigint, AlarmMember>();
    if (ofType.has(member.memberId)) return false;
    this.#members.set(member.alarm, ofType.set(member.memberId, member));
    return true;
  }
}

function changesData(request: Request): boolean {
  switch (request.kind) {
    case "put":
    case "deleteRange":
    case "compaction":
    case "leaseGrant":
    case "leaseRevoke":
      return true;
    case "txn":
      // Like etcd, an inner txn counts as a write whatever is in it: only ranges make a txn read-only.
      return [...request.success, ...request.failure].some(({ kind }) => kind !== "range");
    default:
      return false;
  }
}
