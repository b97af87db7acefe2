import { expect, test } from "vitest";
import { StrataError } from "../base/errors.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { holds } from "./defrag-rule/evaluate.ts";
import { parseDefragRule } from "./defrag-rule/parse.ts";
import type { EngineEvent } from "./log.ts";
import {
  SELF_MAINTAIN_DEFRAG_RULE,
  type SelfMaintain,
  selfMaintenanceOf,
} from "./self-maintenance.ts";
import { Strata } from "./strata.ts";

const MINUTE_MS = 60_000;
const MIB = 1024 ** 2;

const GIB_QUOTA = 2048;

/** In MiB. */
test.each([
  ["an empty one", 0.02, 0.02, GIB_QUOTA, false],
  ["a small one, all but empty", 60, 1, GIB_QUOTA, false],
  ["one that has lost most of itself", 200, 90, GIB_QUOTA, true],
  ["the saw of history: an hour of it between two compactions", 900, 500, GIB_QUOTA, false],
  ["the same near the quota", 1700, 1100, GIB_QUOTA, true],
  ["a full one with nothing to gain", 2000, 1700, GIB_QUOTA, false],
  ["a small quota that was filled, and compacted", 16, 5, 16, true],
  ["none", 200, 150, Number.POSITIVE_INFINITY, false],
  ["none, and much to gain", 200, 90, Number.POSITIVE_INFINITY, true],
])(
  "the rule by default, for %s: %d MiB, %d in use, of %d: %s",
  (_, size, inUse, quota, expected) => {
    const sizes = {
      dbSize: size * MIB,
      dbSizeInUse: inUse * MIB,
      dbSizeFree: (size - inUse) * MIB,
      dbQuota: quota * MIB,
      dbQuotaUsage: size / quota,
    };
    expect(holds(parseDefragRule(SELF_MAINTAIN_DEFRAG_RULE), sizes)).toBe(expected);
  },
);

const KEYS = 40;

interface Life {
  readonly fullBytes: number;
  readonly endBytes: number;
  readonly compactedRevision: bigint;
  readonly said: string[];
}

/** Fills a store in memory with 2 MiB, deletes most of it, and lets some time go by. */
async function lifeOf(minutes: number, selfMaintain: SelfMaintain): Promise<Life> {
  const clock = new ManualClock();
  const lines: EngineEvent[] = [];
  const log = (line: EngineEvent): void => void lines.push(line);
  await using store = await Strata.open({ memory: true }, { clock, log, selfMaintain });
  const value = Buffer.alloc(50 * 1024, 1);
  for (let i = 0; i < KEYS; i++) await store.put(`k${i}`, value);
  await store.delete({ prefix: "k" });
  await store.put("kept", "x");
  await store.member.backend.commit();
  const fullBytes = store.status().sizeBytes;
  await clock.advance(minutes * MINUTE_MS);
  const { sizeBytes, compactedRevision } = store.status();
  expect(Buffer.from((await store.get("kept"))?.value ?? []).toString()).toBe("x");
  const said = lines.map(({ message }) => message).filter((line) => /auto/.test(line));
  return { fullBytes, endBytes: sizeBytes, compactedRevision, said };
}

const compacts = ["starting auto periodic compaction", "completed auto periodic compaction"];

test("a store in the process compacts and defragments itself, each as far as it is wanted", async () => {
  const autoDefrag = { rule: "dbSizeFree > 1MiB" };
  const both = await lifeOf(3, {
    autoCompaction: { mode: "periodic", periodMs: MINUTE_MS },
    autoDefrag,
  });
  expect(both.fullBytes).toBeGreaterThan(2 * MIB);
  expect(both.endBytes).toBeLessThan(MIB / 4);
  expect(both.compactedRevision).toBe(BigInt(KEYS + 3));
  expect(both.said).toEqual([...compacts, ...compacts, "auto-defrag: defragmented"]);

  const uncompacted = await lifeOf(3, { autoCompaction: false, autoDefrag });
  expect([uncompacted.compactedRevision, uncompacted.said]).toEqual([-1n, []]);
});

test("history that has filled the quota is given up, and writes are taken again, without a hand; no refusal before there is no room", async () => {
  const clock = new ManualClock();
  const periodMs = 10 * MINUTE_MS;
  await using store = await Strata.open(
    { memory: true },
    {
      clock,
      log: () => undefined,
      quotaBytes: 16 * MIB,
      compactionSleepMs: 0,
      selfMaintain: { autoCompaction: { mode: "periodic", periodMs } },
    },
  );
  const { space, backend } = store.member;
  const value = Buffer.alloc(MIB, 1);
  const fill = async (): Promise<number> => {
    for (let puts = 0; ; puts++) {
      const left = space.quota.remaining(space.use());
      try {
        await store.put("key", value);
      } catch (error) {
        expect(error).toMatchObject({ code: "NO_SPACE" });
        // What it is charged is a little more than its value.
        expect(left).toBeLessThanOrEqual(MIB + 300);
        return puts;
      }
      expect(left).toBeGreaterThan(MIB);
      await backend.commit();
    }
  };
  expect(await fill()).toBe(15);
  await store.put("small", value.subarray(0, MIB / 2)).catch(() => undefined);
  for (let round = 0; round < 2; round++) {
    await clock.advance(2 * periodMs + MINUTE_MS);
    await backend.commit();
    expect(store.status().alarms).toEqual([]);
    expect(await fill()).toBeGreaterThanOrEqual(13);
  }
  expect(store.status().sizeBytes).toBeLessThan(2 * 16 * MIB);
});

test("by default it keeps the history of an hour, and leaves a small file as it is", async () => {
  const life = await lifeOf(125, {});
  // The first one gives up what was before the store was filled: nothing.
  const said = [...compacts, ...compacts];
  expect([life.compactedRevision, life.said]).toEqual([BigInt(KEYS + 3), said]);
  expect(life.endBytes).toBeGreaterThanOrEqual(life.fullBytes);
  const off = { autoCompaction: undefined, autoDefrag: { current: undefined } };
  expect(selfMaintenanceOf(false)).toEqual(off);
});

test("a store is not opened with a rule that cannot be read", async () => {
  const open = Strata.open({ memory: true }, { selfMaintain: { autoDefrag: { rule: "dbSize" } } });
  await expect(open).rejects.toThrow(StrataError);
  await expect(open).rejects.toThrow("column 1: this is a number, not a condition");
});

test("whoever drops a store ends what it does by itself", async () => {
  const clock = new ManualClock();
  const store = await Strata.open({ memory: true }, { clock });
  await store.member.abandon();
  await store.close();
  expect(clock.sleeping).toBe(0);
});
