/** Lanes of load, in a process of their own: `node load-process.js <endpoint> <seed> <lanes> <operations/s> <keys>` */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../../src/client.ts";
import { rng } from "../support/rng.ts";
import { Lane } from "./lane.ts";
import { leave, onOrder, report, reportError } from "./soak-process.ts";

const [endpoint = "", seedText, lanesText, rateText, keysText] = process.argv.slice(2);
const seed = Number(seedText);
const laneCount = Number(lanesText);
const rate = Number(rateText);
const keys = Number(keysText);

const VALUE_BYTES_MAX = 1400;

const client = new Client({ endpoints: endpoint });
const lanes = Array.from(
  { length: laneCount },
  (_, i) =>
    new Lane(client, rng(seed * 1000 + i), {
      prefix: `p${seed}/l${i}/`,
      keys,
      valueBytesMax: VALUE_BYTES_MAX,
    }),
);
let isStopped = false;

/** At its rate; behind it, as fast as it goes. */
async function live(lane: Lane): Promise<void> {
  const everyMs = (1000 * laneCount) / rate;
  let dueMs = performance.now() + Math.random() * everyMs;
  while (!isStopped) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await sleep(waitMs);
    // What was missed in a long silence is not made up for.
    dueMs = Math.max(dueMs + everyMs, performance.now() - 1000);
    await lane.step();
  }
  await lane.settle();
}

let reported = 0;
function reportNow(): void {
  const operations = lanes.reduce((all, lane) => all + lane.operations, 0);
  const writeMs = lanes.flatMap((lane) => lane.takeWriteMs()).sort((a, b) => a - b);
  report({
    kind: "load",
    operations: operations - reported,
    p99Ms: writeMs[Math.floor(writeMs.length * 0.99)] ?? 0,
    maxMs: writeMs.at(-1) ?? 0,
  });
  reported = operations;
}

onOrder(() => {
  isStopped = true;
});
const reporting = setInterval(reportNow, 1000);
try {
  await Promise.all(lanes.map(live));
  clearInterval(reporting);
  reportNow();
  report({
    kind: "load over",
    lanes: lanes.map(({ digest }) => digest.sum),
    keys: lanes.reduce((all, lane) => all + lane.keys, 0),
  });
} catch (error) {
  reportError(error);
} finally {
  clearInterval(reporting);
  await client.close();
  leave();
}
