/** Compaction, alarms, quota, status, limits: api.md 4.6, 7, 11; and restarts. */
import { expect, test } from "vitest";
import { Alarm, FROM_KEY, type Subject } from "./client.ts";
import { expectRefusal } from "./errors.ts";
import { describeOn } from "./suite.ts";

const EVERY = { key: "\0", rangeEnd: FROM_KEY };

export function describeMaintenance(subject: Subject): void {
  describeOn("a new store", subject, {}, (on) => {
    test("is at revision 1, was never compacted, and takes a compaction at 0 once", async () => {
      expect(on.base).toBe(1);
      expect((await on.client.range({ key: "a" })).revision).toBe(1);
      await expectRefusal(on.client.compact(-1), "compacted");
      await expectRefusal(on.client.compact(-100), "compacted");
      await on.client.compact(0);
      await expectRefusal(on.client.compact(0), "compacted");
      await on.client.compact(1);
      await expectRefusal(on.client.compact(1), "compacted");
      await on.puts(["a", "1"]);
      expect(await on.revision()).toBe(2);
    });
  });

  describeOn("compaction", subject, {}, (on) => {
    test.each([true, false])(
      "reads below it fail at once, at it not; physical: %s",
      async (physical) => {
        await on.puts(["a", "1"], ["a", "2"], ["b", "1"], ["a", "3"]);
        const { base } = on;
        await on.client.compact(base + 2, physical);
        await expectRefusal(on.client.range({ key: "a", revision: base + 1 }), "compacted");
        await expectRefusal(on.client.range({ ...EVERY, revision: base + 1 }), "compacted");
        await expectRefusal(
          on.client.range({ ...EVERY, countOnly: true, revision: base + 1 }),
          "compacted",
        );
        await expectRefusal(
          on.client.txn({ success: [{ range: { key: "a", revision: base + 1 } }] }),
          "compacted",
        );
        const success = [{ put: { key: "x" } }, { range: { key: "a", revision: base + 1 } }];
        await expectRefusal(on.client.txn({ success }), "compacted");
        expect(await on.all(base + 2)).toEqual(["a=2"]);
        expect(await on.all(base + 3)).toEqual(["a=2", "b=1"]);
        expect(await on.all()).toEqual(["a=3", "b=1"]);
      },
    );

    test("of what was compacted, and of the future", async () => {
      await on.puts(["a", "1"], ["a", "2"]);
      await on.client.compact(on.base + 1);
      for (const revision of [on.base + 1, on.base, 1, 0, -1]) {
        await expectRefusal(on.client.compact(revision), "compacted");
      }
      await expectRefusal(on.client.compact(on.base + 3), "future");
      await on.client.compact(on.base + 2);
      expect(await on.revision()).toBe(on.base + 2);
    });

    test("the current revision, with everything deleted: it never goes back", async () => {
      await on.puts(["a", "1"], ["b", "1"]);
      await on.client.delete(EVERY);
      await on.client.compact(on.base + 3, true);
      expect(await on.revision()).toBe(on.base + 3);
      expect(await on.all()).toEqual([]);
      await on.restart?.();
      expect(await on.revision()).toBe(on.base + 3);
      await expectRefusal(on.client.range({ key: "a", revision: on.base + 2 }), "compacted");
      await expectRefusal(on.client.compact(on.base + 3), "compacted");
      expect((await on.client.put({ key: "a" })).revision).toBe(on.base + 4);
    });

    test("versions and creations outlive it, and a restart", async () => {
      await on.puts(["a", "1"], ["a", "2"], ["b", "1"], ["a", "3"]);
      await on.client.compact(on.base + 4, true);
      await on.restart?.();
      await on.puts(["a", "4"]);
      const { base } = on;
      expect((await on.client.range({ key: "a" })).kvs).toEqual([
        {
          ...{ key: "a", createRevision: base + 1, modRevision: base + 5, version: 4 },
          ...{ value: "4", lease: 0n },
        },
      ]);
      expect(await on.all(base + 4)).toEqual(["a=3", "b=1"]);
    });

    test("a restart keeps every revision", async () => {
      await on.puts(["a", "1"], ["a", "2"]);
      await on.client.delete({ key: "a" });
      await on.puts(["a", "3"]);
      await on.restart?.();
      const { base } = on;
      const then = [1, 2, 3, 4].map((at) => on.all(base + at));
      expect(await Promise.all(then)).toEqual([["a=1"], ["a=2"], [], ["a=3"]]);
    });
  });

  describeOn("alarms", subject, {}, (on) => {
    test("are told, by type, and gone when they are deactivated", async () => {
      const [a, b] = [
        { memberId: 5n, alarm: Alarm.noSpace },
        { memberId: 0n, alarm: Alarm.corrupt },
      ];
      expect(await on.client.alarm("activate", 5n, Alarm.noSpace)).toEqual([a]);
      expect(await on.client.alarm("activate", 5n, Alarm.noSpace)).toEqual([a]);
      expect(await on.client.alarm("activate", 0n, Alarm.corrupt)).toEqual([b]);
      expect(await on.client.alarms(Alarm.noSpace)).toEqual([a]);
      expect(await on.client.alarms(Alarm.corrupt)).toEqual([b]);
      expect((await on.client.alarms()).length).toBe(2);
      expect(await on.client.alarm("deactivate", 6n, Alarm.noSpace)).toEqual([]);
      expect(await on.client.alarm("deactivate", 5n, Alarm.noSpace)).toEqual([a]);
      expect(await on.client.alarm("deactivate", 5n, Alarm.noSpace)).toEqual([]);
      expect(await on.client.alarms()).toEqual([b]);
      // 3.4 makes an alarm of it.
      if (subject.rules === "3.4") return;
      expect(await on.client.alarm("activate", 5n, Alarm.none)).toEqual([]);
    });

    test("NOSPACE forbids what takes space, and nothing else, also after a restart", async () => {
      await on.client.leaseGrant(600, 1n);
      await on.client.leaseGrant(600, 2n);
      await on.puts(["a", "1"], ["b", "1"]);
      await on.client.alarm("activate", 5n, Alarm.noSpace);
      // The real one would do as well, but is not healthy then, so nobody can tell when it is up.
      if (subject.rules !== "3.4") await on.restart?.();
      const put = { put: { key: "a", value: "2" } };
      await expectRefusal(on.client.put({ key: "a", value: "2" }), "noSpace");
      await expectRefusal(on.client.txn({ success: [put] }), "noSpace");
      await expectRefusal(on.client.txn({ failure: [put] }), "noSpace");
      await expectRefusal(on.client.leaseGrant(600, 3n), "noSpace");
      expect(await on.all()).toEqual(["a=1", "b=1"]);
      const success = [{ delete: { key: "a" } }, { range: EVERY }];
      expect((await on.client.txn({ success })).revision).toBe(on.base + 3);
      expect((await on.client.delete({ key: "b" })).deleted).toBe(1);
      await on.client.leaseRevoke(1n);
      expect(await on.client.leaseKeepAlive(2n)).toBe(600);
      await on.client.compact(on.base + 4, true);
      await on.client.alarm("deactivate", 5n, Alarm.noSpace);
      expect((await on.client.put({ key: "a", value: "2" })).revision).toBe(on.base + 5);
    });

    test("CORRUPT forbids every change", async () => {
      await on.client.leaseGrant(600, 1n);
      await on.puts(["a", "1"]);
      await on.client.alarm("activate", 5n, Alarm.corrupt);
      await expectRefusal(on.client.put({ key: "a" }), "corrupt");
      await expectRefusal(on.client.delete({ key: "a" }), "corrupt");
      await expectRefusal(on.client.txn({ success: [{ delete: { key: "a" } }] }), "corrupt");
      await expectRefusal(on.client.txn({ success: [{ put: { key: "a" } }] }), "corrupt");
      await expectRefusal(on.client.compact(on.base + 1), "corrupt");
      await expectRefusal(on.client.leaseGrant(600, 3n), "corrupt");
      await expectRefusal(on.client.leaseRevoke(1n), "corrupt");
      expect(await on.all()).toEqual(["a=1"]);
      const { responses } = await on.client.txn({ success: [{ range: EVERY }] });
      expect(responses.length).toBe(1);
      expect(await on.client.leaseKeepAlive(1n)).toBe(600);
    });
  });

  describeOn("status", subject, {}, (on) => {
    test("one member leads itself, and its term and index go on", async () => {
      const before = await on.client.status();
      expect(before.leader).toBe(before.memberId);
      expect(before.dbSize).toBeGreaterThan(0);
      expect(before.dbSizeInUse).toBeGreaterThan(0);
      expect(before.dbSizeInUse).toBeLessThanOrEqual(before.dbSize);
      await on.puts(["a", "1"], ["a", "2"]);
      const after = await on.client.status();
      expect(after.raftIndex).toBeGreaterThanOrEqual(before.raftIndex + 2);
      expect(after.raftTerm).toBe(before.raftTerm);
      if (on.restart === undefined) return;
      await on.restart();
      const again = await on.client.status();
      expect([again.memberId, again.revision]).toEqual([after.memberId, after.revision]);
      expect(again.raftTerm).toBe(after.raftTerm + 1);
      expect(again.raftIndex).toBeGreaterThan(after.raftIndex);
    });
  });

  if (!subject.measures) return;
  describeOn("limits", subject, { maxTxnOps: 4, maxRequestBytes: 10_000 }, (on) => {
    test("a request that is too large", async () => {
      await on.client.put({ key: "a", value: "x".repeat(9900) });
      await expectRefusal(on.client.put({ key: "a", value: "x".repeat(10_000) }), "tooLarge");
      await expectRefusal(on.client.put({ key: "k".repeat(10_000), value: "x" }), "tooLarge");
      await expectRefusal(on.client.delete({ key: "k".repeat(10_000) }), "tooLarge");
      const half = { put: { key: "a", value: "x".repeat(5000) } };
      const other = { put: { key: "b", value: "x".repeat(5000) } };
      await expectRefusal(on.client.txn({ success: [half], failure: [other] }), "tooLarge");
      expect(await on.revision()).toBe(on.base + 1);
      // What changes nothing may be as large as it likes.
      expect((await on.client.range({ key: "k".repeat(10_000) })).count).toBe(0);
      const read = { range: { key: "k".repeat(10_000) } };
      expect((await on.client.txn({ success: [read] })).succeeded).toBe(true);
    });

    test("as many operations as were set", async () => {
      const ops = (n: number) => Array.from({ length: n }, (_, i) => ({ put: { key: `k${i}` } }));
      await on.client.txn({ success: ops(4) });
      await expectRefusal(on.client.txn({ success: ops(5) }), "tooManyOps");
    });
  });

  describeOn("the quota", subject, { quotaBytes: 256 * 1024 }, (on) => {
    test("refuses what does not fit, raises the alarm, and again after it was disarmed", async () => {
      const fill = async (): Promise<void> => {
        for (let i = 0; i < 2000; i++) {
          await on.client.put({ key: `k${i % 5}`, value: "x".repeat(4000) });
          if (i % 20 === 0) await on.pass(subject.rules === "3.4" ? 20 : 200);
        }
      };
      await expectRefusal(fill(), "noSpace");
      const { memberId } = await on.client.status();
      for (let i = 0; i < 100 && (await on.client.alarms()).length === 0; i++) await on.pass(20);
      expect(await on.client.alarms()).toEqual([{ memberId, alarm: Alarm.noSpace }]);
      await expectRefusal(on.client.put({ key: "tiny" }), "noSpace");
      await expectRefusal(on.client.leaseGrant(600), "noSpace");
      const revision = await on.revision();
      // Neither a delete nor a compaction gives space back.
      await on.client.delete(EVERY);
      await on.client.compact(revision + 1, true);
      await on.client.alarm("deactivate", memberId, Alarm.noSpace);
      await expectRefusal(fill(), "noSpace");
      expect((await on.client.range(EVERY)).kvs.length).toBeLessThanOrEqual(5);
    });
  });
}
