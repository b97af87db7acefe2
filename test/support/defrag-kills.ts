/**
 * Kills the real `strata-defrag` at random moments and looks at what it left: the old file or the new one, whole, and
 * nothing that the next run does not remove.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defrag } from "../../src/jobs/defrag-work.ts";
import { readStatus } from "../../src/jobs/snapshot-status-work.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { makeBigPageFile } from "./big-page-file.ts";
import { cleanUpAtEnd, scratchFolder } from "./cleanup.ts";
import { rng } from "./rng.ts";

const TOOL = join(import.meta.dirname, "../../dist/tools/defrag.js");

export interface Kills {
  readonly rounds: number;
  readonly seed: number;
  readonly revisions: number;
}

/** What the killed process had come to, and how often. */
export interface KillReport {
  /** Ended by itself before the signal came. */
  finished: number;
  /** The file was still the old one. */
  old: number;
  /** The file was the new one already. */
  swapped: number;
  /** Left a temporary file, which the next run removed. */
  litter: number;
}

/** @throws Error naming the round at the first thing that is not as it should be */
export async function killDefrags({ rounds, seed, revisions }: Kills): Promise<KillReport> {
  if (!existsSync(TOOL)) throw new Error(`${TOOL} is missing: npm run build`);
  const folder = scratchFolder("kills");
  const original = join(folder, "original");
  makeBigPageFile(original, revisions, 300, 3);
  const before = await readStatus({ path: original, liveKeys: false });
  const work = join(folder, "work");
  const path = join(work, "db");
  const random = rng(seed);
  const report: KillReport = { finished: 0, old: 0, swapped: 0, litter: 0 };
  let longestMs = await timed(original, work, path);
  for (let round = 1; round <= rounds; round++) {
    fresh(original, work, path);
    const killAfterMs = random.float() * longestMs * 1.1;
    const startedMs = performance.now();
    const tool = start(path);
    await Promise.race([sleep(killAfterMs), tool.gone]);
    const late = tool.child.exitCode !== null;
    tool.child.kill("SIGKILL");
    await tool.gone;
    if (late) {
      report.finished++;
      longestMs = performance.now() - startedMs;
    }
    const fail = (what: string): never => {
      throw new Error(`seed ${seed}, round ${round}, killed after ${killAfterMs} ms: ${what}`);
    };
    const after = await readStatus({ path, liveKeys: false });
    if (after.hash !== before.hash || after.rows !== before.rows) fail("the content is another");
    if (after.sizeBytes === before.sizeBytes) report.old++;
    else report.swapped++;
    if (readdirSync(work).some((name) => name !== "db" && !name.startsWith("db.tmp."))) {
      fail(`left ${readdirSync(work).join(", ")}`);
    }
    if (readdirSync(work).length > 1) report.litter++;
    await defrag({ path, force: true });
    if (readdirSync(work).length !== 1) fail(`the next run left ${readdirSync(work).join(", ")}`);
    const file = openPageFile(path);
    const { faults } = file.check();
    file.close();
    if (faults.length > 0) fail(faults[0]?.what ?? "faults");
  }
  return report;
}

interface Running {
  readonly child: ChildProcess;
  readonly gone: Promise<void>;
}

function start(path: string): Running {
  const child = spawn(process.execPath, [TOOL, path, "--force"], { stdio: "ignore" });
  const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
  const gone = new Promise<void>((resolve) => {
    child.once("close", () => {
      forget();
      resolve();
    });
  });
  return { child, gone };
}

function fresh(original: string, work: string, path: string): void {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  copyFileSync(original, path);
}

/** How long it takes when nobody kills it. */
async function timed(original: string, work: string, path: string): Promise<number> {
  fresh(original, work, path);
  const startedMs = performance.now();
  await start(path).gone;
  return performance.now() - startedMs;
}
