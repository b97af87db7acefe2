/**
 * Looking into a database file: what `tools/inspect` does, as one job on a worker thread.
 *
 * The report is written from there straight to the descriptor that the caller names, and not sent to the caller's
 * thread: a million keys would be copied once more and held whole. The caller's thread is free for a progress bar.
 */
import { jsonFields } from "../../base/json.ts";
import type { Fault } from "../../pagefile/check.ts";
import { databasePath } from "../database-path.ts";
import type { ReadingMode } from "../offline-file.ts";
import type { JobKind, JobOptions, JobPool } from "../pool.ts";
import { ProgressWriter } from "../progress.ts";
import { type BucketsCommand, inspectBuckets } from "./buckets.ts";
import { type CheckCommand, inspectCheck } from "./check.ts";
import type { Context } from "./context.ts";
import { Faults } from "./faults.ts";
import { type Inspected, type InspectReading, readInspected } from "./inspected.ts";
import { inspectKeys, type KeysCommand } from "./keys.ts";
import { inspectLeases, type LeasesCommand } from "./leases.ts";
import { inspectMeta, type MetaCommand } from "./meta.ts";
import { Output, OutputClosed } from "./output.ts";
import { inspectPage, type PageCommand } from "./page.ts";
import { inspectPages, type PagesCommand } from "./pages.ts";
import { PHASES } from "./phases.ts";
import { Show, type ShowOptions } from "./show.ts";
import { inspectSummary, type SummaryCommand } from "./summary.ts";

export type InspectCommand =
  | SummaryCommand
  | BucketsCommand
  | KeysCommand
  | LeasesCommand
  | MetaCommand
  | PagesCommand
  | PageCommand
  | CheckCommand;

export interface InspectInput {
  /** The database or snapshot file itself. */
  readonly path: string;
  readonly command: InspectCommand;
  readonly json: boolean;
  readonly show: ShowOptions;
  /** An open descriptor of this process that the report is written to. */
  readonly out: number;
}

export interface InspectOutput {
  /** What was wrong with the file; the report went on past it. */
  readonly faultCount: number;
  readonly firstFault: Fault | undefined;
}

export const INSPECT: JobKind<InspectInput, InspectOutput> = {
  worker: "inspect/inspect",
  phases: PHASES,
};

/**
 * Inspects a file, or the database of a data dir. Nothing is ever written to it.
 *
 * @throws CorruptionError for a file that cannot be read at all; StrataError CHANGED when a server changed it at every
 *   attempt, COMPACTED, FUTURE, BAD_ARGUMENT; the system's errors. Unless one of the last three is the report's own
 *   (a full disk), nothing was printed then.
 */
export async function inspect(
  pool: JobPool,
  fileOrDir: string,
  input: Omit<InspectInput, "path">,
  options: JobOptions = {},
): Promise<InspectOutput> {
  return pool.run(INSPECT, { ...input, path: databasePath(fileOrDir) }, options);
}

/** The job itself, on whatever thread. */
export async function inspectFile(
  input: InspectInput,
  progress: ProgressWriter = new ProgressWriter(),
): Promise<InspectOutput> {
  const { path, command, json } = input;
  const out = new Output(input.out);
  const show = new Show(input.show);
  const head = (reading: InspectReading): string =>
    json ? headJson(path, reading) : headText(path, reading);
  let faults = new Faults();
  try {
    const { reading } = await readInspected(path, (inspected) => {
      faults = new Faults();
      if (inspected.kind === "rootless")
        faults.add(inspected.error.what, inspected.error.offsetBytes);
      // Under a lock, or without a root, what was read stands; otherwise nobody knows before the end.
      if (inspected.kind === "rootless") out.letThrough(head({ mode: "rootless" }));
      else if (inspected.locked) out.letThrough(head({ mode: "locked" }));
      else out.hold();
      report({ path, out, json, show, faults, progress }, inspected, command);
      if (json) out.write(faultsJson(faults));
    });
    out.end(head(reading));
  } catch (error) {
    if (!(error instanceof OutputClosed)) throw error;
  } finally {
    out.close();
  }
  return { faultCount: faults.count, firstFault: faults.kept[0] };
}

function report(context: Context, inspected: Inspected, command: InspectCommand): void {
  if (command.name === "summary") inspectSummary(context, inspected);
  else if (command.name === "meta") inspectMeta(context, inspected);
  else if (command.name === "pages") inspectPages(context, inspected);
  else if (command.name === "page") inspectPage(context, inspected, command);
  else if (inspected.kind === "rootless") throw inspected.error;
  else if (command.name === "buckets") inspectBuckets(context, inspected);
  else if (command.name === "leases") inspectLeases(context, inspected, command);
  else if (command.name === "check") inspectCheck(context, inspected);
  else inspectKeys(context, inspected, command);
}

function headText(path: string, reading: InspectReading): string {
  return `file: ${path}\nread: ${shownReading(reading)}\n\n`;
}

/** How a file was read, in words. */
export function shownReading(reading: InspectReading): string {
  switch (reading.mode) {
    case "locked":
      return "under a shared lock";
    case "rootless":
      return "page by page: neither meta is valid, so there is no tree to follow";
    case "unlocked":
      return unlockedText(reading);
  }
}

function unlockedText({ attempts, why }: ReadingMode & { mode: "unlocked" }): string {
  return `without the lock (${why}), ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
}

/** The report's one object is left open for its fields; `faultsJson` closes it. */
function headJson(path: string, reading: InspectReading): string {
  return `{${jsonFields({ file: path, read: { ...reading } })}`;
}

function faultsJson({ count, kept }: Faults): string {
  if (count === 0) return "}\n";
  const [first] = kept;
  const fields = {
    error_count: count,
    first_error: first && { offset: first.offsetBytes, what: first.what },
  };
  return `,${jsonFields(fields)}}\n`;
}
