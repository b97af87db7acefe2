/** A row of bucket `alarm`: its key is protobuf AlarmMember {1 memberID: uint64, 2 alarm: enum}, its value empty. */
import { everyField } from "../base/protobuf.ts";
import { type MessageWriter, written } from "../proto/message-writer.ts";

export interface AlarmRecord {
  readonly memberId: bigint;
  /** `NOSPACE`, `CORRUPT`, or a number that etcd gave no name. */
  readonly alarm: string;
}

/** etcd's AlarmMember. */
export interface AlarmMember {
  readonly memberId: bigint;
  /** An `AlarmType`, or a number that etcd gave no name. */
  readonly alarm: number;
}

const NAMES = ["NONE", "NOSPACE", "CORRUPT"];

export function alarmKey(member: AlarmMember): Uint8Array {
  return written(writeAlarmMember, member);
}

function writeAlarmMember(to: MessageWriter, { memberId, alarm }: AlarmMember): void {
  to.int64(2, alarm);
  to.bigint(1, memberId);
}

/** @returns undefined if the bytes are no AlarmMember */
export function decodeAlarmMember(key: Uint8Array): AlarmMember | undefined {
  let memberId = 0n;
  let alarm = 0;
  const whole = everyField(key, (fields) => {
    if (fields.field === 1) memberId = fields.varint;
    else if (fields.field === 2) alarm = Number(BigInt.asIntN(32, fields.varint));
  });
  return whole ? { memberId, alarm } : undefined;
}

/** The same for people. @returns undefined if the bytes are no AlarmMember */
export function decodeAlarm(key: Uint8Array): AlarmRecord | undefined {
  const member = decodeAlarmMember(key);
  if (member === undefined) return undefined;
  return { memberId: member.memberId, alarm: NAMES[member.alarm] ?? String(member.alarm) };
}
