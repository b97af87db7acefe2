/**
 * Whoever looks after a server from outside, in a process of its own: takes snapshots, slowly every third time, and asks
 * for the hash of the same revision twice: `node audit-process.js <endpoint> <seconds between>`
 */
import { setTimeout as sleep } from "node:timers/promises";
import { EtcdError } from "../../src/base/errors.ts";
import { Client } from "../../src/client.ts";
import { leave, onOrder, report, reportError } from "./soak-process.ts";

const [endpoint = "", everyText] = process.argv.slice(2);
const everyMs = Number(everyText) * 1000;

const client = new Client({ endpoints: endpoint });
let snapshots = 0;
let snapshotBytes = 0;
let hashes = 0;
const stopped = new AbortController();
onOrder(() => stopped.abort());

/** Its checksum is looked at by the client. */
async function takeSnapshot(): Promise<void> {
  const isSlow = snapshots % 3 === 2;
  let bytes = 0;
  for await (const piece of await client.snapshot()) {
    bytes += piece.length;
    if (isSlow && !stopped.signal.aborted) await sleep(piece.length / 20_000);
  }
  if (bytes < 10_000) throw new Error(`a snapshot of ${bytes} bytes`);
  snapshots++;
  snapshotBytes = bytes;
}

async function hashTwice(): Promise<void> {
  try {
    const first = await client.hashKv();
    const again = await client.hashKv(first.revision);
    if (first.compactRevision !== again.compactRevision) return;
    if (first.hash !== again.hash) throw new Error(`two hashes of revision ${first.revision}`);
    hashes++;
  } catch (error) {
    if (!(error instanceof EtcdError) || error.code !== "COMPACTED") throw error;
  }
}

try {
  while (!stopped.signal.aborted) {
    await sleep(everyMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    await takeSnapshot();
    await hashTwice();
    report({ kind: "audit", snapshots, snapshotBytes, hashes });
  }
} catch (error) {
  reportError(error);
} finally {
  await client.close();
  leave();
}
