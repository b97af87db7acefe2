/** Alarms in all forms. */
import {
  ALARM_RESPONSE,
  type AlarmMember,
  type AlarmResponse,
} from "../../proto/tables/maintenance.ts";
import { field, headerFields } from "../print/fields.ts";
import { messageViews } from "../print/message-views.ts";
import type { Views } from "../print/print.ts";

export const AlarmAction = { get: 0, activate: 1, deactivate: 2 } as const;

/** By number. */
const ALARM_NAMES = ["NONE", "NOSPACE", "CORRUPT"] as const;

export function alarmName(alarm: number): string {
  return ALARM_NAMES[alarm] ?? String(alarm);
}

export function alarmViews(response: AlarmResponse): Views {
  const { header, alarms } = response;
  return {
    ...messageViews(ALARM_RESPONSE, response),
    simple: () => alarms.map(alarmLine),
    fields: () => [
      headerFields(header),
      ...alarms.map(
        ({ memberId, alarm }) =>
          `${field("MemberID", memberId)}${field("AlarmType", alarmName(alarm))}\n`,
      ),
    ],
  };
}

/** As Go's protobuf prints it: a blank behind each field, and none of those that are zero. */
function alarmLine({ memberId, alarm }: AlarmMember): string {
  const member = memberId === 0n ? "" : `memberID:${memberId} `;
  return `${member}${alarm === 0 ? "" : `alarm:${alarmName(alarm)} `}\n`;
}
