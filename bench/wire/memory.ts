/**
 * How much memory has the server that holds a million keys of 256 bytes, after they were put over the wire and after it
 * was started again; beside etcd?
 *
 *     node dist/bench/wire/memory.js [--smoke] [--keys N] [--rounds N] [--json FILE]
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { encodeTxn } from "../../src/proto/kv-requests.ts";
import type { PutRequest } from "../../src/proto/messages.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { alternate, type Entry, isAnswered, mebibytes, sayMissing } from "../store/alternate.ts";
import { residentBytes } from "../store/resident.ts";
import { keyOf, valuesOf } from "../store/workload.ts";
import { describeMachine } from "../support/machine.ts";
import { spread } from "../support/report.ts";
import { framed, VALUE_BYTES } from "./frames.ts";
import { RawClient } from "./raw-client.ts";
import { ETCD, revisionOf, type ServerKind, STRATA } from "./server-process.ts";

const PUTS_PER_TXN = 100;
const IN_FLIGHT = 8;
const SETTLE_MS = 3000;

export interface MemoryFigure {
  readonly fillSeconds: number;
  readonly filledBytes: number;
  readonly filledPeakBytes: number;
  readonly startedBytes: number;
  readonly startedPeakBytes: number;
}

/** @throws Error if not all keys were put */
export async function fill(port: number, keys: number): Promise<void> {
  const client = await RawClient.open(port);
  const value = valuesOf(VALUE_BYTES);
  let next = 0;
  const putAll = async (): Promise<void> => {
    while (next < keys) {
      const first = next;
      next = Math.min(keys, first + PUTS_PER_TXN);
      const success: PutRequest[] = [];
      for (let i = first; i < next; i++) {
        const flags = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
        success.push({ kind: "put", key: Buffer.from(keyOf(i)), value: value(i), ...flags });
      }
      const body = framed(encodeTxn({ kind: "txn", compare: [], success, failure: [] }));
      await new Promise<void>((ended) => {
        client.call("/etcdserverpb.KV/Txn", body, true, { message: () => undefined, ended });
      });
      if (client.failure !== undefined) throw new Error(client.failure);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, putAll));
  client.close();
}

export async function measureMemory(
  kind: ServerKind,
  folder: string,
  keys: number,
  settleMs: number,
): Promise<MemoryFigure> {
  const dataDir = join(folder, kind.name);
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, settleMs));
  try {
    const filled = await kind.start(dataDir);
    const startMs = performance.now();
    await fill(filled.port, keys);
    const fillSeconds = (performance.now() - startMs) / 1000;
    const revision = await revisionOf(filled.url);
    if (revision !== Math.ceil(keys / PUTS_PER_TXN) + 1) throw new Error(`revision ${revision}`);
    await settled();
    const filledBytes = residentBytes(filled.pid, "VmRSS");
    const filledPeakBytes = residentBytes(filled.pid, "VmHWM");
    await filled.stop();
    const started = await kind.start(dataDir);
    if ((await revisionOf(started.url)) !== revision) throw new Error("revisions were lost");
    await settled();
    const startedBytes = residentBytes(started.pid, "VmRSS");
    const startedPeakBytes = residentBytes(started.pid, "VmHWM");
    await started.stop();
    return { fillSeconds, filledBytes, filledPeakBytes, startedBytes, startedPeakBytes };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export function memoryEntries(
  folder: string,
  keys: number,
  settleMs: number,
): Entry<MemoryFigure>[] {
  return [STRATA, ETCD].map((kind) => ({
    name: kind.name,
    ...(!kind.peer.found && { missing: kind.peer.why }),
    run: () => measureMemory(kind, folder, keys, settleMs),
  }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      keys: { type: "string" },
      rounds: { type: "string" },
      json: { type: "string" },
    },
  });
  const keys = Number(values.keys ?? (values.smoke ? 2000 : 1_000_000));
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 3));
  const folder = scratchFolder("bench-memory");
  console.log(describeMachine(folder), { keys });
  const entries = memoryEntries(folder, keys, values.smoke ? 0 : SETTLE_MS);
  const answers = await alternate(entries, rounds, (line) => console.error(line));
  console.table(
    answers.filter(isAnswered).map(({ name, rounds: figures }) => {
      const of = (value: (one: MemoryFigure) => number): string =>
        mebibytes(spread(figures.map(value)).median);
      return {
        name,
        "fill, s": spread(figures.map((one) => one.fillSeconds)).median.toFixed(1),
        filled: of((one) => one.filledBytes),
        "peak of that": of((one) => one.filledPeakBytes),
        started: of((one) => one.startedBytes),
        "its peak": of((one) => one.startedPeakBytes),
      };
    }),
  );
  sayMissing(answers);
  if (values.json !== undefined) {
    const report = { at: new Date().toISOString(), keys, answers };
    writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
