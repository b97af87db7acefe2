import { statSync } from "node:fs";
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

function ours(path: string, { revisions, gets }: Size): Measured {
  using file = openToRead(path, { cacheBytes: statSync(path).size * 1.1 });
  const next = xorshift32(SEED);
  const key = newKey();
  let digest = 0;
  const clock = startClock();
  file.view((tx) => {
    const bucket = keyBucket(tx);
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
  });
  return { ...stopped(gets, clock), digest: showDigest(digest) };
}

export const RANDOM_GET: Question = {
  name: "random-get",
  about:
    "values of random keys in one transaction, page cache empty at first and sized to hold the file",
  unit: "gets",
  start: "loaded",
  goal: 1,
  ours,
  theirs: (file, { revisions, gets }) => ({
    mode: "get",
    file,
    n: gets,
    keySpace: revisions,
    seed: SEED,
  }),
};
