/** A row of bucket `alarm`: its key is protobuf AlarmMember {1 memberID: uint64, 2 alarm: enum}, its value empty. */
import { everyField } from "../base/protobuf.ts";

export interface AlarmRecord {
  readonly memberId: bigint;
  /** `NOSPACE`, `CORRUPT`, or a number that etcd gave no name. */
  readonly alarm: string;
}

const NAMES = ["NONE", "NOSPACE", "CORRUPT"];

/** @returns undefined if the bytes are no AlarmMember */
export function decodeAlarm(key: Uint8Array): AlarmRecord | undefined {
  let memberId = 0n;
  let alarm = 0n;
  const whole = everyField(key, (fields) => {
    if (fields.field === 1) memberId = fields.varint;
    else if (fields.field === 2) alarm = fields.varint;
  });
  return whole ? { memberId, alarm: NAMES[Number(alarm)] ?? String(alarm) } : undefined;
}
