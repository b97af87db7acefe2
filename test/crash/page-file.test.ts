/**
 * The power is cut at every event of a page file's life in turn. Whatever was not synced is kept, lost or torn; the
 * next start must find the last acknowledged commit or the one in flight, whole, and go on from there.
 *
 *   npm test                                  every third event of short lives
 *   STRATA_EVERY=1 npx vitest run test/crash/page-file.test.ts   every event of the same lives
 *   npm run test:crash                        every event, more workloads, more torn outcomes
 *   STRATA_SEEDS=7 npm run test:crash         the workloads of seed 7 alone
 */
import { expect, test } from "vitest";
import type { PageFileOptions } from "../../src/pagefile/page-file.ts";
import { expectRecovery, live, Story, type Workload } from "../support/page-file-life.ts";
import { SHAPES } from "../support/page-file-model.ts";
import { PowerCutDisk, PowerCutError, type Survival } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

const full = process.env.STRATA_FULL === "1";
const seeds = process.env.STRATA_SEEDS?.split(",").map(Number) ?? (full ? [1, 2, 3, 4, 5, 6] : [1]);
const every = full || process.env.STRATA_EVERY === "1";
const tornSeeds = full ? 6 : 2;
const transactions = full ? 40 : 11;

const OPTIONS: readonly PageFileOptions[] = [
  { pageBytes: 4096, freelistSync: false },
  { pageBytes: 1024, freelistSync: true },
  { pageBytes: 1024, freelistSync: false },
  { pageBytes: 16_384, freelistSync: true },
];

/** Every outcome of a cut that is tried. */
const OUTCOMES: readonly { readonly survival: Survival; readonly chance: number }[] = [
  { survival: "keep", chance: 0 },
  { survival: "lose", chance: 0 },
  ...Array.from({ length: tornSeeds }, (_, i) => ({ survival: "torn", chance: i + 1 }) as const),
];

const workloads: Workload[] = [];
for (const seed of seeds) {
  for (const [index, shape] of SHAPES.entries()) {
    const options = OPTIONS[(seed + index) % OPTIONS.length] as PageFileOptions;
    workloads.push({ seed: seed * 10 + index, transactions, shape, options });
  }
}

/** Lives until the power goes out, if it does. */
function liveUntilCut(disk: PowerCutDisk, workload: Workload, story: Story): void {
  try {
    live(disk, workload, story);
  } catch (error) {
    if (!(error instanceof PowerCutError)) throw error;
  }
}

function expectEveryOutcome(
  disk: PowerCutDisk,
  workload: Workload,
  story: Story,
  at: string,
): number {
  for (const { survival, chance } of OUTCOMES) {
    const left = disk.reboot(rng(workload.seed * 31 + disk.events * 7 + chance), survival);
    try {
      expectRecovery(left, workload.options, story);
    } catch (error) {
      throw new Error(`${at}, ${survival} ${chance}`, { cause: error });
    }
  }
  return OUTCOMES.length;
}

function nameOf({ seed, options }: Workload): string {
  const list = options.freelistSync ? "stored" : "derived";
  return `workload ${seed}, page ${options.pageBytes}, list ${list}`;
}

test.each(workloads.map((workload) => ({ name: nameOf(workload), workload })))(
  `power cut at every ${every ? "" : "third "}event: $name`,
  { timeout: full ? 24 * 3_600_000 : 300_000 },
  ({ name, workload }) => {
    const calm = new PowerCutDisk();
    live(calm, workload, new Story());
    let outcomes = 0;
    let cuts = 0;
    const step = every ? 1 : 3;
    for (let cutAt = 1 + (workload.seed % step); cutAt <= calm.events; cutAt += step) {
      cuts++;
      const disk = new PowerCutDisk({ cutAt });
      const story = new Story();
      liveUntilCut(disk, workload, story);
      outcomes += expectEveryOutcome(disk, workload, story, `${name}, cut at ${cutAt}`);
    }
    expect(cuts).toBeGreaterThan(calm.events / step - 1);
    expect(outcomes).toBe(cuts * OUTCOMES.length);
    if (full) console.log(`${name}: ${calm.events} events, ${outcomes} outcomes`);
  },
);

class Killed extends Error {}

/** How many events after the next start the power may go out. */
const EVENTS_AFTER_KILL = 8;

test.each(workloads.map((workload) => ({ name: nameOf(workload), workload })))(
  "killed at an event, started again, and then the power goes out: $name",
  { timeout: full ? 24 * 3_600_000 : 300_000 },
  ({ name, workload }) => {
    const calm = new PowerCutDisk();
    live(calm, workload, new Story());
    let outcomes = 0;
    const step = full ? 4 : every ? 9 : 27;
    for (let killAt = 1 + (workload.seed % step); killAt <= calm.events; killAt += step) {
      for (let later = 0; later < EVENTS_AFTER_KILL; later++) {
        let killed = false;
        const disk: PowerCutDisk = new PowerCutDisk({
          cutAt: killAt + later,
          onEvent: ({ event }) => {
            if (killed || event !== killAt) return;
            killed = true;
            throw new Killed();
          },
        });
        const story = new Story();
        expect(() => live(disk, workload, story)).toThrow(Killed);
        liveUntilCut(disk, workload, story);
        outcomes += expectEveryOutcome(
          disk,
          workload,
          story,
          `${name}, killed at ${killAt}, cut ${later} later`,
        );
      }
    }
    expect(outcomes).toBeGreaterThan(calm.events * (OUTCOMES.length / step));
    if (full) console.log(`${name}: ${outcomes} outcomes after a kill`);
  },
);
