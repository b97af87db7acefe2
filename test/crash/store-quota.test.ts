/**
 * The power goes out around a full quota: an alarm that was seen is there again, writes are refused as before, and the
 * way out is the same. And a disk that is full when the log needs its next segment.
 *
 *   npm test                                                       some events
 *   STRATA_FULL=1 npx vitest run test/crash/store-quota.test.ts    all of them
 */
import { expect, test } from "vitest";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { EtcdError, Strata, type StrataOptions } from "../../src/index.ts";
import { crashStores } from "../support/crashed-store.ts";
import { ErrorDisk } from "../support/error-disk.ts";
import { thrownBy } from "../support/thrown-by.ts";

const full = process.env.STRATA_FULL === "1";
const NO_SPACE = { code: "NO_SPACE", message: "etcdserver: mvcc: database space exceeded" };

const QUOTA: StrataOptions = { quotaBytes: 150_000, selfMaintain: false };

class Witness {
  readonly values = new Map<string, string>();
  deleted: string | undefined;
  /** It was seen. */
  isAlarmed = false;
  /** Somebody has begun to lift it. */
  isHelped = false;
}

/** What is worth remembering of values this long. */
const value = (i: number): string => `${i}`.padEnd(9000, "x");

async function fillUntilRefused(store: Strata, witness: Witness): Promise<void> {
  for (let i = 0; i < 60; i++) {
    const refused = await thrownBy(store.put(`k${i}`, value(i)));
    if (refused === undefined) {
      witness.values.set(`k${i}`, value(i));
      continue;
    }
    if (!(refused instanceof EtcdError)) throw refused;
    expect(refused).toMatchObject(NO_SPACE);
    break;
  }
  for (let looks = 0; store.status().alarms.length === 0; looks++) {
    expect(looks).toBeLessThan(1000);
    await store.delete("none");
  }
  witness.isAlarmed = true;
}

async function help(store: Strata): Promise<void> {
  await store.delete({ prefix: "k" });
  await store.put("before", "v").catch(() => undefined);
  const { revision, compactedRevision } = store.status();
  if (revision > compactedRevision) await store.compact(revision, { physical: true });
  await store.defragment({ force: true });
  await store.alarms.disarm("noSpace");
  await store.put("after", "v");
}

test("power cut around a full quota", { timeout: full ? 3_600_000 : 60_000 }, async () => {
  let witness = new Witness();
  let alarmed = 0;
  let helped = 0;
  await crashStores(
    full ? 1000 : 18,
    async (store) => {
      await store.put("first", "v");
    },
    async (store) => {
      witness = new Witness();
      await fillUntilRefused(store, witness);
      await expect(store.put("more", "v")).rejects.toMatchObject(NO_SPACE);
      await store.delete("k0");
      witness.deleted = "k0";
      witness.isHelped = true;
      await help(store);
      return witness;
    },
    () => witness,
    async ({ store }, { values, deleted, isAlarmed, isHelped }) => {
      if (isHelped) {
        helped++;
      } else {
        for (const [key, value] of values) {
          const found = (await store.get(key))?.value.string();
          if (key === "k0" && found === undefined) continue;
          expect([key, found]).toEqual([key, key === deleted ? undefined : value]);
        }
        if (isAlarmed) {
          alarmed++;
          expect(store.status().alarms).toHaveLength(1);
          await expect(store.put("more", "v")).rejects.toMatchObject(NO_SPACE);
          await expect(store.lease.grant(60)).rejects.toMatchObject(NO_SPACE);
        }
      }
      await help(store);
      expect(store.status().alarms).toEqual([]);
    },
    QUOTA,
  );
  expect(alarmed + helped).toBeGreaterThan(3);
});

const SEGMENT_BYTES = 64 * 1024;
const RECORD = "x".repeat(1000);

test("a disk that is full at the log's next segment: the present one is filled, then it is said, and reads go on", async () => {
  const inner = new MemoryTree();
  const disk = new ErrorDisk(inner);
  const options = { segmentBytes: SEGMENT_BYTES, log: () => undefined, selfMaintain: false };
  const store = await Strata.open({ disk }, options);
  await store.put("first", "v");
  const next = { name: "member/wal/cut.tmp", operations: "write" } as const;
  disk.arm({ ...next, code: "ENOSPC", nth: 1, lasts: "from then on" });
  let acknowledged = 0;
  let failed: unknown;
  while (failed === undefined && acknowledged < 1000) {
    failed = await thrownBy(store.put(`k${acknowledged}`, RECORD));
    if (failed === undefined) acknowledged++;
  }
  expect(disk.failed[0]).toBe("write member/wal/cut.tmp");
  expect(acknowledged * RECORD.length).toBeGreaterThan(0.8 * SEGMENT_BYTES);
  expect(acknowledged * RECORD.length).toBeLessThan(1.2 * SEGMENT_BYTES);
  expect(failed).toMatchObject({
    code: "FAILED",
    message: expect.stringMatching(/ENOSPC.*must be opened again|must be opened again.*ENOSPC/),
  });
  expect((await store.get(`k${acknowledged - 1}`))?.value.string()).toBe(RECORD);
  expect((await store.rangeAll({ prefix: "k" })).kvs.length).toBe(acknowledged);
  await store.close().catch(() => undefined);

  await using again = await Strata.open({ disk: inner }, options);
  expect((await again.rangeAll({ prefix: "k" })).kvs.length).toBeGreaterThanOrEqual(acknowledged);
  await again.put("after", "v");
});
