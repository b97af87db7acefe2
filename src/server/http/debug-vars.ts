/** What etcd shows under /debug/vars, with Node's memory in the place of Go's. */
import type { Member } from "../../engine/member.ts";

export function debugVars(member: Member): string {
  const { memberId, raftTerm, raftIndex, raftAppliedIndex } = member.status();
  const id = memberId.toString(16);
  const { heapTotal, heapUsed, rss, external } = process.memoryUsage();
  const vars = {
    cmdline: process.argv,
    memstats: { HeapSys: heapTotal, HeapAlloc: heapUsed, Sys: rss, External: external },
    "raft.status": {
      id,
      term: raftTerm,
      vote: id,
      commit: raftIndex,
      lead: id,
      raftState: "StateLeader",
      applied: raftAppliedIndex,
      progress: { [id]: { match: raftIndex, next: raftIndex + 1, state: "StateReplicate" } },
      leadtransferee: "0",
    },
  };
  return `${JSON.stringify(vars)}\n`;
}
