import { expect, test } from "vitest";
import { killDefrags } from "../support/defrag-kills.ts";

const rounds = Number(process.env.STRATA_KILLS ?? 10);
const seed = Number(process.env.STRATA_SEED ?? 1);

test(`SIGKILL at ${rounds} random moments of a defrag, seed ${seed}: the old file or the new one, and no litter`, async () => {
  const report = await killDefrags({ rounds, seed, revisions: 60_000 });
  console.info(report);
  expect(report.old + report.swapped).toBe(rounds);
}, 600_000);
