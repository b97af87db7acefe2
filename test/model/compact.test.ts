import { expect, test } from "vitest";
import type { RandomAccessFile } from "../../native-free/file.ts";
import { backupBytes, backupPieces } from "../../src/pagefile/backup.ts";
import { compactTree } from "../../src/pagefile/compact.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { appendTo, expectSame, ModelBucket, SHAPES, workOn } from "../support/page-file-model.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { type Rng, rng } from "../support/rng.ts";

interface Filled {
  readonly disk: PowerCutDisk;
  readonly file: PageFile;
  readonly model: ModelBucket;
  readonly random: Rng;
}

function filled(seed: number, pageBytes: number, shape: number): Filled {
  const random = rng(seed);
  const disk = new PowerCutDisk();
  const file = PageFile.open(disk.openFile("db", "create"), { pageBytes });
  const model = new ModelBucket();
  for (let round = 0; round < 12; round++) {
    file.update((tx) => {
      workOn(tx, model, random, SHAPES[shape % SHAPES.length] as (typeof SHAPES)[number]);
      if (round === 6) appendTo(tx, model, random, 3000);
    });
  }
  return { disk, file, model, random };
}

function sinkTo(file: RandomAccessFile): (at: number, bytes: Uint8Array) => void {
  return (at, bytes) => file.write(at, bytes);
}

for (let seed = 1; seed <= 10; seed++) {
  const pageBytes = [1024, 4096, 65536][seed % 3] as number;
  const fillPercent = [0.5, 0.9, 1][seed % 3] as number;

  test(`a compacted copy holds the same, is clean, and goes on: seed ${seed}, page ${pageBytes}, fill ${fillPercent}`, () => {
    const { disk, file, model, random } = filled(seed, pageBytes, seed);
    const copy = disk.openFile("copy", "create");
    const dry = compactTree(file.walkSource(), file.meta, undefined, { fillPercent });
    const { meta, sourcePages } = compactTree(file.walkSource(), file.meta, sinkTo(copy), {
      fillPercent,
    });
    expect(dry.meta).toEqual(meta);
    expect(copy.size()).toBe(meta.pgid * pageBytes);
    expect(sourcePages).toBe(file.check().pagesInUse);

    const reopened = PageFile.open(copy);
    expect(reopened.space().freeBytes).toBe(0);
    expect(reopened.check().faults).toEqual([]);
    reopened.view((tx) => expectSame(tx, model, random));
    const draft = model.clone();
    reopened.update((tx) => workOn(tx, draft, random, SHAPES[1] as (typeof SHAPES)[number]));
    reopened.view((tx) => expectSame(tx, draft, random));
    expect(reopened.check().faults).toEqual([]);
  });

  test(`a hot backup holds its root while others commit: seed ${seed}, page ${pageBytes}`, () => {
    const { disk, file, model, random } = filled(seed + 100, pageBytes, seed);
    const pinned = file.beginRead();
    const before = model.clone();
    const copy = disk.openFile("backup", "create");
    let at = 0;
    for (const piece of backupPieces(file.walkSource(), pinned.meta)) {
      copy.write(at, piece);
      at += piece.length;
      file.update((tx) => workOn(tx, model, random, SHAPES[2] as (typeof SHAPES)[number]));
    }
    expect(at).toBe(backupBytes(pinned.meta));
    pinned.close();
    const reopened = PageFile.open(copy);
    expect(reopened.meta.txid).toBe(pinned.meta.txid);
    reopened.view((tx) => expectSame(tx, before, random));
    expect(reopened.check().faults).toEqual([]);
  });
}

test("either meta of a copy leads to the whole of it", () => {
  const { disk, file, model, random } = filled(77, 4096, 1);
  const copy = disk.openFile("copy", "create");
  compactTree(file.walkSource(), file.meta, sinkTo(copy));
  for (const page of [0, 1]) {
    const torn = disk.openFile(`torn-${page}`, "create");
    const bytes = new Uint8Array(copy.size());
    copy.read(0, bytes);
    bytes.fill(0xaa, page * 4096 + 16, page * 4096 + 80);
    torn.write(0, bytes);
    const reopened = PageFile.open(torn, { pageBytes: 4096 });
    reopened.view((tx) => expectSame(tx, model, random));
  }
});

test("an empty database stays one", () => {
  const disk = new PowerCutDisk();
  const file = PageFile.open(disk.openFile("db", "create"));
  const copy = disk.openFile("copy", "create");
  const { meta } = compactTree(file.walkSource(), file.meta, sinkTo(copy));
  expect(meta.pgid).toBe(3);
  const reopened = PageFile.open(copy);
  expect(reopened.check().faults).toEqual([]);
  reopened.view((tx) => expect([...tx.buckets()]).toEqual([]));
});
