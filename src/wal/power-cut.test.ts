import { expect, test } from "vitest";
import type { DirectoryTree } from "../../native-free/file.ts";
import {
  PowerCutDisk,
  PowerCutError,
  type PowerCutOptions,
} from "../../test/support/power-cut-disk.ts";
import { type Rng, rng } from "../../test/support/rng.ts";
import { runWalLoad, WalModel } from "../../test/support/wal-workload.ts";
import { StrataError } from "../base/errors.ts";
import { encodeMetadata } from "./metadata.ts";
import { readLog } from "./reader.ts";
import { fixedSyncPolicy } from "./sync-policy.ts";
import { createWal, openWal, type Wal, type WalOptions } from "./wal.ts";
import { WalError } from "./wal-error.ts";
import { zeroFillInSteps } from "./zero-fill.ts";

const METADATA = encodeMetadata({ nodeId: 1n, clusterId: 2n });
const SHAPE = { steps: 8, dataBytesMax: 2000 };

interface Machine {
  readonly name: string;
  readonly options: WalOptions;
}

const MACHINES: readonly Machine[] = [
  {
    name: "segments of 4 KiB that grow with their records, synced here",
    options: { segmentBytes: 4096, stepBytes: 0, syncPolicy: fixedSyncPolicy("here") },
  },
  {
    name: "segments of 8 KiB that grow by 1 KiB of zeros, synced beside",
    options: { segmentBytes: 8192, stepBytes: 1024, syncPolicy: fixedSyncPolicy("beside") },
  },
  {
    name: "segments of 6 KiB that are zero-filled ahead, synced beside",
    options: {
      segmentBytes: 6144,
      stepBytes: 512,
      syncPolicy: fixedSyncPolicy("beside"),
      prepare: zeroFillInSteps,
    },
  },
  {
    name: "segments of 8 KiB, batches of 1 KiB and more written and synced beside",
    options: {
      segmentBytes: 8192,
      stepBytes: 512,
      syncPolicy: fixedSyncPolicy("beside"),
      writeBesideBytes: 1024,
    },
  },
];

/** Makes a log and loads it until the power goes out, or to the end. */
async function live(disk: PowerCutDisk, seed: number, options: WalOptions): Promise<WalModel> {
  const model = new WalModel();
  let wal: Wal | undefined;
  try {
    wal = createWal(disk, "wal", METADATA, options);
    for (let part = 0; part < 2; part++) {
      await runWalLoad(wal, model, rng(seed + part), SHAPE);
      await wal.close();
      wal = openWal(disk.folder("wal"), undefined, options).wal;
      model.ackedStates = model.states.length;
    }
    await wal.close();
  } catch (error) {
    mustBePowerCut(error);
    await wal?.close().catch(() => undefined);
  }
  return model;
}

function mustBePowerCut(error: unknown): void {
  const cause = error instanceof StrataError && error.code === "FAILED" ? error.cause : error;
  if (!(cause instanceof PowerCutError)) throw error;
}

/** What the next start finds, and that it goes on from there. */
async function mustRecover(
  disk: DirectoryTree,
  model: WalModel,
  chance: Rng,
  options: WalOptions,
): Promise<boolean> {
  if (!disk.exists("wal")) {
    expect(model.appended).toEqual([]);
    await createWal(disk, "wal", METADATA, options).close();
    return false;
  }
  const opened = openWal(disk.folder("wal"), undefined, { ...options, repair: true });
  const { contents } = opened;
  const count = model.find(contents.entries, contents.hardState);
  if (count === undefined) throw new Error("acknowledged entries are lost, or others are there");
  expect(contents.metadata).toEqual(METADATA);
  const after = new WalModel();
  Object.assign(after, { term: model.term + 1 });
  after.appended.push(...model.appended);
  after.states.push(...model.states);
  after.forgetBeyond(count, contents.hardState);
  await runWalLoad(opened.wal, after, chance, { steps: 2, dataBytesMax: 1000 });
  await opened.wal.close();
  const again = readLog(disk.folder("wal"), { index: 0, term: 0 }, "read");
  expect(after.find(again.entries, again.hardState)).toBe(after.appended.length);
  return opened.repaired !== undefined;
}

/** STRATA_FULL=1 for many lives, STRATA_SEEDS for those of some seeds. */
const SEEDS =
  process.env.STRATA_SEEDS?.split(",").map(Number) ??
  (process.env.STRATA_FULL === "1" ? Array.from({ length: 60 }, (_, i) => 10 * i) : [10, 20]);

for (const { name, options } of MACHINES) {
  test(`power cut at every event, ${name}: what was acknowledged is there, and nothing else`, {
    timeout: 900_000,
  }, async () => {
    let cuts = 0;
    let repairs = 0;
    for (const seed of SEEDS) {
      const calm = new PowerCutDisk();
      await live(calm, seed, options);
      for (let cutAt = 1; cutAt <= calm.events; cutAt++) {
        const on: PowerCutOptions = { cutAt, wholeSectors: true };
        const disk = new PowerCutDisk(on);
        const model = await live(disk, seed, options);
        for (const [i, survival] of (["keep", "lose", "torn", "torn", "torn"] as const).entries()) {
          const chance = rng(seed * 1000 + cutAt * 10 + i);
          try {
            if (await mustRecover(disk.reboot(chance, survival), model, chance, options)) repairs++;
          } catch (error) {
            throw new Error(
              `seed ${seed}, cut at ${cutAt}, ${survival} ${i}:\n${disk.describeLog()}`,
              { cause: error },
            );
          }
          cuts++;
        }
      }
    }
    expect(cuts).toBeGreaterThan(200);
    expect(repairs).toBeGreaterThan(5);
  });
}

test("power cut at every event of a recovery, and again until it succeeds", {
  timeout: 600_000,
}, async () => {
  const options = MACHINES[1]?.options ?? {};
  let recoveries = 0;
  for (let cutAt = 20; cutAt < 80; cutAt += 3) {
    const disk = new PowerCutDisk({ cutAt, wholeSectors: true });
    const model = await live(disk, 30, options);
    for (let recoveryCut = 1; ; recoveryCut++) {
      const chance = rng(cutAt * 100 + recoveryCut);
      const found = disk.reboot(rng(cutAt), "torn", { cutAt: recoveryCut, wholeSectors: true });
      recoveries++;
      try {
        const { wal } = openWal(found.folder("wal"), undefined, { ...options, repair: true });
        await wal.close();
      } catch (error) {
        mustBePowerCut(error);
      }
      const isCut = found.events >= recoveryCut;
      await mustRecover(found.reboot(chance, "torn"), model, chance, options);
      if (!isCut) break;
    }
  }
  expect(recoveries).toBeGreaterThan(40);
});

test("a write that ends in the middle of a sector is found, never taken for records", async () => {
  const options = MACHINES[1]?.options ?? {};
  const outcomes = { recovered: 0, refused: 0 };
  const calm = new PowerCutDisk();
  await live(calm, 40, options);
  for (let cutAt = 1; cutAt <= calm.events; cutAt++) {
    const disk = new PowerCutDisk({ cutAt });
    const model = await live(disk, 40, options);
    try {
      await mustRecover(disk.reboot(rng(cutAt), "keep"), model, rng(cutAt), options);
      outcomes.recovered++;
    } catch (error) {
      expect(error).toBeInstanceOf(WalError);
      expect(error).toMatchObject({ code: "CORRUPT" });
      outcomes.refused++;
    }
  }
  expect(outcomes.recovered).toBeGreaterThan(outcomes.refused);
});
