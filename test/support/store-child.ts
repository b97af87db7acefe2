/**
 * A process with a store, to be killed: performs a script of operations, many at a time, and notes each answer when it
 * has it. Says `opening`, `open`, `done` and `closed` on stdout. SIGTERM makes it stop and close.
 *
 *   node store-child.js <job.json>
 */
import { openSync, readFileSync, writeSync } from "node:fs";
import { Strata, type StrataOptions } from "../../src/index.ts";
import { type StoreOp, tryPerform } from "./store-ops.ts";

export interface StoreJob {
  readonly dir: string;
  readonly options: StrataOptions;
  readonly script: readonly StoreOp[];
  /** How many operations are under way at once. */
  readonly lanes: number;
  /** Where answers go: a line of JSON each, an `Ack`, with `atMs` of the system's clock, or `{ id, refused: true }`. */
  readonly answers: string;
}

const STDOUT = 1;
const job = JSON.parse(readFileSync(process.argv[2] as string, "utf8")) as StoreJob;
const answers = openSync(job.answers, "a");

writeSync(STDOUT, "opening\n");
const store = await Strata.open({ dir: job.dir }, job.options);
let stopped = false;
process.once("SIGTERM", () => {
  stopped = true;
});
writeSync(STDOUT, "open\n");

const rest = job.script.values();
async function lane(): Promise<void> {
  for (const op of rest) {
    if (stopped) return;
    const ack = await tryPerform(store, op);
    const answer = ack === undefined ? { id: op.id, refused: true } : { ...ack, atMs: Date.now() };
    writeSync(answers, `${JSON.stringify(answer)}\n`);
  }
}
await Promise.all(Array.from({ length: job.lanes }, lane));
writeSync(STDOUT, "done\n");
while (!stopped) await new Promise((resolve) => setTimeout(resolve, 10));
await store.close();
writeSync(STDOUT, "closed\n");
