/** What one reading of the metrics finds: gathered once, so that all of its values are of one moment. */
import { type ProcessStats, readProcessStats } from "../../../native-free/process-stats.ts";
import type { Instruments } from "../../engine/instruments.ts";
import type { Member, MemberStatus } from "../../engine/member.ts";
import type { CallCounts } from "../../grpc/call-counts.ts";
import type { HttpCounts } from "../http/http-counts.ts";
import type { EventLoopLook } from "./event-loop.ts";
import type { HandlingTimes } from "./handling-times.ts";

export interface MetricSources {
  readonly member: Member;
  readonly calls: CallCounts;
  readonly http: HttpCounts;
  /** With --metrics=extensive. */
  readonly handlingTimes?: HandlingTimes | undefined;
}

export interface Scrape extends MetricSources {
  readonly status: MemberStatus;
  readonly instruments: Instruments;
  readonly process: ProcessStats;
  readonly eventLoop: EventLoopLook;
}

export async function scrape(
  sources: MetricSources,
  takeEventLoop: () => EventLoopLook,
): Promise<Scrape> {
  const process = await readProcessStats();
  const { member } = sources;
  return {
    ...sources,
    status: member.status(),
    instruments: member.instruments(),
    process,
    eventLoop: takeEventLoop(),
  };
}
