/**
 * The golden transcripts of the real etcdctl against strata: the same outputs and exit codes as against a real etcd.
 * `STRATA_JUDGED=etcd` plays them against a real etcd instead, which judges the player.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { NOT_YET } from "../support/not-yet.ts";
import { type Played, play } from "../support/replay.ts";
import { JUDGED } from "../support/server-process.ts";

const FOLDER = join(import.meta.dirname, "../golden/cli");

/** They sleep most of the time: the long ones first, and several at once. */
const AT_ONCE = 6;
const TIMEOUT_MS = 300_000;
const LONGEST = [
  "lease-expiry.json",
  "auth-flow.json",
  "watch-interactive.json",
  "err-global.json",
];

const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .sort((a, b) => rank(a) - rank(b));

function rank(name: string): number {
  const at = LONGEST.indexOf(name);
  return at < 0 ? LONGEST.length : at;
}

const plays = new Map<string, Promise<Played>>();

/** Begins them all, so many at a time. */
function begin(): void {
  const waiting: (() => void)[] = [];
  let running = 0;
  const next = (): void => {
    if (running < AT_ONCE) waiting.shift()?.();
  };
  for (const file of files) {
    const turn = new Promise<void>((resolve) => waiting.push(resolve));
    const played = turn.then(async () => {
      running++;
      next();
      try {
        return await play(join(FOLDER, file), JUDGED);
      } finally {
        running--;
        next();
      }
    });
    played.catch(() => undefined); // Its own test says so.
    plays.set(file, played);
  }
  next();
}

describeWithPeers(`golden transcripts against ${JUDGED}`, ["etcd", "etcdctl"], () => {
  test("there are transcripts", () => {
    expect(files.length).toBe(50);
    begin();
  });

  for (const file of files) {
    test(file, { timeout: TIMEOUT_MS }, async () => {
      const played = await plays.get(file);
      if (process.env.STRATA_REPLAY_REPORT) {
        process.stderr.write(
          `${file} ${played?.steps} steps, ${Math.round(played?.elapsedMs ?? 0)} ms\n`,
        );
      }
      const wanted = JUDGED === "etcd" ? [] : (NOT_YET[file] ?? []);
      const unexpected = played?.failures.filter(({ step }) => !wanted.includes(step));
      expect(unexpected).toEqual([]);
      // One that passes has to leave the list.
      expect(played?.failures.map(({ step }) => step)).toEqual(wanted);
    });
  }
});
