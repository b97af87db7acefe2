/**
 * A server of one side on a large database, from its start to its end: snapshots are saved, then steady puts and gets
 * come in from processes of their own, and beside them, each in a time of its own, nothing and the works of
 * maintenance. All figures of maintenance are taken of such sessions, one a round on each side, in turns.
 */
import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { peer } from "../../../test/support/peers.ts";
import { type Content, madeDataDir, revisionToCompact } from "../../maintenance/data-dir.ts";
import { measurePhase, type PhaseFigure } from "../../maintenance/measure-phase.ts";
import { etcdctl, ourEtcdctl, PHASES, type PhaseName } from "../../maintenance/phases.ts";
import { type SaveSpeed, Side } from "../../maintenance/side.ts";
import { type CommandFigure, measure } from "../../snapshot.ts";
import { type ServerKind, STRATA } from "../../wire/server-process.ts";
import type { AskContext, Size } from "../question.ts";
import { Once, settle } from "./support.ts";

export type WorkName = "hash-kv" | "slow-save" | "compaction" | "defrag";

export interface Session {
  readonly save: SaveSpeed;
  /** Of the snapshot that was saved; undefined where there is no such program, and on etcd's side. */
  readonly restore: { readonly ours?: CommandFigure; readonly etcdctl?: CommandFigure };
  readonly phases: ReadonlyMap<PhaseName, PhaseFigure>;
}

/** In this order: a defragmentation needs free pages. */
const ORDER: readonly PhaseName[] = ["quiet", "hash-kv", "slow-save", "compaction", "defrag"];
/** Of all that are old and not compacted yet. */
const GIVEN_UP_PART = 0.9;
const CONNECTIONS = 10;
/** Gigabytes were written and removed by then. */
const SETTLE_MS = 8000;

/** Of a phase; works that are done once have a second after their end instead. */
const FULL = { rate: 5000, seconds: 4, warmUpSeconds: 2, slowRate: 20_000_000 };
const SMOKE = { rate: 300, seconds: 0.1, warmUpSeconds: 0.05, slowRate: 1_000_000 };

const dataDirs = new Once<string>();
const sessions = new Once<Session>();

/** Live keys, as many revisions of them that are old, and pages of half as many that are free. */
function contentOf({ keys, valueBytes }: Size): Content {
  return { keys, old: Math.round(keys * 1.5), compacted: Math.round(keys / 2), valueBytes };
}

export function sessionOf(
  kind: ServerKind,
  size: Size,
  round: number,
  context: AskContext,
): Promise<Session> {
  return sessions.get(`${size.label} ${kind.name} ${round}`, async () => {
    const content = contentOf(size);
    const made = await dataDirs.get(size.label, () => {
      context.progress(`making a data dir of ${size.label}`);
      return madeDataDir(content, false, scratchFolder("bench-maintenance"));
    });
    const folder = join(context.folder, `session-${kind.name}`);
    mkdirSync(folder);
    try {
      return await measureSession(kind, { content, made, folder }, context);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function measureSession(
  kind: ServerKind,
  at: { readonly content: Content; readonly made: string; readonly folder: string },
  context: AskContext,
): Promise<Session> {
  const { content, made, folder } = at;
  const { keys, valueBytes } = content;
  const { rate, ...times } = context.smoke ? SMOKE : FULL;
  const load = { keys, valueBytes, puts: rate, gets: rate, connections: CONNECTIONS };
  const progress = (what: string): void => context.progress(`${kind.name}: ${what}`);
  progress("starting on a copy");
  await using side = await Side.start({ kind, made, folder, ...load });
  await settle(context);
  progress("snapshots");
  const save = await side.save(1);
  const restore = kind === STRATA ? await restored(side.snapshot, folder) : {};
  await settle(context, SETTLE_MS);
  const given = Math.round((content.old - content.compacted) * GIVEN_UP_PART);
  const orders = { ...times, revisionToCompact: revisionToCompact(content, given) };
  const phases = new Map<PhaseName, PhaseFigure>();
  for (const name of ORDER) {
    const phase = PHASES.find((one) => one.name === name);
    if (phase === undefined) throw new Error(`there is no phase ${name}`);
    progress(name);
    phases.set(name, await measurePhase(phase, side, orders));
  }
  return { save, restore, phases };
}

/** By our command and by the real one. */
async function restored(snapshot: string, folder: string): Promise<Session["restore"]> {
  const dir = join(folder, "restored");
  const args = ["snapshot", "restore", snapshot, "--data-dir", dir];
  const restore = async (command: typeof ourEtcdctl): Promise<CommandFigure> => {
    const { program, args: all } = command(...args);
    const figure = await measure(program, all);
    if (statSync(join(dir, "member/snap/db")).size === 0) throw new Error("nothing was restored");
    rmSync(dir, { recursive: true });
    return figure;
  };
  const ours = await restore(ourEtcdctl);
  return { ours, ...(peer("etcdctl").found && { etcdctl: await restore(etcdctl) }) };
}
