/** One phase on one side: the load begins, then the work beside it, and both are looked at for the same time. */
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoadFigure } from "./paced-load.ts";
import type { Phase, PhaseName } from "./phases.ts";
import type { ServerFigure } from "./server-watch.ts";
import type { Side } from "./side.ts";

/** What was seen during one stretch of time. */
export interface Stretch {
  readonly puts: LoadFigure;
  readonly gets: LoadFigure;
  readonly server: ServerFigure;
}

export interface PhaseFigure {
  readonly phase: PhaseName;
  readonly side: "strata" | "etcd";
  /** While the work went on, and for a moment afterwards. */
  readonly during: Stretch;
  /** The rest of the time; of work that does not fill it. */
  readonly after: Stretch | undefined;
  /** What each run of the work took, in milliseconds. */
  readonly tookMs: readonly number[];
  /** Why the work did not come to its end. */
  readonly failure: string | undefined;
  readonly databaseBytes: { readonly before: number; readonly after: number };
  /** Of the machine, in the last minute: beside busy neighbours, figures are worth little. */
  readonly loadAverage: { readonly before: number; readonly after: number };
}

export interface PhaseTimes {
  readonly seconds: number;
  /** Of load before the clock starts. */
  readonly warmUpSeconds: number;
  readonly revisionToCompact: number;
  readonly slowRate: number;
}

/** What comes of work that is over shows a little later. */
const TAIL_MS = 1000;

/** @throws Error if a put that was acknowledged is not there, or the load cannot go on */
export async function measurePhase(
  phase: Phase,
  side: Side,
  { seconds, warmUpSeconds, revisionToCompact, slowRate }: PhaseTimes,
): Promise<PhaseFigure> {
  const { name, server, snapshot, puts, gets } = side;
  const loadBefore = loadavg()[0] ?? 0;
  const bytesBefore = side.databaseBytes;
  await Promise.all([puts.begin(), gets.begin()]);
  await sleep(warmUpSeconds * 1000);
  const warm = await cut(side);
  const startMs = performance.now();
  const over = AbortSignal.timeout(seconds * 1000);
  const surroundings = { name, server, snapshot, revisionToCompact, slowRate };
  let failure: string | undefined;
  const tookMs = await phase.work(surroundings, over).catch((error: unknown) => {
    failure = error instanceof Error ? error.message : String(error);
    return [];
  });
  let during: Stretch;
  let after: Stretch | undefined;
  const leftMs = seconds * 1000 - (performance.now() - startMs);
  if (phase.kind === "once") await sleep(Math.min(TAIL_MS, seconds * 1000));
  if (phase.kind === "once" && leftMs > 2 * TAIL_MS) {
    during = await cut(side);
    await sleep(leftMs - TAIL_MS);
    after = await end(side);
  } else {
    during = await end(side);
  }
  await side.mustHave(
    [warm, during, ...(after === undefined ? [] : [after])].map((one) => one.puts),
  );
  return {
    phase: phase.name,
    side: name,
    during,
    after,
    tookMs,
    failure,
    databaseBytes: { before: bytesBefore, after: side.databaseBytes },
    loadAverage: { before: loadBefore, after: loadavg()[0] ?? 0 },
  };
}

async function cut({ puts, gets, watch }: Side): Promise<Stretch> {
  const [putFigure, getFigure, server] = await Promise.all([puts.cut(), gets.cut(), watch.cut()]);
  return { puts: putFigure, gets: getFigure, server };
}

async function end({ puts, gets, watch }: Side): Promise<Stretch> {
  const [putFigure, getFigure, server] = await Promise.all([puts.stop(), gets.stop(), watch.cut()]);
  return { puts: putFigure, gets: getFigure, server };
}
