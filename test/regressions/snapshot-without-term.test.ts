/**
 * etcd 3.4 keeps no term beside the index in its database, and leaves a later version's as it finds it. A snapshot that
 * was taken of what such a database had at the start got term 0, or a stale one: its name sorts before older ones, so
 * that the next start began with one whose log had been given up.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { SystemDirectory } from "../../native-free/file.ts";
import { Strata } from "../../src/index.ts";
import { readLog, validSnapshots } from "../../src/wal/reader.ts";
import { goldenDataDir } from "../support/golden-data-dir.ts";

test("the first snapshot of an etcd 3.4 data dir has the term of its entry", async () => {
  const dir = goldenDataDir("basic");
  const store = await Strata.open({ dir }, { snapshotCount: 1, batchIntervalMs: 1 });
  for (let i = 0; i < 5; i++) {
    await store.put("k", String(i));
    await store.member.backend.commit();
  }
  await store.close();
  const wal = new SystemDirectory(join(dir, "member/wal"));
  const terms = new Map(
    readLog(wal, { index: 0, term: 0 }, "write").entries.map(({ index, term }) => [index, term]),
  );
  const taken = validSnapshots(wal).filter(({ index }) => index > 0);
  expect(taken.length).toBeGreaterThan(1);
  for (const { index, term } of taken) expect([index, term]).toEqual([index, terms.get(index)]);
  // The next start begins with the newest.
  await (await Strata.open({ dir })).close();
});
