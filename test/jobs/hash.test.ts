/** Hash and HashKV against figures that real etcds gave, and against the rule written down naively. */
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { SystemFile } from "../../native-free/file.ts";
import { KEY } from "../../src/backend/buckets.ts";
import { readRevision } from "../../src/backend/revision.ts";
import { Strata } from "../../src/engine/strata.ts";
import { HASH, type HashInput, type KvHashRule } from "../../src/jobs/hash.ts";
import { hashInSlices, hashPinned } from "../../src/jobs/hash-work.ts";
import { JobPool } from "../../src/jobs/pool.ts";
import { readMetas } from "../../src/pagefile/meta.ts";
import { PageReader } from "../../src/pagefile/page-reader.ts";
import { decodeKeyValueAt } from "../../src/proto/key-value.ts";
import { GOLDEN, goldenDataDir } from "../support/golden-data-dir.ts";

const pool = new JobPool({ niced: true });
afterAll(() => pool.close());

const NEVER = new AbortController().signal;

/** The hash of a golden file by each of the ways there are; they must agree. */
async function hashOf(name: string, rule?: { revision: number; compactRevision: number }) {
  const file = new SystemFile(join(GOLDEN, name), "read");
  const { active: meta } = readMetas(file);
  const reader = new PageReader(file, meta.pageBytes, 1 << 20);
  const whole: KvHashRule | undefined = rule && { ...rule, ...keptAt(reader, meta, rule.revision) };
  const input: HashInput = { path: file.path, fd: file.fd, meta, rule: whole };
  try {
    const here = hashPinned(input);
    expect(await hashInSlices(() => reader.view(meta), whole, NEVER)).toBe(here);
    expect(await pool.run(HASH, input)).toBe(here);
    return here;
  } finally {
    reader.close();
  }
}

/** What each key is at a revision, tombstones not counted: read off the records. */
function keptAt(reader: PageReader, meta: HashInput["meta"], revision: number) {
  const tx = reader.view(meta);
  const last = new Map<string, { main: number; sub: number }>();
  const cursor = tx.bucket(KEY)?.cursor();
  for (let more = cursor?.first(); more && cursor; more = cursor.next()) {
    const found = readRevision(cursor.key());
    if (found === undefined || found.main > revision) break;
    const { bytes, keyOffset, keyBytes, valueBytes } = cursor;
    const kv = decodeKeyValueAt(bytes, keyOffset + keyBytes, valueBytes);
    const key = Buffer.from(kv?.key ?? []).toString("latin1");
    if (found.tombstone) last.delete(key);
    else last.set(key, found);
  }
  tx.close();
  const kept = [...last.values()].sort((a, b) => a.main - b.main || a.sub - b.sub);
  return {
    keptMains: Float64Array.from(kept, ({ main }) => main),
    keptSubs: Uint32Array.from(kept, ({ sub }) => sub),
  };
}

describe("figures of real etcds", () => {
  test.each([
    ["basic.datadir.db", 165837970],
    ["basic.snapshot.db", 165837970],
    ["compact16.snapshot.db", 4277681769],
    ["full.datadir.db", 602085181],
    ["v35.snapshot.db", 1560521844],
  ])("Hash of %s", async (name, hash) => {
    expect(await hashOf(name)).toBe(hash);
  });

  test.each([
    ["compact16.snapshot.db", 16, 20, 3968684480],
    ["compact16.snapshot.db", 16, 17, 2011377589],
    ["compact16.snapshot.db", 16, 18, 1921953949],
    ["full.datadir.db", 21, 30, 421711451],
    ["defrag.before.db", 200, 207, 2391440851],
    ["compact-crash.db", 200, 207, 2391440851],
    ["v35.snapshot.db", 4, 6, 3339490773],
    ["v35.snapshot.db", 4, 5, 376657901],
    ["v36.datadir.db", -1, 9, 654140488],
  ])("HashKV of %s, compacted at %d, at %d", async (name, compactRevision, revision, hash) => {
    expect(await hashOf(name, { revision, compactRevision })).toBe(hash);
  });

  test("HashKV of a data dir at each of its revisions", async () => {
    await using store = await Strata.open({ dir: goldenDataDir("basic") });
    const hashes = [
      1084519789, 2587454935, 1827592406, 2069675932, 3967517047, 796222162, 3759686506, 1696238628,
      3618038822, 2974413485, 4142670154,
    ];
    for (const [i, hash] of hashes.entries()) {
      const revision = BigInt(i + 1);
      expect(await store.hashKv(revision)).toEqual({ hash, revision, compactRevision: -1n });
    }
    const current = { hash: hashes[10], revision: 11n, compactRevision: -1n };
    expect(await store.hashKv()).toEqual(current);
    await expect(store.hashKv(12)).rejects.toMatchObject({ code: "FUTURE" });
  });

  test("HashKV of a data dir that is compacted", async () => {
    await using store = await Strata.open({ dir: goldenDataDir("full") });
    const answer = { hash: 421711451, revision: 30n, compactRevision: 21n };
    expect(await store.hashKv()).toEqual(answer);
    expect(await store.hashKv(30n)).toEqual(answer);
    expect((await store.hashKv(21)).revision).toBe(21n);
    await expect(store.hashKv(20)).rejects.toMatchObject({ code: "COMPACTED" });
  });
});
