/** All phases on all sides: both servers are up, one of them is under load at a time, phase by phase in turns. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ETCD, STRATA } from "../wire/server-process.ts";
import { contentOf, revisionToCompact } from "./data-dir.ts";
import { measurePhase, type PhaseFigure } from "./measure-phase.ts";
import type { Phase } from "./phases.ts";
import { type SaveSpeed, Side } from "./side.ts";

export type SideChoice = "strata" | "etcd" | "both";

export interface MaintenanceOptions {
  readonly side: SideChoice;
  readonly keys: number;
  readonly valueBytes: number;
  /** A second. */
  readonly puts: number;
  readonly gets: number;
  readonly connections: number;
  /** Of a phase. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Each on new copies. */
  readonly rounds: number;
  readonly phases: readonly Phase[];
  readonly slowRate: number;
  /** How often each side saves a snapshot at full speed, alone; at least once. */
  readonly saves: number;
  /** Never to be opened. */
  readonly made: string;
  readonly folder: string;
  readonly progress?: (line: string) => void;
}

export interface Round {
  readonly saves: Readonly<Record<string, SaveSpeed>>;
  readonly figures: readonly PhaseFigure[];
}

/** @throws Error if a server does not do its work, or loses a put */
export async function measureMaintenance(options: MaintenanceOptions): Promise<Round[]> {
  const { side, rounds } = options;
  const kinds = [STRATA, ETCD].filter(({ name }) => side === "both" || side === name);
  for (const { name, peer } of kinds) if (!peer.found) throw new Error(`${name}: ${peer.why}`);
  const all: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const folder = join(options.folder, `round-${round}`);
    mkdirSync(folder);
    const sides: Side[] = [];
    try {
      for (const kind of kinds) {
        options.progress?.(`${kind.name}: starting on a copy`);
        sides.push(await Side.start({ ...options, kind, folder }));
      }
      all.push(await measureRound(sides, options));
    } finally {
      for (const one of sides) await one[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return all;
}

async function measureRound(sides: readonly Side[], options: MaintenanceOptions): Promise<Round> {
  const { keys, valueBytes, phases, saves, progress = () => undefined } = options;
  const saved: Record<string, SaveSpeed> = {};
  for (const side of sides) {
    progress(`${side.name}: snapshot save`);
    saved[side.name] = await side.save(saves);
  }
  const times = {
    ...options,
    revisionToCompact: revisionToCompact(contentOf(keys, valueBytes), keys),
  };
  const figures: PhaseFigure[] = [];
  for (const phase of phases) {
    for (const side of sides) {
      const figure = await measurePhase(phase, side, times);
      progress(lineOf(figure));
      figures.push(figure);
    }
  }
  return { saves: saved, figures };
}

/** Enough to go by, should the rest be lost. */
function lineOf({ side, phase, during, tookMs, failure }: PhaseFigure): string {
  const { p50Ms, p99Ms, maxMs, stallMs, perSecond } = during.puts;
  const [p50, p99, max, stall] = [p50Ms, p99Ms, maxMs, stallMs].map((ms) => ms.toFixed(1));
  const puts = `${perSecond.toFixed(0)} puts/s, p50 ${p50}, p99 ${p99}, max ${max}, stall ${stall} ms`;
  const work = failure ?? `${tookMs.length} runs, ${((tookMs[0] ?? 0) / 1000).toFixed(2)} s`;
  return `${side}: ${phase}: ${puts}; ${work}`;
}
