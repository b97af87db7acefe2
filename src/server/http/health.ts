/**
 * Whether the member is well: for load balancers (/health) and for those who start and stop processes (/livez, /readyz).
 *
 * @see etcd server/etcdserver/api/etcdhttp/health.go
 */
import { reasonOf } from "../../base/errors.ts";
import type { Member } from "../../engine/member.ts";
import { AlarmType } from "../../proto/messages.ts";

export interface Health {
  readonly healthy: boolean;
  /** Empty if healthy. */
  readonly reason: string;
}

const HEALTHY: Health = { healthy: true, reason: "" };

/**
 * @param excluded  alarms that do not count, by their names
 * @param serializable  only whether this member can read what it has, not whether it is able to write
 */
export function healthOf(
  member: Member,
  excluded: ReadonlySet<string>,
  serializable: boolean,
): Health {
  for (const { alarm } of member.alarms.get()) {
    const name = alarmName(alarm);
    if (!excluded.has(name)) return { healthy: false, reason: `ALARM ${name}` };
  }
  const error = serializable ? readError(member) : (writeError(member) ?? readError(member));
  return error === undefined ? HEALTHY : { healthy: false, reason: `RANGE ERROR:${error}` };
}

function alarmName(alarm: number): string {
  if (alarm === AlarmType.noSpace) return "NOSPACE";
  return alarm === AlarmType.corrupt ? "CORRUPT" : "UNKNOWN";
}

/** A check under its name: undefined if all is well, else why not. */
export type Check = readonly [name: string, run: (member: Member) => string | undefined];

export const LIVEZ: readonly Check[] = [["serializable_read", readError]];

export const READYZ: readonly Check[] = [
  ["data_corruption", corruption],
  ["serializable_read", readError],
  ["linearizable_read", (member) => writeError(member) ?? readError(member)],
  ["non_learner", learner],
];

/** A key that most probably is not there: it is about getting an answer. */
const PROBE = "\0";

function readError(member: Member): string | undefined {
  try {
    member.get(PROBE);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** In a cluster of one, whoever can write is sure to read the newest. */
function writeError(member: Member): string | undefined {
  return member.status().failure;
}

function corruption(member: Member): string | undefined {
  return member.alarms.has(AlarmType.corrupt) ? "alarm activated: CORRUPT" : undefined;
}

function learner(member: Member): string | undefined {
  const { cluster } = member;
  return cluster.member(cluster.localId)?.isLearner ? "not supported for learner" : undefined;
}
