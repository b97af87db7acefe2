/** Watchers of one key, until everybody has everything, beside etcd. */
import { type FanOutPlan, fanOut } from "../../wire/fan-out.ts";
import { VALUE_BYTES } from "../../wire/frames.ts";
import { ETCD, STRATA } from "../../wire/server-process.ts";
import type { AskContext, Size, Subjects, SuiteQuestion } from "../question.ts";
import { withNewServer } from "./idle-servers.ts";
import { inMebibytes, ON_DISK, ROUNDS, serverEntry } from "./support.ts";

const EVENTS = 2_000_000;
const WARM_EVENTS = 500_000;
const SMOKE_PUTS = 20;
const CONNECTIONS = 10;

function sizeOf(watchers: number): Size {
  const label = `${watchers.toLocaleString("en")} watchers, values of ${VALUE_BYTES} B`;
  return { label, keys: watchers, valueBytes: VALUE_BYTES };
}

function subjects({ keys: watchers }: Size, context: AskContext): Subjects {
  const plan: FanOutPlan = {
    watchers,
    connections: CONNECTIONS,
    streams: Math.min(10, watchers / CONNECTIONS),
    puts: context.smoke ? SMOKE_PUTS : EVENTS / watchers,
    warmPuts: context.smoke ? 0 : WARM_EVENTS / watchers,
  };
  const entries = [STRATA, ETCD].map((kind) =>
    serverEntry(kind, () =>
      withNewServer(kind, context, async (server) => {
        const { events, seconds, putsPerSecond, cpuUs, peakRssBytes } = await fanOut(server, plan);
        return {
          value: events / seconds,
          beside: {
            "puts/s": putsPerSecond,
            "CPU µs an event": cpuUs,
            "peak MiB": inMebibytes(peakRssBytes),
          },
        };
      }),
    ),
  );
  return { entries };
}

const fanOutQuestion: SuiteQuestion = {
  name: "server/watch-fan-out",
  group: "server",
  about:
    "one writer, who puts as fast as he is answered, and watchers of his key, until the last one has every event; " +
    "they are counted",
  unit: "events/s",
  better: "more",
  durability: ON_DISK,
  goal: { kind: "ratio", peer: ETCD.name, atLeast: 3 },
  rounds: ROUNDS,
  warmsUpItself: true,
  sizes: [100, 1000].map(sizeOf),
  smokeSize: sizeOf(100),
  subjects,
};

export const SERVER_FAN_OUT: readonly SuiteQuestion[] = [fanOutQuestion];
