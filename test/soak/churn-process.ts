/**
 * Large values that come and go, in a process of their own, so that there is something to reclaim:
 * `node churn-process.js <endpoint> <MiB> <seconds from one time to the next>`
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../../src/client.ts";
import { Digest } from "./digest.ts";
import { leave, onOrder, report, reportError } from "./soak-process.ts";

const [endpoint = "", mibText, everyText] = process.argv.slice(2);
const everyMs = Number(everyText) * 1000;

const PREFIX = "churn/";
const VALUE_BYTES = 512 * 1024;
const count = Math.max(1, Math.round((Number(mibText) * 1024 * 1024) / VALUE_BYTES));

const client = new Client({ endpoints: endpoint });
const digest = new Digest(PREFIX);
const stopped = new AbortController();
onOrder(() => stopped.abort());

function keyOf(i: number): string {
  return `${PREFIX}${String(i).padStart(6, "0")}`;
}

async function comeAndGo(round: number): Promise<void> {
  const keys = Array.from({ length: count }, (_, i) => keyOf(i));
  for (const key of keys) {
    const value = `${round}:${key}:`.padEnd(VALUE_BYTES, "churn ");
    const { revision } = await client.put(key, value);
    digest.put(key, value, Number(revision));
    const found = await client.get(key);
    if (found?.value.string() !== value) throw new Error(`${key} is not what was put`);
    await sleep(50, undefined, { signal: stopped.signal }).catch(() => undefined);
  }
  const { deleted, revision } = await client.delete({ prefix: PREFIX });
  if (deleted !== count) throw new Error(`${deleted} of ${count} large values were there`);
  for (const key of keys) digest.delete(key, Number(revision));
  report({ kind: "load", operations: count * 2 + 1, p99Ms: 0, maxMs: 0 });
}

try {
  for (let round = 1; !stopped.signal.aborted; round++) {
    await comeAndGo(round);
    await sleep(everyMs, undefined, { signal: stopped.signal }).catch(() => undefined);
  }
  report({ kind: "load over", lanes: [digest.sum], keys: 0 });
} catch (error) {
  reportError(error);
} finally {
  await client.close();
  leave();
}
