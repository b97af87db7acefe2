/**
 * What does a lease cost, in memory and in time? Leases of ten minutes, each with one key, as a million sessions would
 * have them.
 *
 *   npm run build && node dist/bench/lease.js              a smoke run
 *   npm run build && BENCH=full node dist/bench/lease.js   a million leases, the median of 3 rounds
 */
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { RowSink } from "../src/backend/row-sink.ts";
import type { Clock } from "../src/base/clock.ts";
import type { LeaseCheckpoint } from "../src/lease/checkpoints.ts";
import { Lessor } from "../src/lease/lessor.ts";

const TTL_SECONDS = 600;
const PASS_MS = 500;

export interface LeaseFigures {
  /** Nanoseconds a lease, or milliseconds a pass, by name. */
  readonly times: Readonly<Record<string, number>>;
  readonly bytesPerLease: number;
  readonly bytesPerLeaseWithKey: number;
  /** Of all the work; the same in every round. */
  readonly digest: number;
}

class BenchClock implements Clock {
  ms = 0;

  nowMs(): number {
    return this.ms;
  }

  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

/** Counts rows, and keeps none. */
class NoRows implements RowSink {
  digest = 0;

  putRow(_bucket: Uint8Array, key: Uint8Array, value: Uint8Array): void {
    this.digest = (Math.imul(this.digest, 31) + key.length + (value.at(-1) ?? 0)) >>> 0;
  }

  deleteRow(_bucket: Uint8Array, key: Uint8Array): void {
    this.digest = (Math.imul(this.digest, 31) + (key.at(-1) ?? 0)) >>> 0;
  }
}

export async function measureOnce(count: number): Promise<LeaseFigures> {
  const collect = collector();
  const clock = new BenchClock();
  const rows = new NoRows();
  const revoking: bigint[] = [];
  let checkpointed: LeaseCheckpoint[] = [];
  const lessor = new Lessor({
    clock,
    proposeRevoke: async (id) => {
      revoking.push(id);
    },
    proposeCheckpoint: async (checkpoints) => {
      checkpointed = checkpointed.concat(checkpoints);
    },
  });
  lessor.promote(0);
  const ids = Array.from({ length: count }, (_, i) => (BigInt(i) << 8n) + 0x1a15_0000_0000_0001n);
  const keys = ids.map((id) => `/registry/sessions/${id}`);
  const scattered = ids.map((_, i) => ids[(i * 7_368_787) % count] as bigint);
  const times: Record<string, number> = {};
  const each = (name: string, work: () => void): void => {
    const start = performance.now();
    work();
    times[name] = ((performance.now() - start) * 1e6) / count;
  };

  collect();
  const empty = heapBytes();
  each("grant, ns", () => {
    for (const id of ids) {
      lessor.applyGrant({ id, ttl: TTL_SECONDS }, rows);
      clock.ms += (TTL_SECONDS * 1000) / 10 / count;
    }
  });
  collect();
  const granted = heapBytes();
  each("attach a key, ns", () => {
    for (let i = 0; i < count; i++) lessor.attach(keys[i] as string, ids[i] as bigint);
  });
  collect();
  const attached = heapBytes();
  const renewals: Promise<number>[] = new Array(count);
  each("keepAlive, scattered, ns", () => {
    for (let i = 0; i < count; i++) renewals[i] = lessor.keepAlive(scattered[i] as bigint);
  });
  let digest = 0;
  for (const renewal of renewals) digest += await renewal;
  renewals.length = 0;

  // Nobody renews any more: every interval all are due, at as many a pass as the log is to bear.
  const passes: number[] = [];
  clock.ms += 5000;
  for (let pass = 0; pass < 40; pass++) {
    clock.ms += PASS_MS;
    passes.push(timed(() => lessor.pass()));
    await turn();
    lessor.applyCheckpoint(checkpointed, rows);
    checkpointed = [];
  }
  times["a pass with checkpoints, longest, ms"] = Math.max(...passes);
  times["a pass with checkpoints, median, ms"] = median(passes);
  times["final checkpoint of all, ms"] = timed(() => {
    digest += lessor.finalCheckpoint().length;
  });
  times["list of all, ms"] = timed(() => {
    digest += Number((lessor.leases()[0] ?? 0n) & 0xffn);
  });
  clock.ms += 2 * TTL_SECONDS * 1000;
  times["a pass with 500 expired, ms"] = timed(() => lessor.pass());
  each("revoke, ns", () => {
    for (const id of scattered) digest += lessor.applyRevoke(id, rows).length;
  });
  digest = (digest + rows.digest + revoking.length) >>> 0;
  const per = (bytes: number): number => bytes / count;
  return {
    times,
    bytesPerLease: per(granted - empty),
    bytesPerLeaseWithKey: per(attached - empty),
    digest,
  };
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** What forces a full collection; the flag works at run time too. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  // Twice: what the first one finds dead may hold tables that only the second one frees.
  return () => {
    gc();
    gc();
  };
}

function heapBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Figure by figure the median over the rounds. @throws Error if two rounds did not do the same work */
export async function measureLeases(count: number, rounds: number): Promise<LeaseFigures> {
  const all: LeaseFigures[] = [];
  for (let round = 0; round < rounds; round++) all.push(await measureOnce(count));
  const first = all[0];
  if (first === undefined) throw new Error("there is no figure without a round");
  if (all.some(({ digest }) => digest !== first.digest)) throw new Error("the rounds differ");
  const names = Object.keys(first.times);
  return {
    times: Object.fromEntries(
      names.map((name) => [name, median(all.map(({ times }) => times[name] as number))]),
    ),
    bytesPerLease: median(all.map(({ bytesPerLease }) => bytesPerLease)),
    bytesPerLeaseWithKey: median(all.map(({ bytesPerLeaseWithKey }) => bytesPerLeaseWithKey)),
    digest: first.digest,
  };
}

async function main(): Promise<void> {
  const full = process.env.BENCH === "full";
  const count = full ? 1_000_000 : 2000;
  const { times, bytesPerLease, bytesPerLeaseWithKey, digest } = await measureLeases(
    count,
    full ? 3 : 1,
  );
  for (const [name, value] of Object.entries(times)) console.log(`${name}: ${value.toFixed(2)}`);
  console.log(`bytes a lease: ${bytesPerLease.toFixed(0)}`);
  console.log(
    `bytes a lease with a key, besides the key itself: ${bytesPerLeaseWithKey.toFixed(0)}`,
  );
  console.log({ node: process.version, leases: count, digest });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
