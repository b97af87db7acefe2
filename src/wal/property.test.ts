/** Random batches on a real disk, read again from every snapshot, and continued. */
import { expect, test } from "vitest";
import { SystemDirectory } from "../../native-free/file.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { rng } from "../../test/support/rng.ts";
import { describeEntries, runWalLoad, WalModel } from "../../test/support/wal-workload.ts";
import { encodeMetadata } from "./metadata.ts";
import { readLog, validSnapshots } from "./reader.ts";
import { segmentsOf } from "./segment-name.ts";
import { createWal, openWal } from "./wal.ts";
import { zeroFillInSteps } from "./zero-fill.ts";

const seeds = process.env.STRATA_SEEDS?.split(",").map(Number) ?? [1, 2, 3];
const METADATA = encodeMetadata({ nodeId: 1n, clusterId: 2n });

for (const seed of seeds) {
  test.each([
    { segmentBytes: 4096, stepBytes: 0 },
    { segmentBytes: 10_000, stepBytes: 4096 },
    { segmentBytes: 65_536, stepBytes: 1024, prepare: zeroFillInSteps },
    { segmentBytes: 1_000_000 },
  ])(
    `seed ${seed}, segments of $segmentBytes bytes: what was appended is read, from every snapshot on`,
    async (options) => {
      const parent = new SystemDirectory(scratchFolder("wal"));
      const model = new WalModel();
      const chance = rng(seed);
      let wal = createWal(parent, "wal", METADATA, options);
      const { directory } = wal;
      for (let life = 0; life < 4; life++) {
        await runWalLoad(wal, model, chance, { steps: 15, dataBytesMax: 3000 });
        expect(wal.lastIndex).toBe(model.lastIndex);
        await wal.close();

        const whole = model.entriesAfter(model.appended.length);
        const snapshots = validSnapshots(directory);
        for (const { index, term } of snapshots) {
          const { entries, metadata, end } = readLog(directory, { index, term }, "read");
          expect(describeEntries(entries)).toBe(describeEntries(whole.slice(index)));
          expect(metadata).toEqual(METADATA);
          expect([end.torn, end.garbageOffsetBytes]).toEqual([undefined, undefined]);
        }
        const { index, term } = chance.pick(snapshots);
        const opened = openWal(directory, { index, term }, options);
        expect(opened.contents.hardState).toEqual(model.states.at(-1));
        expect(opened.contents.entries).toHaveLength(whole.length - index);
        wal = opened.wal;
      }
      await wal.close();
      const { length } = segmentsOf(directory.list());
      expect(length > 5).toBe(options.segmentBytes <= 10_000);
    },
  );
}
