import { scanBucket } from "../../src/pagefile/scan.ts";
import type { Measured } from "../../test/support/judge.ts";
import { mixDigest, showDigest } from "../../test/support/workload.ts";
import { keyBucket, openToRead, startClock, stopped } from "../support/measure.ts";
import type { Question } from "../support/question.ts";

function ours(path: string): Measured {
  using file = openToRead(path);
  let digest = 0;
  let ops = 0;
  const clock = startClock();
  file.view((tx) =>
    scanBucket(tx, keyBucket(tx), (bytes, keyOffset, keyBytes, valueOffset, valueBytes) => {
      const firstOfValue = valueBytes === 0 ? 0 : (bytes[valueOffset] as number);
      digest = mixDigest(digest, keyBytes, valueBytes, bytes[keyOffset] as number, firstOfValue);
      ops++;
    }),
  );
  return { ...stopped(ops, clock), digest: showDigest(digest) };
}

export const FULL_SCAN: Question = {
  name: "full-scan",
  about:
    "every key and value once, by the visitor; nothing in the page cache, the file in the system's",
  unit: "keys",
  start: "loaded",
  goal: 0.5,
  ours,
  theirs: (file) => ({ mode: "scan", file }),
};
