import type { Measured } from "../../test/support/judge.ts";
import { setRevision } from "../../test/support/workload.ts";
import {
  allValues,
  contentDigest,
  KEY_BUCKET,
  keyBucket,
  newKey,
  openToWrite,
  startClock,
  stopped,
  valueAt,
} from "../support/measure.ts";
import type { Question, Size } from "../support/question.ts";

const TX_PUTS = 10_000;
const FILL_PERCENT = 0.9;

function ours(path: string, { revisions, valueBytes }: Size): Measured {
  using file = openToWrite(path);
  file.update((tx) => tx.createBucket(KEY_BUCKET));
  const values = allValues(valueBytes);
  const key = newKey();
  const clock = startClock();
  for (let put = 0; put < revisions; ) {
    const tx = file.beginWrite();
    const bucket = keyBucket(tx);
    bucket.fillPercent = FILL_PERCENT;
    for (let i = 0; i < TX_PUTS && put < revisions; i++) {
      put++;
      setRevision(key.view, 0, put, 0);
      bucket.put(key.bytes, valueAt(values, put));
    }
    tx.commit();
  }
  return { ...stopped(revisions, clock), digest: contentDigest(file) };
}

export const BULK_LOAD: Question = {
  name: "bulk-load",
  about: "revisions in order into an empty file, 10,000 to a transaction, durable, cache of 64 MiB",
  unit: "puts",
  start: "empty",
  goal: 2,
  ours,
  theirs: (file, { revisions, valueBytes }) => ({
    mode: "fill",
    file,
    n: revisions,
    txSize: TX_PUTS,
    valueBytes,
    fillPercent: FILL_PERCENT,
  }),
};
