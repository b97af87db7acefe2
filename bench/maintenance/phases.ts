/** What goes on beside the load, each in a time of its own, and what we aim at. */
import { join } from "node:path";
import { projectFolder } from "../../test/support/judge.ts";
import { peer } from "../../test/support/peers.ts";
import type { ServerProcess } from "../wire/server-process.ts";
import { type Command, run, runAgain } from "./command.ts";
import { checkAgain } from "./online-check.ts";

export type PhaseName =
  | "quiet"
  | "check"
  | "status"
  | "slow-save"
  | "hash-kv"
  | "compaction"
  | "defrag";

/** What the work of a phase may know. */
export interface Surroundings {
  readonly name: "strata" | "etcd";
  readonly server: ServerProcess;
  /** A snapshot of this server, saved before. */
  readonly snapshot: string;
  /** A compaction there gives up as many revisions as there are keys. */
  readonly revisionToCompact: number;
  /** Of a slow receiver, in bytes a second. */
  readonly slowRate: number;
}

/** Milliseconds. A bound is strata's worst stall; the others are by etcd's. */
export interface Goals {
  readonly stallMs?: number;
  readonly tookMs?: number;
  readonly noSlowerThanEtcd?: true;
}

export interface Phase {
  readonly name: PhaseName;
  readonly about: string;
  /** `while`: again and again until the time is over; `once`: the time after it counts by itself. */
  readonly kind: "while" | "once";
  /** @returns what each run took that came to its end, in milliseconds */
  work(on: Surroundings, over: AbortSignal): Promise<readonly number[]>;
  readonly goals: Goals;
}

const SLOW_RECEIVER = join(projectFolder(), "dist/bench/maintenance/slow-receiver.js");
const FAST_RECEIVER = join(projectFolder(), "dist/bench/maintenance/fast-receiver.js");
const INSPECT = join(projectFolder(), "dist/tools/inspect.js");
const OUR_ETCDCTL = join(projectFolder(), "dist/src/cli/bin/etcdctl.js");

/** The real one where there is one, so that both servers are asked alike. */
export function etcdctl(...args: readonly string[]): Command {
  const found = peer("etcdctl");
  return found.found ? { program: found.path, args } : ourEtcdctl(...args);
}

export function ourEtcdctl(...args: readonly string[]): Command {
  return { program: process.execPath, args: [OUR_ETCDCTL, ...args] };
}

export function fastReceiver(port: number): Command {
  return { program: process.execPath, args: [FAST_RECEIVER, `${port}`] };
}

function asked({ server }: Surroundings, ...args: readonly string[]): Command {
  return etcdctl("--endpoints", server.url, "--command-timeout=600s", ...args);
}

export const PHASES: readonly Phase[] = [
  {
    name: "quiet",
    about: "nothing",
    kind: "while",
    work: async (_, over) => {
      await new Promise((resolve) => over.addEventListener("abort", resolve));
      return [];
    },
    goals: {},
  },
  {
    name: "check",
    about:
      "an integrity check, again and again: strata's online, of a running server; of etcd, which has none, " +
      "that of a saved snapshot by strata-inspect",
    kind: "while",
    work: ({ name, server, snapshot }, over) =>
      name === "strata"
        ? checkAgain(server.port, over)
        : runAgain({ program: process.execPath, args: [INSPECT, snapshot, "check"] }, over),
    goals: {},
  },
  {
    name: "status",
    about: "snapshot status of a saved snapshot, by each side's own etcdctl, again and again",
    kind: "while",
    work: ({ name, snapshot }, over) => {
      const command = name === "strata" ? ourEtcdctl : etcdctl;
      return runAgain(command("snapshot", "status", snapshot), over);
    },
    goals: {},
  },
  {
    name: "slow-save",
    about: "a snapshot taken by a slow receiver",
    kind: "while",
    work: ({ server, slowRate }, over) =>
      runAgain(
        { program: process.execPath, args: [SLOW_RECEIVER, server.url, `${slowRate}`] },
        over,
        "may be ended",
      ),
    goals: {},
  },
  {
    name: "hash-kv",
    about: "etcdctl endpoint hashkv, again and again",
    kind: "while",
    work: (on, over) => runAgain(asked(on, "endpoint", "hashkv"), over),
    goals: { stallMs: 20 },
  },
  {
    name: "compaction",
    about: "etcdctl compact --physical of as many revisions as there are keys",
    kind: "once",
    work: async (on) => [await run(asked(on, "compact", "--physical", `${on.revisionToCompact}`))],
    goals: { stallMs: 50, tookMs: 5000 },
  },
  {
    name: "defrag",
    about: "etcdctl defrag, after the compaction",
    kind: "once",
    work: async (on) => [await run(asked(on, "defrag"))],
    goals: { stallMs: 100, noSlowerThanEtcd: true },
  },
];
