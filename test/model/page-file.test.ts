import { expect, test } from "vitest";
import { PageFile, type PageFileOptions } from "../../src/pagefile/page-file.ts";
import type { ReadTx } from "../../src/pagefile/tx.ts";
import { appendTo, expectSame, ModelBucket, SHAPES, workOn } from "../support/page-file-model.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

const seeds = process.env.STRATA_SEEDS
  ? process.env.STRATA_SEEDS.split(",").map(Number)
  : [1, 2, 3];
const rounds = Number(process.env.STRATA_ROUNDS ?? 40);

for (const seed of seeds) {
  for (const [index, shape] of SHAPES.entries()) {
    const pageBytes = [4096, 1024, 4096, 1024, 65536][(seed + index) % 5] as number;
    const freelistSync = (seed + index) % 2 === 0;
    test(`random transactions agree with a map: seed ${seed}, shape ${index}, page ${pageBytes}, list ${freelistSync ? "stored" : "derived"}`, () => {
      const random = rng(seed * 1000 + index);
      const disk = new PowerCutDisk();
      const options: PageFileOptions = { pageBytes, freelistSync, cacheBytes: 256 * 1024 };
      let file = PageFile.open(disk.openFile("db", "create"), options);
      let model = new ModelBucket();
      const readers: { tx: ReadTx; model: ModelBucket }[] = [];
      for (let round = 0; round < rounds; round++) {
        const tx = file.beginWrite();
        const draft = model.clone();
        workOn(tx, draft, random, shape);
        if (random.int(10) === 0) appendTo(tx, draft, random, random.int(2000));
        if (random.int(8) === 0) expectSame(tx, draft, random);
        if (random.int(6) === 0) {
          tx.rollback();
        } else {
          tx.commit();
          model = draft;
        }
        if (random.int(4) === 0) readers.push({ tx: file.beginRead(), model: model.clone() });
        if (readers.length > 3 || random.int(10) === 0) {
          const gone = readers.splice(random.int(Math.max(readers.length, 1)), 1)[0];
          if (gone !== undefined) {
            expectSame(gone.tx, gone.model, random);
            gone.tx.close();
          }
        }
        if (random.int(12) === 0) {
          expect(file.check().faults).toEqual([]);
          file.view((view) => expectSame(view, model, random));
        }
        if (random.int(20) === 0) {
          for (const reader of readers.splice(0)) {
            expectSame(reader.tx, reader.model, random);
            reader.tx.close();
          }
          file.close();
          file = PageFile.open(disk.openFile("db", "create"), options);
        }
      }
      for (const reader of readers) expectSame(reader.tx, reader.model, random);
      const { faults, pagesInUse, pagesFree } = file.check();
      expect(faults).toEqual([]);
      expect(pagesInUse + pagesFree).toBe(file.meta.pgid);
      file.view((view) => expectSame(view, model, random));
      file.close();
    });
  }
}
