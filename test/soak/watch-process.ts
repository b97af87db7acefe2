/**
 * Sees every change, in a process of its own: no revision may be missed or come twice, each event must be what its key
 * was before and then this, and leased keys go in their time. Now and then it asks for what has just been once more, and
 * compares: `node watch-process.js <endpoint>`
 */
import { setTimeout as sleep } from "node:timers/promises";
import { crc32c } from "../../native-free/crc32c.ts";
import { EtcdError } from "../../src/base/errors.ts";
import { Client } from "../../src/client.ts";
import { Digest } from "./digest.ts";
import { LEASE_TTL, LEASED } from "./lane.ts";
import { leave, onOrder, report, reportError } from "./soak-process.ts";

const [endpoint = ""] = process.argv.slice(2);

/** Revisions that are remembered, to be compared when they are asked for again. */
const REMEMBERED = 20_000;
const REPLAY_EVERY_MS = 5000;
/** The server's clock is looked at in steps. */
const EARLY_S = 0.5;

interface Alive {
  readonly create: number;
  readonly version: number;
  readonly value: string;
}

type Event = {
  readonly type: "put" | "delete";
  readonly kv: {
    readonly key: { string(): string };
    readonly value: { string(): string };
    readonly modRevision: bigint;
    readonly createRevision: bigint;
    readonly version: bigint;
  };
};

const client = new Client({ endpoints: endpoint });
const alive = new Map<string, Alive>();
const digests = new Map<string, Digest>();
const crcs = new Map<number, number>();
let revision = 1;
let events = 0;
let replays = 0;
let overtaken = 0;
let latestExpiry = 0;
let stopAt = Number.POSITIVE_INFINITY;
const stopped = new AbortController();

function lineOf({ type, kv }: Event): string {
  return `${type} ${kv.key.string()} ${kv.value.string()}`;
}

function note({ type, kv }: Event): void {
  const main = Number(kv.modRevision);
  if (main !== revision && main !== revision + 1) {
    throw new Error(`revision ${main} comes after ${revision}`);
  }
  if (main === revision + 1) crcs.delete(main - REMEMBERED);
  revision = main;
  events++;
  crcs.set(main, crc32c(Buffer.from(lineOf({ type, kv })), crcs.get(main) ?? 0));
  const key = kv.key.string();
  const before = alive.get(key);
  if (type === "delete") {
    if (before === undefined) throw new Error(`${key} is deleted at ${main}, and was not there`);
    alive.delete(key);
    if (key.startsWith(LEASED)) mustBeInTime(key, before);
  } else {
    const { create, version } = before ?? { create: main, version: 0 };
    const found = { create: Number(kv.createRevision), version: Number(kv.version) };
    if (found.create !== create || found.version !== version + 1) {
      throw new Error(
        `${key} at ${main} is ${JSON.stringify(found)} after ${JSON.stringify(before)}`,
      );
    }
    const value = key.startsWith(LEASED) ? kv.value.string() : "";
    alive.set(key, { ...found, value });
  }
  if (key.startsWith(LEASED)) return;
  const prefix = key.slice(0, key.lastIndexOf("/") + 1);
  let digest = digests.get(prefix);
  if (digest === undefined) {
    digest = new Digest(prefix);
    digests.set(prefix, digest);
  }
  if (type === "delete") digest.delete(key, main);
  else digest.put(key, kv.value.string(), main);
}

/** What is seen late seems to have lived for longer, and never for less. */
function mustBeInTime(key: string, { value }: Alive): void {
  const lived = (Date.now() - Number(value)) / 1000;
  const [, kind] = key.split("/");
  if (kind === "revoked") return;
  const least = kind === "kept" ? LEASE_TTL + 1 : LEASE_TTL;
  if (lived < least - EARLY_S) throw new Error(`${key} has lived for ${lived.toFixed(1)} s`);
  if (kind === "expires") latestExpiry = Math.max(latestExpiry, lived - LEASE_TTL);
}

async function watch(): Promise<void> {
  const changes = client.watch({ prefix: "" }, { startRevision: 2, signal: stopped.signal });
  for await (const batch of changes) {
    for (const event of batch.events) note(event);
    if (revision >= stopAt) return;
  }
}

/** What has been seen is told again, the same. */
async function replay(): Promise<void> {
  for (;;) {
    await sleep(REPLAY_EVERY_MS, undefined, { signal: stopped.signal });
    const upTo = revision;
    const from = Math.max(2, upTo - 5000 - (replays % 3) * 4000);
    if (upTo < from) continue;
    let last = from - 1;
    let crc = 0;
    try {
      for await (const batch of client.watch(
        { prefix: "" },
        { startRevision: from, signal: stopped.signal },
      )) {
        for (const event of batch.events) {
          const main = Number(event.kv.modRevision);
          if (main !== last) {
            if (main !== last + 1) throw new Error(`replayed, ${main} comes after ${last}`);
            if (last >= from && last <= upTo && crc !== crcs.get(last)) {
              throw new Error(`replayed, revision ${last} is another`);
            }
            last = main;
            crc = 0;
          }
          crc = crc32c(Buffer.from(lineOf(event)), crc);
        }
        if (last > upTo) break;
        if (revision >= stopAt) return;
      }
      replays++;
    } catch (error) {
      if (!(error instanceof EtcdError) || error.code !== "COMPACTED") throw error;
      overtaken++;
    }
  }
}

const figures = () => ({ revision, events, replays, overtaken, latestExpiry });

onOrder((order) => {
  if (order.order !== "stop at") return;
  stopAt = order.revision;
  if (revision >= stopAt) stopped.abort();
});
const reporting = setInterval(() => report({ kind: "watch", ...figures() }), 1000);
try {
  const replaying = replay().catch((error: unknown) => {
    if (!stopped.signal.aborted) reportError(error);
  });
  await watch().catch((error: unknown) => {
    if (!stopped.signal.aborted) throw error;
  });
  stopped.abort();
  await replaying;
  const lanes = [...digests.values()].map(({ sum }) => sum);
  report({ kind: "watch over", ...figures(), lanes, keys: alive.size });
} catch (error) {
  reportError(error);
} finally {
  clearInterval(reporting);
  await client.close();
  leave();
}
