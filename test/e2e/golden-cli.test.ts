/**
 * The golden transcripts of the real etcdctl: the same outputs and exit codes from the real etcdctl against strata, and
 * from ours against both servers. `STRATA_CTL=ours|real` and `STRATA_JUDGED=strata|etcd` choose one pair; the real
 * client against the real server judges the player.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { NOT_YET } from "../support/not-yet.ts";
import { type ClientKind, play } from "../support/replay.ts";
import { JUDGED } from "../support/server-process.ts";

const FOLDER = join(import.meta.dirname, "../golden/cli");
const CLIENT: ClientKind = process.env.STRATA_CTL === "ours" ? "ours" : "real";
const TIMEOUT_MS = 300_000;

/** They sleep most of the time: several at once, and the long ones first. */
const LONGEST = [
  "lease-expiry.json",
  "endpoint-health.json",
  "endpoint-status.json",
  "watch-interactive.json",
  "tls.json",
  "auth-flow.json",
  "watch-many.json",
  "watch-exec.json",
];

const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .sort((a, b) => rank(a) - rank(b));

function rank(name: string): number {
  const at = LONGEST.indexOf(name);
  return at < 0 ? LONGEST.length : at;
}

describeWithPeers(
  `golden transcripts, ${CLIENT} etcdctl against ${JUDGED}`,
  ["etcd", "etcdctl"],
  () => {
    test("there are transcripts", () => {
      expect(files.length).toBe(50);
    });

    test.concurrent.for(files)("%s", { timeout: TIMEOUT_MS }, async (file) => {
      const played = await play(join(FOLDER, file), { client: CLIENT, server: JUDGED });
      if (process.env.STRATA_REPLAY_REPORT) {
        const line = `${file} ${played.steps} steps, ${Math.round(played.elapsedMs)} ms\n`;
        process.stderr.write(line);
      }
      const wanted = JUDGED === "etcd" ? [] : (NOT_YET[file] ?? []);
      const unexpected = played.failures.filter(({ step }) => !wanted.includes(step));
      expect(unexpected).toEqual([]);
      // One that passes has to leave the list.
      expect(played.failures.map(({ step }) => step)).toEqual(wanted);
    });
  },
);
