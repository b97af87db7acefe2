import { statSync } from "node:fs";
import type { ReadTx } from "../../src/pagefile/tx.ts";
import type { Measured } from "../../test/support/judge.ts";
import {
  mixDigest,
  REVISION_BYTES,
  setRevision,
  showDigest,
  xorshift32,
} from "../../test/support/workload.ts";
import { keyBucket, newKey, openToRead, startClock, stopped } from "../support/measure.ts";
import type { Question, Size } from "../support/question.ts";

const SEED = 54_321;

function ours(path: string, { revisions, gets }: Size, warm: boolean): Measured {
  using file = openToRead(path, { cacheBytes: statSync(path).size * 1.1 });
  const key = newKey();
  let digest = 0;
  const getAll = (tx: ReadTx): void => {
    const next = xorshift32(SEED);
    const bucket = keyBucket(tx);
    digest = 0;
    for (let i = 0; i < gets; i++) {
      setRevision(key.view, 0, 1 + (next() % revisions), 0);
      const value = bucket.get(key.bytes);
      if (value === undefined) continue;
      digest = mixDigest(
        digest,
        REVISION_BYTES,
        value.length,
        key.bytes[0] as number,
        value[0] ?? 0,
      );
    }
  };
  if (warm) file.view(getAll);
  const clock = startClock();
  file.view(getAll);
  return { ...stopped(gets, clock), digest: showDigest(digest) };
}

function randomGet(name: string, memory: string, warm: boolean): Question {
  return {
    name,
    about: `values of random keys in one transaction, ${memory}; the page cache may hold the file`,
    unit: "gets",
    start: "loaded",
    goal: 1,
    ours: (file, size) => ours(file, size, warm),
    theirs: (file, { revisions, gets }) => ({
      mode: "get",
      file,
      n: gets,
      keySpace: revisions,
      seed: SEED,
      warm,
    }),
  };
}

export const RANDOM_GET: readonly Question[] = [
  randomGet("random-get-cold", "our page cache and bbolt's mapping untouched before", false),
  randomGet("random-get", "after the same gets once on both sides", true),
];
