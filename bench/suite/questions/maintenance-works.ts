/** Works of maintenance beside steady puts and gets: what they take, and what the puts notice. */
import type { PhaseFigure } from "../../maintenance/measure-phase.ts";
import { ETCD, type ServerKind, STRATA } from "../../wire/server-process.ts";
import type { Answer, AskContext, Goal, Size, SuiteQuestion } from "../question.ts";
import { type Session, sessionOf, type WorkName } from "./maintenance-session.ts";
import { MAINTENANCE_SIZES, ROUNDS, SMOKE_SIZE, serverEntry } from "./support.ts";

const LOAD = "beside 5,000 puts and 5,000 gets a second of processes of their own";
const PUTS_DURABLE = "each put beside it is on the disk before it is answered";
/** Issues say: of the quiet time before. */
const P99_BY_QUIET_MAX = 2;
const PUTS_OF_QUIET_MIN = 40;

interface Work {
  readonly name: WorkName;
  readonly about: string;
  /** Worst, in milliseconds. */
  readonly stallMs?: number;
  /** Undefined: what it takes is not asked, for it is the receiver's. */
  readonly took?: { readonly unit: "s" | "ms"; readonly goal?: Goal };
}

const WORKS: readonly Work[] = [
  {
    name: "compaction",
    about:
      "compaction of nine tenths of the old revisions by the real etcdctl, --physical, in a database with as many " +
      "old ones as live keys",
    stallMs: 50,
    took: { unit: "s", goal: { kind: "value", atMost: 5 } },
  },
  {
    name: "defrag",
    about: "defragmentation of the running server by the real etcdctl, after that compaction",
    stallMs: 100,
    took: { unit: "s", goal: { kind: "ratio", peer: ETCD.name, atLeast: 1 } },
  },
  {
    name: "hash-kv",
    about: "HashKV by the real etcdctl, again and again",
    stallMs: 20,
    took: { unit: "ms" },
  },
  { name: "slow-save", about: "a snapshot that is taken by a slow receiver, of 20 MB a second" },
];

function phaseOf({ phases }: Session, name: WorkName | "quiet"): PhaseFigure {
  const found = phases.get(name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  if (found.failure !== undefined) throw new Error(`${name}: ${found.failure}`);
  const { failed } = found.during.puts;
  if (failed > 0) throw new Error(`${name}: ${failed} puts failed`);
  return found;
}

/** What it took at the median of the runs that came to their end. */
function tookMs({ tookMs: all }: PhaseFigure): number {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function besideOf(found: PhaseFigure, quiet: PhaseFigure): Readonly<Record<string, number>> {
  const { puts, gets, server } = found.during;
  return {
    "worst stall ms": puts.stallMs,
    "puts p99 ms": puts.p99Ms,
    "quiet puts p99 ms": quiet.during.puts.p99Ms,
    "puts/s": puts.perSecond,
    // They waited for ten seconds, and count as having taken so long.
    ...(puts.dropped > 0 && { "puts given up": puts.dropped }),
    "gets p99 ms": gets.p99Ms,
    "peak MiB": server.rssMaxBytes / 2 ** 20,
    ...(server.loopMaxMs !== undefined && { "event loop worst ms": server.loopMaxMs }),
  };
}

function question(
  of: Pick<SuiteQuestion, "name" | "about" | "unit" | "better" | "goal">,
  work: WorkName,
  value: (found: PhaseFigure, quiet: PhaseFigure) => number,
): SuiteQuestion {
  return {
    ...of,
    group: "maintenance",
    durability: PUTS_DURABLE,
    rounds: ROUNDS,
    warmsUpItself: true,
    sizes: MAINTENANCE_SIZES,
    smokeSize: SMOKE_SIZE,
    subjects: (size: Size, context: AskContext) => {
      const answer = async (kind: ServerKind, round: number): Promise<Answer> => {
        const session = await sessionOf(kind, size, round, context);
        const [found, quiet] = [phaseOf(session, work), phaseOf(session, "quiet")];
        return { value: value(found, quiet), beside: besideOf(found, quiet) };
      };
      return {
        entries: [STRATA, ETCD].map((kind) => serverEntry(kind, (round) => answer(kind, round))),
      };
    },
  };
}

function questionsOf({ name, about, stallMs, took }: Work): SuiteQuestion[] {
  const taken = took && [
    question(
      {
        name: `maintenance/${name}`,
        about: `${about}; ${LOAD}; every put that was answered is counted by the revision`,
        unit: took.unit,
        better: "less",
        ...(took.goal !== undefined && { goal: took.goal }),
      },
      name,
      (found) => tookMs(found) / (took.unit === "s" ? 1000 : 1),
    ),
  ];
  const stall = stallMs !== undefined && [
    question(
      {
        name: `maintenance/${name}/stall`,
        about: `the longest time in which no put was answered; ${LOAD}: ${about}`,
        unit: "ms",
        better: "less",
        goal: { kind: "value", atMost: stallMs },
      },
      name,
      ({ during }) => during.puts.stallMs,
    ),
  ];
  return [
    ...(taken ?? []),
    ...(stall || []),
    question(
      {
        name: `maintenance/${name}/p99`,
        about: `99th percentile of puts, by that of the quiet time before; ${LOAD}: ${about}`,
        unit: "times the quiet",
        better: "less",
        goal: { kind: "value", atMost: P99_BY_QUIET_MAX },
      },
      name,
      (found, quiet) => found.during.puts.p99Ms / quiet.during.puts.p99Ms,
    ),
    question(
      {
        name: `maintenance/${name}/puts`,
        about: `puts a second, of those of the quiet time before; ${LOAD}: ${about}`,
        unit: "% of the quiet",
        better: "more",
        goal: { kind: "value", atLeast: PUTS_OF_QUIET_MIN },
      },
      name,
      (found, quiet) => (found.during.puts.perSecond / quiet.during.puts.perSecond) * 100,
    ),
  ];
}

export const MAINTENANCE_WORKS: readonly SuiteQuestion[] = WORKS.flatMap(questionsOf);
