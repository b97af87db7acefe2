import { statSync } from "node:fs";
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
/** Times the file's size: room for what is written beside what was there. */
const WHOLE = 1.5;

function ours(path: string, puts: number, txPuts: number, size: Size, whole: boolean): Measured {
  using file = openToWrite(path, whole ? { cacheBytes: statSync(path).size * WHOLE } : {});
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
  whole: boolean,
): Question {
  const by = txPuts === 1 ? "one" : txPuts.toLocaleString("en");
  return {
    name,
    about: `puts at random places of the loaded file, ${by} to a transaction, durable, cache ${whole ? "for the whole file, as bbolt's mapping" : "of 64 MiB"}`,
    unit: "puts",
    start: "copy",
    ...(goal !== undefined && { goal }),
    ours: (file, size) => ours(file, putsOf(size), txPuts, size, whole),
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
  randomPuts("random-10000", 10_000, (size) => size.putsBy10000, 1, true),
  randomPuts("random-10000-64MiB", 10_000, (size) => size.putsBy10000, 1, false),
  randomPuts("random-100", 100, (size) => size.putsBy100, 1, true),
  randomPuts("random-100-64MiB", 100, (size) => size.putsBy100, 1, false),
  randomPuts("random-1", 1, (size) => size.putsBy1, undefined, true),
];
