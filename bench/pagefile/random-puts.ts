import type { Measured } from "../../test/support/judge.ts";
import { SUB_SPACE, setRevision, xorshift32 } from "../../test/support/workload.ts";
import {
  allValues,
  contentDigest,
  keyBucket,
  newKey,
  openToWrite,
  startClock,
  stopped,
  valueAt,
} from "../support/measure.ts";
import type { Question, Size } from "../support/question.ts";

const FILL_PERCENT = 0.9;
const SEED = 12_345;

function ours(path: string, puts: number, txPuts: number, size: Size): Measured {
  using file = openToWrite(path);
  const values = allValues(size.valueBytes);
  const next = xorshift32(SEED);
  const key = newKey();
  const clock = startClock();
  for (let put = 0; put < puts; ) {
    const tx = file.beginWrite();
    const bucket = keyBucket(tx);
    bucket.fillPercent = FILL_PERCENT;
    for (let i = 0; i < txPuts && put < puts; i++) {
      const main = 1 + (next() % size.revisions);
      setRevision(key.view, 0, main, next() % SUB_SPACE);
      bucket.put(key.bytes, valueAt(values, put));
      put++;
    }
    tx.commit();
  }
  return { ...stopped(puts, clock), digest: contentDigest(file) };
}

function randomPuts(
  name: string,
  txPuts: number,
  putsOf: (size: Size) => number,
  goal: number | undefined,
): Question {
  const by = txPuts === 1 ? "one" : txPuts.toLocaleString("en");
  return {
    name,
    about: `puts at random places of the loaded file, ${by} to a transaction, durable, cache of 64 MiB`,
    unit: "puts",
    start: "copy",
    ...(goal !== undefined && { goal }),
    ours: (file, size) => ours(file, putsOf(size), txPuts, size),
    theirs: (file, size) => ({
      mode: "random",
      file,
      n: putsOf(size),
      txSize: txPuts,
      keySpace: size.revisions,
      seed: SEED,
      valueBytes: size.valueBytes,
      fillPercent: FILL_PERCENT,
    }),
  };
}

export const RANDOM_PUTS: readonly Question[] = [
  randomPuts("random-10000", 10_000, (size) => size.putsBy10000, 1),
  randomPuts("random-100", 100, (size) => size.putsBy100, 1),
  randomPuts("random-1", 1, (size) => size.putsBy1, undefined),
];
