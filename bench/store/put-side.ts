/**
 * Durable puts of a number of callers who each wait for their last one: who is asked, and, as a program, the answer of
 * one of them: `put-side.js --side QUESTION`.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SystemFile } from "../../native-free/file.ts";
import { judgeBench, type Measured } from "../../test/support/judge.ts";
import { peer } from "../../test/support/peers.ts";
import { ContentDigest } from "../../test/support/workload.ts";
import { startClock, stopped } from "../support/measure.ts";
import { type Entry, SIDE } from "./alternate.ts";
import { loadPeer } from "./peers.ts";
import { LEVEL, LMDB, LMDB_FLUSHED, putAll, SQLITE, STRATA, type StoreKind } from "./stores.ts";
import { keyOf, quantile, valuesOf } from "./workload.ts";

/** Unless told otherwise. */
const VALUE_BYTES = 256;
/** A key, and what a log has around it and its value. */
const AROUND_BYTES = 44;
const PIECE_BYTES = 1024 * 1024;
export const STORES: readonly StoreKind[] = [STRATA, LMDB, LMDB_FLUSHED, LEVEL, SQLITE];
export const LIMIT = "fdatasync";
const BBOLT = "bbolt";

export const CALLERS: readonly number[] = [1, 10, 100, 1000];

/** Puts of a round, by callers: about a second of the fastest. */
const PUTS: Readonly<Record<number, number>> = { 1: 5000, 10: 20_000, 100: 60_000, 1000: 150_000 };
/** Before the clock, as a part of those: an engine that is compiled while it runs is measured when it has been. */
const WARM_PART = 0.5;
const PUTS_MIN = 5;

export interface PutQuestion {
  readonly subject: string;
  /** Empty, and on the disk that is measured. */
  readonly folder: string;
  readonly callers: number;
  readonly puts: number;
  readonly warmPuts: number;
  /**
   * Between those and the clock: a log of strata's makes its next segment then, of 64 MB, which is work for 190,000
   * puts to come, and not for the few that one caller makes.
   */
  readonly settleMs: number;
  readonly valueBytes: number;
}

export interface PutFigure extends Measured {
  readonly p50Us: number;
  readonly p99Us: number;
}

/** @param scale  1: about a second of the fastest */
export function putsOf(callers: number, scale: number): number {
  return Math.max(Math.round((PUTS[callers] ?? 200 * callers) * scale), PUTS_MIN);
}

/** @param ask  puts the question to a subject in a process of its own */
export function putEntries(
  plan: {
    readonly callers: number;
    readonly puts: number;
    readonly settleMs: number;
    readonly valueBytes?: number;
  },
  folder: string,
  ask: (question: PutQuestion) => Promise<PutFigure>,
): Entry<PutFigure>[] {
  const { callers, puts, settleMs, valueBytes = VALUE_BYTES } = plan;
  const warmPuts = Math.round(puts * WARM_PART);
  const entry = (subject: string, why: string | undefined): Entry<PutFigure> => ({
    name: subject,
    ...(why !== undefined && { missing: why }),
    run: async () => {
      const own = join(folder, "puts");
      try {
        return await ask({ subject, folder: own, callers, puts, warmPuts, settleMs, valueBytes });
      } finally {
        rmSync(own, { recursive: true, force: true });
        rmSync(`${own}.limit`, { force: true });
        rmSync(`${own}.db`, { force: true });
      }
    },
  });
  const stores = STORES.map(({ name, package: needed }) => entry(name, needed && whyNot(needed)));
  const go = peer("go-bbolt");
  const bbolt = entry(BBOLT, go.found ? undefined : go.why);
  return [...(callers === 1 ? [entry(LIMIT, undefined)] : []), ...stores, bbolt];
}

function whyNot(needed: NonNullable<StoreKind["package"]>): string | undefined {
  const loaded = loadPeer(needed);
  return loaded.found ? undefined : loaded.why;
}

export async function answerPuts(question: PutQuestion): Promise<PutFigure> {
  const { subject, folder, callers, puts, warmPuts, settleMs, valueBytes } = question;
  if (subject === LIMIT) {
    return measureLimit(`${folder}.limit`, puts, AROUND_BYTES + valueBytes);
  }
  if (subject === BBOLT) {
    const [n, file] = [puts, `${folder}.db`];
    const measured = judgeBench({ mode: "put", file, n, callers, warmPuts, valueBytes });
    return { ...measured, p50Us: measured.p50Us ?? 0, p99Us: measured.p99Us ?? 0 };
  }
  const kind = STORES.find(({ name }) => name === subject);
  if (kind === undefined) throw new Error(`there is no subject ${subject}`);
  const value = valuesOf(valueBytes);
  const store = await kind.open(folder, callers);
  const took = new Float64Array(puts);
  const total = warmPuts + puts;
  await putAll(store, value, { from: 0, to: warmPuts, callers });
  await setTimeout(settleMs);
  const clock = startClock();
  await putAll(store, value, { from: warmPuts, to: total, callers }, took);
  const measured = stopped(puts, clock);
  const digest = new ContentDigest();
  for (let i = 0; i < total; i++) {
    const found = await store.get(keyOf(i));
    if (found !== undefined) digest.add(Buffer.from(keyOf(i)), found);
  }
  await store.close();
  return { ...measured, digest: digest.end(), ...latencies(took) };
}

/** One record appended to a zero-filled file, and fdatasync, again and again: the loop of one caller. */
function measureLimit(path: string, records: number, recordBytes: number): PutFigure {
  const file = new SystemFile(path, "create");
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < records * recordBytes; at += PIECE_BYTES) file.write(at, piece);
  file.sync();
  const record = new Uint8Array(recordBytes).fill(1);
  const took = new Float64Array(records);
  const clock = startClock();
  for (let i = 0; i < records; i++) {
    const start = performance.now();
    file.write(i * recordBytes, record);
    file.sync();
    took[i] = performance.now() - start;
  }
  const measured = stopped(records, clock);
  file.close();
  return { ...measured, digest: "", ...latencies(took) };
}

function latencies(tookMs: Float64Array): Pick<PutFigure, "p50Us" | "p99Us"> {
  const sorted = tookMs.toSorted();
  return { p50Us: quantile(sorted, 0.5) * 1000, p99Us: quantile(sorted, 0.99) * 1000 };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [first, question = ""] = process.argv.slice(2);
  if (first !== SIDE) throw new Error(`the first argument is ${SIDE}`);
  process.stdout.write(JSON.stringify(await answerPuts(JSON.parse(question) as PutQuestion)));
}
