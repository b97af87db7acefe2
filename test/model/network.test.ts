/**
 * Many clients of one server, which is killed in the middle and started again: what they were answered is linearizable
 * key by key and as a whole, and what watchers were told is all of it, once, in order and in whole.
 *
 * STRATA_SEEDS=1,2 STRATA_ROUNDS=20: these seeds, with so many kills each.
 */
import { describe, expect, test } from "vitest";
import { loadNetwork } from "../support/network-load.ts";
import { JUDGED } from "../support/server-process.ts";

const seeds = process.env.STRATA_SEEDS?.split(",").map(Number) ?? [1];
const kills = Number(process.env.STRATA_ROUNDS ?? 3);

describe(`many clients of ${JUDGED}, and kills`, () => {
  test.each(seeds)("seed %i", { timeout: 60_000 + kills * 20_000 }, async (seed) => {
    const report = await loadNetwork({ kind: JUDGED, seed, kills, clients: 12, keys: 8 });
    if (process.env.STRATA_ROUNDS) process.stderr.write(`${JSON.stringify(report)}\n`);
    expect(report.kills).toBe(kills);
    expect(report.answered).toBeGreaterThan(20 * kills);
    expect(report.resumed).toBeGreaterThan(0);
    expect(report.bookmarks).toBeGreaterThan(0);
  });
});
