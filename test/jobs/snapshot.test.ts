/** Snapshots: whole, of one moment, as slowly as they are taken, and gone when nobody wants them any more. */
import { createHash } from "node:crypto";
import {
  createWriteStream,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { Strata, type StrataPlace } from "../../src/index.ts";
import { JobPool } from "../../src/jobs/pool.ts";
import type { Progress } from "../../src/jobs/progress.ts";
import { snapshotStatus } from "../../src/jobs/snapshot-status.ts";
import { scratchFolder } from "../support/cleanup.ts";

const pool = new JobPool();
afterAll(() => pool.close());

const PLACES: readonly (readonly [string, () => StrataPlace])[] = [
  ["memory", (): StrataPlace => ({ memory: true })],
  ["a directory", (): StrataPlace => ({ dir: scratchFolder("snapshot") })],
];

/** Some megabytes. */
async function filled(place: StrataPlace): Promise<Strata> {
  const store = await Strata.open(place, { batchIntervalMs: 10 });
  const value = "x".repeat(20_000);
  for (let i = 0; i < 300; i++) await store.put(`key-${i}`, `${i}${value}`);
  return store;
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

function expectSound(bytes: Buffer): void {
  const database = bytes.subarray(0, -32);
  expect(database.length % 512).toBe(0);
  expect(createHash("sha256").update(database).digest().equals(bytes.subarray(-32))).toBe(true);
}

describe.each(PLACES)("of a store in %s", (_, place) => {
  test("is the moment of the call, however slowly it is taken and whatever is written", async () => {
    await using store = await filled(place());
    const { hash } = await store.hashKv();
    const snapshot = await store.snapshot();
    expect(snapshot.revision).toBe(301n);
    expect(store.status().readers).toMatchObject([{ purpose: "snapshot" }]);
    const pieces: Uint8Array[] = [];
    for await (const piece of snapshot) {
      pieces.push(piece);
      for (let i = 0; i < 5; i++)
        await store.put(`key-${i}`, `${pieces.length}${"y".repeat(9000)}`);
      if (pieces.length === 2) await store.compact(store.status().revision, { physical: true });
      if (pieces.length < 10) await sleep(15);
    }
    const bytes = Buffer.concat(pieces);
    expect(bytes.length).toBe(snapshot.sizeBytes);
    expect(pieces.at(-1)).toHaveLength(32);
    expectSound(bytes);
    expect(store.status().readers).toEqual([]);

    const path = join(scratchFolder("snapshot-file"), "backup.db");
    writeFileSync(path, bytes);
    const status = await snapshotStatus(pool, path, { liveKeys: true });
    expect(status).toMatchObject({ revision: 301, liveKeys: 300, trailer: { kind: "verified" } });
    expect(hash).toBeGreaterThan(0);
  });

  test("two at a time do not mix", async () => {
    await using store = await filled(place());
    const first = await store.snapshot();
    const start = await first.next();
    await store.put("key-0", "other");
    const second = await store.snapshot();
    const [rest, other] = await Promise.all([bytesOf(first), bytesOf(second)]);
    const one = Buffer.concat([start.value ?? new Uint8Array(), rest]);
    for (const bytes of [one, other]) expectSound(bytes);
    expect(one.equals(other)).toBe(false);
  });

  test("ends by a break, by a signal, by close, and with the store", async () => {
    const store = await filled(place());
    for await (const piece of await store.snapshot()) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    expect(store.status().readers).toEqual([]);

    const stop = new AbortController();
    const aborted = await store.snapshot({ signal: stop.signal });
    await aborted.next();
    stop.abort(new Error("enough"));
    await expect(aborted.next()).rejects.toThrow("enough");
    await aborted.ended;
    expect(store.status().readers).toEqual([]);

    const unread = await store.snapshot();
    await unread.close();
    expect(store.status().readers).toEqual([]);
    expect(await unread.next()).toEqual({ done: true, value: undefined });

    const late = await store.snapshot();
    await late.next();
    await store.close();
    await expect(late.next()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(store.snapshot()).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("goes wherever an AsyncIterable goes, and says how far it is", async () => {
    await using store = await filled(place());
    const path = join(scratchFolder("snapshot-pipe"), "backup.db");
    const reports: Progress[] = [];
    const snapshot = await store.snapshot({ onProgress: (progress) => reports.push(progress) });
    await pipeline(snapshot, createWriteStream(path));
    expectSound(readFileSync(path));
    const { sizeBytes } = snapshot;
    expect(reports.at(-1)).toMatchObject({
      phase: "sending",
      total: Math.ceil(sizeBytes / 1024) * 1024,
    });
  });

  test("is saved to a file, wholly or not at all", async () => {
    await using store = await filled(place());
    const folder = scratchFolder("snapshot-save");
    const path = join(folder, "backup.db");
    const saved = await store.saveSnapshot(path);
    expect(saved).toEqual({ sizeBytes: statSync(path).size, revision: 301n });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expectSound(readFileSync(path));
    expect(readdirSync(folder)).toEqual(["backup.db"]);

    await store.put("more", "v");
    expect((await store.saveSnapshot(path)).revision).toBe(302n);
    const kept = readFileSync(path);
    const stop = new AbortController();
    const later = store.saveSnapshot(path, { signal: stop.signal });
    while (!existsSync(`${path}.part`)) await sleep(1);
    stop.abort();
    await expect(later).rejects.toThrow(/abort/);
    expect(readdirSync(folder)).toEqual(["backup.db"]);
    expect(readFileSync(path).equals(kept)).toBe(true);
    expect(store.status().readers).toEqual([]);
    await expect(store.saveSnapshot(join(folder, "no", "backup.db"))).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});
