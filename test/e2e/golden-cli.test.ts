/**
 * The golden transcripts of the real etcdctl: the same outputs and exit codes from the real etcdctl against strata, and
 * from ours against strata and against a real etcd. `STRATA_CTL=ours|real` and `STRATA_JUDGED=strata|etcd` choose: the
 * real one against the real one judges the player. Whoever chooses, or sets `STRATA_FULL=1`, has a process for each run;
 * otherwise ours runs in this one where only its words and its exit code are looked at, which is most of the time.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import type { ClientKind } from "../support/etcdctl-command.ts";
import { DIFFERENCES } from "../support/etcdctl-differences.ts";
import { notYet } from "../support/not-yet.ts";
import { play } from "../support/replay.ts";
import type { ServerKind } from "../support/server-process.ts";
import type { Step } from "../support/transcript.ts";

const FOLDER = join(import.meta.dirname, "../golden/cli");
const TIMEOUT_MS = 300_000;
const { STRATA_CTL, STRATA_JUDGED, STRATA_FULL, STRATA_REPLAY_REPORT } = process.env;

/** They sleep most of the time: several at once, and the long ones first. */
const LONGEST = [
  "lease-expiry.json",
  "auth-flow.json",
  "endpoint-health.json",
  "endpoint-status.json",
  "watch-interactive.json",
  "tls.json",
  "watch-many.json",
  "watch-exec.json",
];

/**
 * Eleven commands have to run while a lease of two seconds lives: by themselves, and again where the machine was too
 * slow for that.
 */
const HURRIED: ReadonlySet<string> = new Set(["lease-errors.json"]);

/** Of what has one side of ours only, unless all are asked for: `.ci/run` asks for all. */
const SAMPLE: ReadonlySet<string> = new Set([
  "get-write-out.json",
  "member-errors.json",
  "seed-14-defrag.json",
  "watch-many.json",
]);

const isChosen = STRATA_CTL !== undefined || STRATA_JUDGED !== undefined;
const here = !isChosen && STRATA_FULL !== "1";

/** A real etcd takes its time with members: played as they were recorded, a process each. */
const UNHURRIED = "member-errors.json";

interface Game {
  readonly client: ClientKind;
  readonly server: ServerKind;
  readonly file: string;
}

const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .sort((a, b) => rank(a) - rank(b));

function rank(name: string): number {
  const at = LONGEST.indexOf(name);
  return at < 0 ? LONGEST.length : at;
}

function steps(file: string): readonly Step[] {
  return JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as readonly Step[];
}

function isWanted({ client, server, file }: Game): boolean {
  if (isChosen) {
    return client === (STRATA_CTL ?? "real") && server === (STRATA_JUDGED ?? "strata");
  }
  if (client === "real" && server === "etcd") return false;
  const isOurs = client === "ours" && server === "strata";
  return isOurs || STRATA_FULL === "1" || SAMPLE.has(file);
}

const games: readonly Game[] = files
  .flatMap((file) =>
    (["real", "ours"] as const).flatMap((client) =>
      (["strata", "etcd"] as const).map((server) => ({ client, server, file })),
    ),
  )
  .filter(isWanted);

describe("what is known to differ", () => {
  const shown = DIFFERENCES.flatMap(({ shows = {} }) => Object.keys(shows));

  test("is named by steps that there are", () => {
    const all = files.flatMap((file) => steps(file).map((_, i) => `${file} ${i}`));
    expect(files.length).toBe(50);
    expect(shown.filter((name) => !all.includes(name))).toEqual([]);
  });

  test("has what ours does wherever the real one broke down", () => {
    const broken = files.flatMap((file) =>
      steps(file).flatMap(({ bug }, i) => (bug === undefined ? [] : [`${file} ${i}`])),
    );
    expect(broken.length).toBeGreaterThan(0);
    expect(broken.filter((name) => !shown.includes(name))).toEqual([]);
  });
});

async function passes(game: Game): Promise<void> {
  const { file, client, server } = game;
  const played = await play(join(FOLDER, file), {
    ...game,
    here: here && file !== UNHURRIED,
  });
  if (STRATA_REPLAY_REPORT) {
    const line = `${file} ${played.steps} steps, ${Math.round(played.elapsedMs)} ms\n`;
    process.stderr.write(line);
  }
  const wanted = server === "etcd" ? [] : notYet(file, client);
  const unexpected = played.failures.filter(({ step }) => !wanted.includes(step));
  expect(unexpected).toEqual([]);
  // One that passes has to leave the list.
  expect(played.failures.map(({ step }) => step)).toEqual(wanted);
}

describeWithPeers("golden transcripts in a hurry", ["etcd", "etcdctl"], () => {
  test.for(games.filter(({ file }) => HURRIED.has(file)))(
    "$file, $client client, $server",
    { timeout: TIMEOUT_MS, retry: 3 },
    passes,
  );
});

describeWithPeers("golden transcripts", ["etcd", "etcdctl"], () => {
  test.concurrent.for(games.filter(({ file }) => !HURRIED.has(file)))(
    "$file, $client client, $server",
    { timeout: TIMEOUT_MS },
    passes,
  );
});
