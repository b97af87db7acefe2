/**
 * SIGKILL of a store that takes snapshots by itself, one after the other: what stands under a final name is whole, of the
 * revision that it says, and holds what was acknowledged by then; what is unfinished is gone soon after the next start.
 *
 *   npm test                                                                    twice
 *   STRATA_KILLS=100 npx vitest run test/crash/scheduled-snapshots-kill.test.ts   many; STRATA_SEED=7 for others
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { readSnapshotName } from "../../src/engine/snapshot-names.ts";
import { readStatus } from "../../src/jobs/snapshot-status-work.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { rng } from "../support/rng.ts";
import { StrataProcess } from "../support/strata-process.ts";

const rounds = Number(process.env.STRATA_KILLS ?? 2);
const seed = Number(process.env.STRATA_SEED ?? 1);

const VALUE = "x".repeat(20_000);

test(`SIGKILL ${rounds} times, seed ${seed}`, { timeout: 60_000 + rounds * 10_000 }, async () => {
  const random = rng(seed);
  const folder = scratchFolder("scheduled-kills");
  const dir = join(folder, "snapshots");
  mkdirSync(dir);
  let put = 0;
  let whole = 0;
  let unfinished = 0;
  for (let round = 1; round <= rounds; round++) {
    const left = readdirSync(dir).filter((name) => readSnapshotName(name) === undefined);
    unfinished += left.length;
    const snapshots = { dir, intervalMs: 1, keep: 3 };
    await using store = await StrataProcess.start(join(folder, "data"), { snapshots });
    const endMs = Date.now() + 150 + random.int(400);
    // Not before one was taken in this life: until then what the last one has left may be there.
    const before = readdirSync(dir).filter((name) => readSnapshotName(name) !== undefined);
    const isNew = (name: string): boolean =>
      readSnapshotName(name) !== undefined && !before.includes(name);
    while (Date.now() < endMs || !readdirSync(dir).some(isNew)) {
      const action = { kind: "put", key: `k${put++ % 100}`, value: `${put}${VALUE}` } as const;
      expect(await store.act(action)).toMatchObject({ kind: "done" });
      if (random.bool(0.1)) await sleep(random.int(5));
    }
    expect(left.filter((name) => existsSync(join(dir, name)))).toEqual([]);
    await store.end("kill");
    for (const name of readdirSync(dir)) {
      const said = readSnapshotName(name);
      if (said === undefined) {
        expect(name).toMatch(/\.db\.(new|part|new\.part)$/);
        continue;
      }
      whole++;
      const { revision } = await readStatus({ path: join(dir, name), liveKeys: false });
      expect([round, name, BigInt(revision)]).toEqual([round, name, said.revision]);
      expect(Number(revision)).toBeLessThanOrEqual(put + 1);
    }
  }
  expect(whole).toBeGreaterThanOrEqual(rounds);
  if (rounds > 20) expect(unfinished).toBeGreaterThan(0);
});
