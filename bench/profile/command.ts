/** The command: one question's side of strata is run under the profiler, and what is found is left and told. */
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "../../test/support/cleanup.ts";
import type { SuiteQuestion } from "../suite/question.ts";
import { UsageError } from "../suite/usage-error.ts";
import { selfTimes } from "./cpu-profile.ts";
import { flameGraph } from "./flame-graph.ts";
import { type ProfileOptions, parseOptions } from "./options.ts";
import { type ProcessProfile, runProfiled } from "./processes.ts";
import { nameOf, whereOf } from "./source-lines.ts";

export interface ProfileWorld {
  readonly questions: readonly SuiteQuestion[];
  /** Is given the question's name and the size's label, and runs strata's side of it. */
  readonly program: string;
  readonly write: (text: string) => unknown;
  readonly complain: (text: string) => unknown;
}

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** Threads that are kept, the busiest; and the part of all work below which one is not worth a file. */
const KEPT = 8;
const LEAST_PART = 0.01;
const TOP_FUNCTIONS = 15;

/** @returns the exit code: 0, 1 if the question failed or left no profile, 2 for arguments that are of no use */
export async function profileCommand(
  args: readonly string[],
  world: ProfileWorld,
): Promise<number> {
  try {
    const options = parseOptions(args, world.questions, world.write);
    return options === undefined ? 0 : await profile(options, world);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    world.complain(`profile: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

async function profile(
  { question, size, smoke, folder }: ProfileOptions,
  { program, write, complain }: ProfileWorld,
): Promise<number> {
  emptied(folder);
  const args = [program, question.name, size.label, ...(smoke ? ["smoke"] : [])];
  const { code, profiles, lost } = await runProfiled(args, scratchFolder("cpu-profiles"));
  for (const name of lost) complain(`profile: killed, and left no profile: ${name}\n`);
  if (code !== 0) {
    complain(`profile: ${question.name} failed with exit code ${code}\n`);
    return EXIT_FAILED;
  }
  const busyMs = profiles.reduce((sum, each) => sum + each.busyMs, 0);
  const kept = profiles.slice(0, KEPT).filter((each) => each.busyMs >= busyMs * LEAST_PART);
  const [heaviest] = kept;
  if (heaviest === undefined) {
    complain(`profile: ${question.name} left no profile\n`);
    return EXIT_FAILED;
  }
  for (const [i, each] of kept.entries()) {
    const base = join(folder, `${i + 1}-${each.short}`);
    copyFileSync(each.path, `${base}.cpuprofile`);
    writeFileSync(
      `${base}.svg`,
      flameGraph(each.tree, `${question.name}, ${size.label}`, each.name),
    );
    write(
      `${i + 1}. ${each.busyMs.toFixed(0)} ms busy: ${each.name}\n   ${base}.cpuprofile\n   ${base}.svg\n`,
    );
  }
  const rest = profiles.length - kept.length;
  if (rest > 0) write(`and ${rest} more that did next to nothing\n`);
  write(`\nSelf time in 1. ${heaviest.name}\n${topFunctions(heaviest)}`);
  return 0;
}

function topFunctions({ tree }: ProcessProfile): string {
  return selfTimes(tree)
    .slice(0, TOP_FUNCTIONS)
    .map(({ frame, selfUs }) => {
      const part = `${((100 * selfUs) / tree.totalUs).toFixed(1)} %`;
      const ms = `${(selfUs / 1000).toFixed(0)} ms`;
      return `${part.padStart(7)} ${ms.padStart(9)}  ${nameOf(frame)}  ${whereOf(frame)}`.trimEnd();
    })
    .join("\n")
    .concat("\n");
}

const OURS = /^\d+-.*\.(?:cpuprofile|svg)$/;

/** Without what an earlier run has left. @throws UsageError if it cannot be written to */
function emptied(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) if (OURS.test(name)) rmSync(join(folder, name));
  } catch (error) {
    throw new UsageError(`--out: ${error instanceof Error ? error.message : error}`);
  }
}
