/**
 * HashKV while writes and compactions go on, against a list of everything that was ever written: whatever the moment, it
 * is the hash of exactly the history up to its revision, less what the compaction that it names has given up.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { crc32c } from "../../native-free/crc32c.ts";
import { encodeRevision } from "../../src/backend/revision.ts";
import { EtcdError } from "../../src/base/errors.ts";
import { op, Strata, type StrataPlace } from "../../src/index.ts";
import { keyValueBytesMax, putKeyValue, putTombstone } from "../../src/proto/key-value.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { type Rng, rng } from "../support/rng.ts";

interface Row {
  readonly main: number;
  readonly sub: number;
  readonly key: string;
  readonly tombstone: boolean;
  readonly bytes: Uint8Array;
}

/** Every record there ever was. */
class History {
  readonly rows: Row[] = [];
  readonly #live = new Map<string, { create: number; version: number }>();

  put(main: number, sub: number, key: string, value: string): void {
    const before = this.#live.get(key);
    const kv = { create: before?.create ?? main, version: (before?.version ?? 0) + 1 };
    this.#live.set(key, kv);
    const [keyBytes, valueBytes] = [Buffer.from(key), Buffer.from(value)];
    const bytes = new Uint8Array(keyValueBytesMax(keyBytes.length, valueBytes.length));
    const { create, version } = kv;
    const end = putKeyValue(bytes, 0, keyBytes, create, main, version, valueBytes, 0n);
    this.#add({ main, sub, key, tombstone: false }, bytes.subarray(0, end));
  }

  /** @returns whether the key was there */
  delete(main: number, sub: number, key: string): boolean {
    if (!this.#live.delete(key)) return false;
    const keyBytes = Buffer.from(key);
    const bytes = new Uint8Array(keyValueBytesMax(keyBytes.length, 0));
    const end = putTombstone(bytes, 0, keyBytes);
    this.#add({ main, sub, key, tombstone: true }, bytes.subarray(0, end));
    return true;
  }

  get liveKeys(): string[] {
    return [...this.#live.keys()].sort();
  }

  /** As etcd ≥ 3.5.16 has it, once its compaction is done. */
  hash(revision: number, compacted: number): number {
    const kept = this.#keptAt(revision);
    const left = this.#keptAt(compacted);
    let crc = crc32c(Buffer.from("key"));
    for (const row of this.rows) {
      if (row.main > revision) break;
      if (row.main <= compacted && !(kept.size > 0 ? kept : left).has(row)) continue;
      crc = crc32c(encodeRevision(row.main, row.sub, row.tombstone), crc);
      crc = crc32c(row.bytes, crc);
    }
    return crc;
  }

  #keptAt(revision: number): Set<Row> {
    const last = new Map<string, Row>();
    for (const row of this.rows) if (row.main <= revision) last.set(row.key, row);
    return new Set([...last.values()].filter(({ tombstone }) => !tombstone));
  }

  #add(row: Omit<Row, "bytes">, bytes: Uint8Array): void {
    this.rows.push({ ...row, bytes });
  }
}

/** One random change of the store, and of the list. */
async function change(store: Strata, history: History, random: Rng): Promise<void> {
  const key = `k${random.int(30)}`;
  const value = "v".repeat(random.int(random.bool(1 / 20) ? 6000 : 60));
  const chosen = random.int(16);
  if (chosen < 8) {
    history.put(Number((await store.put(key, value)).revision), 0, key, value);
  } else if (chosen < 12) {
    const { revision, deleted } = await store.delete(key);
    expect(deleted).toBe(history.delete(Number(revision), 0, key) ? 1 : 0);
  } else if (chosen < 13) {
    const { revision } = await store.delete({ prefix: "k" });
    for (const [sub, each] of history.liveKeys.entries())
      history.delete(Number(revision), sub, each);
  } else {
    const others = [`k${random.int(15)}`, `k${15 + random.int(15)}`];
    const { revision } = await store.txn({ success: others.map((each) => op.put(each, value)) });
    for (const [sub, each] of others.entries()) history.put(Number(revision), sub, each, value);
  }
}

async function live(place: StrataPlace, seed: number, changes: number): Promise<void> {
  const random = rng(seed);
  const history = new History();
  await using store = await Strata.open(place, { compactionBatchLimit: 20, batchIntervalMs: 5 });
  const running: Promise<unknown>[] = [];
  const seen = { hashes: 0, compacted: 0 };
  for (let i = 0; i < changes; i++) {
    await change(store, history, random);
    const { revision, compactedRevision } = store.status();
    if (random.bool(1 / 40)) {
      const at = revision - BigInt(random.int(20));
      if (at > compactedRevision && at > 0n) running.push(store.compact(at, { physical: true }));
    }
    if (!random.bool(1 / 4)) continue;
    const asked = random.bool(1 / 3) ? 0n : revision - BigInt(random.int(30));
    if (asked < 0n) continue;
    const job = store.hashKv(asked).then(
      ({ hash, revision: of, compactRevision }) => {
        seen.hashes++;
        if (compactRevision > 0n) seen.compacted++;
        if (asked > 0n) expect(of).toBe(asked);
        const expected = history.hash(Number(of), Number(compactRevision));
        expect({ of, compactRevision, hash }).toEqual({ of, compactRevision, hash: expected });
      },
      (error: unknown) => {
        expect(error).toBeInstanceOf(EtcdError);
        expect(error).toMatchObject({ code: "COMPACTED" });
        expect(store.status().compactedRevision).toBeGreaterThan(asked);
      },
    );
    running.push(job);
    if (random.bool(1 / 3)) await job;
  }
  await Promise.all(running);
  expect(seen.hashes).toBeGreaterThan(changes / 20);
  expect(seen.compacted).toBeGreaterThan(changes / 50);
  expect(store.status().readers).toEqual([]);
}

test.each([1, 2, 3, 4])("in memory, seed %d", async (seed) => {
  await live({ memory: true }, seed, 600);
});

test.each([5, 6])("in a directory, seed %d", async (seed) => {
  await live({ dir: scratchFolder("hash-kv") }, seed, 250);
});

/** In the last commit. */
function recordsOf(store: Strata): number {
  let records = 0;
  store.member.backend.scan(0, () => {
    records++;
    return true;
  });
  return records;
}

test("where no key is left, it does not matter how far the compaction has come", async () => {
  await using store = await Strata.open({ memory: true }, { compactionBatchLimit: 1 });
  const history = new History();
  for (let i = 0; i < 50; i++) history.put(2 + i, 0, "a", `${i}`);
  for (let i = 0; i < 50; i++) await store.put("a", `${i}`);
  await store.delete("a");
  history.delete(52, 0, "a");
  await store.compact(40);
  const early = await store.hashKv();
  expect(recordsOf(store)).toBeGreaterThan(20);
  while (recordsOf(store) > 13) await sleep(5);
  expect(early).toEqual({ hash: history.hash(52, 40), revision: 52n, compactRevision: 40n });
  expect(await store.hashKv()).toEqual(early);
});
