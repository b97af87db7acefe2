/**
 * Strata and real bbolt write the same files in turn, random transactions each. After every turn the other one finds
 * the file clean and the content exactly what a model holds; an independent reader in Python looks at the structure.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { SystemFile } from "../../native-free/file.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import {
  type ApplyOptions,
  type BucketContent,
  decode,
  judgeApply,
  judgeCheck,
  judgeDump,
} from "../support/judge.ts";
import { contentOf, difference } from "../support/page-file-content.ts";
import { appendTo, ModelBucket, SHAPES, workOn } from "../support/page-file-model.ts";
import { scriptOf } from "../support/recording-tx.ts";
import { rng } from "../support/rng.ts";

const full = process.env.STRATA_FULL === "1";
const seeds =
  process.env.STRATA_SEEDS?.split(",").map(Number) ?? (full ? [1, 2, 3, 4, 5, 6, 7, 8] : [1, 2]);
const turns = full ? 6 : 4;
const transactionsPerTurn = full ? 10 : 5;
const PAGE_SIZES = [4096, 1024, 16_384, 2048, 65_536];

/** Of another shape at every seed. */
function pageSizeOf(seed: number): number {
  return PAGE_SIZES[(seed + Math.floor(seed / 100)) % PAGE_SIZES.length] as number;
}

function modelOf(dump: readonly BucketContent[]): ModelBucket {
  const root = new ModelBucket();
  for (const { path, sequence, keys } of dump) {
    let parent = root;
    const names = path.map((name) => Buffer.from(name, "hex").toString("latin1"));
    const last = names.pop() ?? "";
    for (const name of names) parent = parent.entries.get(name) as ModelBucket;
    const bucket = new ModelBucket();
    bucket.sequence = BigInt(sequence);
    for (const [key, value] of keys) {
      bucket.entries.set(Buffer.from(key, "hex").toString("latin1"), Buffer.from(value, "hex"));
    }
    parent.entries.set(last, bucket);
  }
  return root;
}

function strataWrites(path: string, model: ModelBucket, seed: number, turn: number): void {
  const random = rng(seed * 1000 + turn);
  const shape = SHAPES[seed % SHAPES.length] as (typeof SHAPES)[number];
  const file = PageFile.open(new SystemFile(path, "create"), {
    pageBytes: pageSizeOf(seed),
    freelistSync: random.bool(),
    noSync: true,
  });
  for (let i = 0; i < transactionsPerTurn; i++) {
    file.update((tx) => {
      workOn(tx, model, random, shape);
      if (random.int(3) === 0) appendTo(tx, model, random, random.int(400));
    });
  }
  file.close();
}

function bboltWrites(path: string, model: ModelBucket, seed: number, turn: number): void {
  const random = rng(seed * 1000 + 500 + turn);
  const shape = SHAPES[seed % SHAPES.length] as (typeof SHAPES)[number];
  const options: ApplyOptions = {
    pageSize: pageSizeOf(seed),
    noFreelistSync: random.bool(),
    freelistType: random.bool() ? "array" : "hashmap",
    fillPercent: random.pick([0.5, 0.9]),
    noSync: true,
  };
  const script = Array.from({ length: transactionsPerTurn }, () => scriptOf(model, random, shape));
  judgeApply(path, script.flat(), options);
}

function bboltAgrees(path: string, model: ModelBucket): void {
  expect(judgeCheck(path)).toEqual({ ok: true, errors: [] });
  expect(difference(modelOf(judgeDump(path)), model)).toBeUndefined();
}

function strataAgrees(path: string, model: ModelBucket): void {
  const file = PageFile.open(new SystemFile(path, "read"), { readOnly: true });
  expect(file.check().faults).toEqual([]);
  expect(file.view((tx) => difference(contentOf(tx), model))).toBeUndefined();
  file.close();
}

const cases = seeds.flatMap((seed) => SHAPES.map((_, index) => seed * 100 + index));

describeWithPeers("strata and bbolt in turn", ["go-bbolt", "python3"], () => {
  test.each(cases)("agree on a file that both write: seed %i", { timeout: 600_000 }, (seed) => {
    const path = join(scratchFolder("judges"), "db");
    const model = new ModelBucket();
    const bboltFirst = (seed >> 1) % 2 === 0;
    for (let turn = 0; turn < turns; turn++) {
      const ours = (turn % 2 === 0) !== bboltFirst;
      if (ours) strataWrites(path, model, seed, turn);
      else bboltWrites(path, model, seed, turn);
      bboltAgrees(path, model);
      strataAgrees(path, model);
      if (turn === turns - 1) {
        expect(decode("check", path)).toContain("OK");
      }
    }
  });
});
