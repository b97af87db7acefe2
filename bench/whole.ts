/**
 * Whole commands against the real tools, in alternating rounds on the same database.
 *
 *     node dist/bench/whole.js [--smoke | --revisions N] [--rounds N] [--only REGEX] [--json FILE]
 *
 * The database has N revisions of 300-byte values, and is made by our page file. Files are made in the system's folder
 * for temporary ones: set TMPDIR to measure another disk.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { scratchFolder } from "../test/support/cleanup.ts";
import { describeMachine } from "./support/machine.ts";
import { type Spread, spread } from "./support/report.ts";
import { makeRevisions } from "./support/revisions.ts";
import type { Ran } from "./whole/process.ts";
import { WHOLE_QUESTIONS, type WholeQuestion } from "./whole/questions.ts";

interface Summary {
  readonly name: string;
  readonly about: string;
  readonly peer: string;
  /** Seconds. */
  readonly ours: Spread;
  readonly theirs: Spread | undefined;
  /** Their time by ours, pair by pair. */
  readonly ratio: Spread | undefined;
  readonly goal: number | undefined;
  readonly oursPeakRssBytes: number;
  readonly theirsPeakRssBytes: number | undefined;
}

async function ask(
  question: WholeQuestion,
  database: string,
  folder: string,
  rounds: number,
): Promise<Summary> {
  const withPeer = question.hasPeer();
  if (!withPeer)
    console.log(`${question.name}: ${question.peerName} is missing, ours alone is measured`);
  const ours: Ran[] = [];
  const theirs: Ran[] = [];
  for (let round = 0; round <= rounds; round++) {
    console.error(`${question.name} ${round}/${rounds}`);
    const mine = await question.ours(database, folder);
    const other = withPeer ? await question.theirs(database, folder) : undefined;
    if (
      other !== undefined &&
      question.same &&
      question.same(mine.stdout) !== question.same(other.stdout)
    ) {
      throw new Error(`${question.name}: different answers: ${mine.stdout} and ${other.stdout}`);
    }
    // The first round warms the caches of both.
    if (round === 0 && rounds > 1) continue;
    ours.push(mine);
    if (other !== undefined) theirs.push(other);
  }
  const pairs = ours.flatMap((mine, i) => {
    const other = theirs[i];
    return other === undefined ? [] : [other.seconds / mine.seconds];
  });
  return {
    name: question.name,
    about: question.about,
    peer: question.peerName,
    ours: spread(ours.map(({ seconds }) => seconds)),
    theirs: withPeer ? spread(theirs.map(({ seconds }) => seconds)) : undefined,
    ratio: withPeer ? spread(pairs) : undefined,
    goal: question.goal,
    oursPeakRssBytes: spread(ours.map(({ peakRssBytes }) => peakRssBytes)).max,
    theirsPeakRssBytes: withPeer
      ? spread(theirs.map(({ peakRssBytes }) => peakRssBytes)).max
      : undefined,
  };
}

function shown({ median, min, max }: Spread, unit: string): string {
  return `${median.toFixed(2)}${unit} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? "" : `${Math.round(bytes / 2 ** 20)} MiB`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      revisions: { type: "string" },
      rounds: { type: "string" },
      only: { type: "string", default: "" },
      json: { type: "string" },
    },
  });
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5));
  const revisions = Number(values.revisions ?? (values.smoke ? 3000 : 1_000_000));
  if (!(Number.isInteger(rounds) && rounds > 0 && Number.isInteger(revisions) && revisions > 0)) {
    throw new Error("--rounds and --revisions are whole numbers from 1 on");
  }
  const only = new RegExp(values.only);
  const folder = scratchFolder("bench");
  const machine = describeMachine(folder);
  console.log(machine);
  const database = join(folder, "db");
  makeRevisions(database, revisions);
  const summaries: Summary[] = [];
  for (const question of WHOLE_QUESTIONS.filter(({ name }) => only.test(name))) {
    summaries.push(await ask(question, database, folder, rounds));
  }
  console.table(
    summaries.map((each) => ({
      command: each.name,
      ours: shown(each.ours, " s"),
      peer: each.peer,
      theirs: each.theirs === undefined ? "missing" : shown(each.theirs, " s"),
      "times faster": each.ratio === undefined ? "" : shown(each.ratio, "×"),
      goal: each.goal ?? "",
      "our peak": mebibytes(each.oursPeakRssBytes),
      "their peak": mebibytes(each.theirsPeakRssBytes),
    })),
  );
  for (const { name, about } of summaries) console.log(`${name}: ${about}`);
  if (values.json !== undefined) {
    const report = { at: new Date().toISOString(), machine, revisions, summaries };
    writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
}

await main();
