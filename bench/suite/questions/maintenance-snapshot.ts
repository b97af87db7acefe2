/** Snapshots of a server, saved, sent and restored, with no load beside. */
import { peer } from "../../../test/support/peers.ts";
import type { SaveSpeed } from "../../maintenance/side.ts";
import type { CommandFigure } from "../../snapshot.ts";
import type { Entry } from "../../store/alternate.ts";
import { ETCD, type ServerKind, STRATA } from "../../wire/server-process.ts";
import { type Answer, type AskContext, OURS, type Size, type SuiteQuestion } from "../question.ts";
import { type Session, sessionOf } from "./maintenance-session.ts";
import { inMebibytes, MAINTENANCE_SIZES, ROUNDS, SMOKE_SIZE, serverEntry } from "./support.ts";

const ETCDCTL = "etcdctl";

function question(
  of: Omit<SuiteQuestion, "group" | "sizes" | "smokeSize" | "subjects">,
  entries: (session: AskSession) => readonly Entry<Answer>[],
): SuiteQuestion {
  return {
    ...of,
    group: "maintenance",
    rounds: ROUNDS,
    warmsUpItself: true,
    sizes: MAINTENANCE_SIZES,
    smokeSize: SMOKE_SIZE,
    subjects: (size: Size, context: AskContext) => ({
      entries: entries((kind, round) => sessionOf(kind, size, round, context)),
    }),
  };
}

type AskSession = (kind: ServerKind, round: number) => Promise<Session>;

function megabytesPerSecond(
  { bytes, ...took }: SaveSpeed,
  by: "etcdctlMs" | "ourEtcdctlMs" | "receivedMs",
): Answer {
  const [ms] = took[by];
  if (ms === undefined) throw new Error("no snapshot was saved");
  return { value: bytes / 1e3 / ms, beside: { s: ms / 1000, MB: bytes / 1e6 } };
}

function whyNoEtcdctl(): string | undefined {
  const found = peer(ETCDCTL);
  return found.found ? undefined : found.why;
}

function etcdctlEntry(run: (round: number) => Promise<Answer>): Entry<Answer> {
  const missing = whyNoEtcdctl();
  return { name: ETCDCTL, ...(missing !== undefined && { missing }), run };
}

function restoreAnswer(figure: CommandFigure | undefined): Answer {
  if (figure === undefined) throw new Error("nothing was restored");
  const { seconds, cpuSeconds, peakRssBytes } = figure;
  return { value: seconds, beside: { "CPU s": cpuSeconds, "peak MiB": inMebibytes(peakRssBytes) } };
}

export const MAINTENANCE_SNAPSHOT: readonly SuiteQuestion[] = [
  question(
    {
      name: "maintenance/snapshot/save",
      about:
        "snapshot save by the real etcdctl from both servers, which compares nothing until it is restored",
      unit: "MB/s",
      better: "more",
      durability: "the snapshot is on the disk before the command ends",
      goal: { kind: "ratio", peer: ETCD.name, atLeast: 2 },
    },
    (ask) =>
      [STRATA, ETCD].map((kind) =>
        serverEntry(
          kind,
          async (round) => megabytesPerSecond((await ask(kind, round)).save, "etcdctlMs"),
          whyNoEtcdctl(),
        ),
      ),
  ),
  question(
    {
      name: "maintenance/snapshot/sent",
      about: "a snapshot that is taken from both servers by a receiver of ours, and thrown away",
      unit: "MB/s",
      better: "more",
      durability: "",
      goal: { kind: "ratio", peer: ETCD.name, atLeast: 2 },
    },
    (ask) =>
      [STRATA, ETCD].map((kind) =>
        serverEntry(kind, async (round) =>
          megabytesPerSecond((await ask(kind, round)).save, "receivedMs"),
        ),
      ),
  ),
  question(
    {
      name: "maintenance/snapshot/save-by-own-etcdctl",
      about:
        "snapshot save from strata's server by our etcdctl, which compares the checksum while it saves, and by the real one",
      unit: "MB/s",
      better: "more",
      durability: "the snapshot is on the disk before the command ends",
      goal: { kind: "ratio", peer: ETCDCTL, atLeast: 1 },
    },
    (ask) => [
      {
        name: OURS,
        run: async (round) => megabytesPerSecond((await ask(STRATA, round)).save, "ourEtcdctlMs"),
      },
      etcdctlEntry(async (round) =>
        megabytesPerSecond((await ask(STRATA, round)).save, "etcdctlMs"),
      ),
    ],
  ),
  question(
    {
      name: "maintenance/snapshot/restore",
      about:
        "snapshot restore of the same file into a new data dir, by our etcdctl and by the real one",
      unit: "s",
      better: "less",
      durability: "the data dir is on the disk before the command ends",
      goal: { kind: "ratio", peer: ETCDCTL, atLeast: 1 },
    },
    (ask) => [
      {
        name: OURS,
        run: async (round) => restoreAnswer((await ask(STRATA, round)).restore.ours),
      },
      etcdctlEntry(async (round) => restoreAnswer((await ask(STRATA, round)).restore.etcdctl)),
    ],
  ),
];
