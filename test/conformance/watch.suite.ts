/** Watch, one on a stream: api.md 5. */
import { expect, test } from "vitest";
import { FROM_KEY, type Op, type Subject } from "./client.ts";
import { describeOn, tell } from "./suite.ts";

const EVERY = { key: "\0", rangeEnd: FROM_KEY };
const put = (key: string, value: string): Op => ({ put: { key, value } });
const del = (key: string, rangeEnd = ""): Op => ({ delete: { key, rangeEnd } });

export function describeWatch(subject: Subject): void {
  describeOn("watch", subject, {}, (on) => {
    test("live: an answer for each revision, whose revision is the header's", async () => {
      const watch = await on.watch(EVERY);
      for (const value of ["1", "2"]) {
        const { revision } = await on.client.put({ key: "a", value });
        const answer = await watch.next();
        expect(answer).toMatchObject({ kind: "events", revision });
        expect(answer?.kind === "events" && answer.events.length).toBe(1);
      }
      await watch.quiet();
    });

    test("a put has the whole pair, a delete only key and revision", async () => {
      const { id } = await on.client.leaseGrant(600);
      const watch = await on.watch(EVERY);
      await on.puts(["a", "1"]);
      await on.client.put({ key: "a", value: "2", lease: id });
      await on.client.delete({ key: "a" });
      const { base } = on;
      const none = { createRevision: 0, version: 0, value: "", lease: 0n };
      expect((await watch.events(3)).slice(1)).toEqual([
        {
          type: "put",
          kv: {
            ...{ key: "a", createRevision: base + 1, modRevision: base + 2, version: 2 },
            ...{ value: "2", lease: id },
          },
          prevKv: undefined,
        },
        { type: "delete", kv: { key: "a", modRevision: base + 3, ...none }, prevKv: undefined },
      ]);
    });

    test("without a start it begins with the next change", async () => {
      await on.puts(["a", "1"]);
      const watch = await on.watch({ key: "a" });
      await on.puts(["a", "2"]);
      expect(await watch.told(1, on.base)).toEqual(["put a=2@2"]);
    });

    test("from a revision of the past: all since then, and then what comes, none lost, none twice", async () => {
      await on.puts(["a", "1"], ["b", "1"], ["a", "2"]);
      await on.client.delete({ key: "b" });
      const watch = await on.watch({ ...EVERY, startRevision: on.base + 2 });
      await on.puts(["a", "3"]);
      expect(await watch.told(4, on.base)).toEqual([
        "put b=1@2",
        "put a=2@3",
        "delete b@4",
        "put a=3@5",
      ]);
    });

    test("history comes with the current revision in the header", async () => {
      await on.puts(["a", "1"], ["a", "2"], ["b", "1"]);
      const watch = await on.watch({ key: "a", startRevision: on.base + 1 });
      const answer = await watch.next();
      expect(answer?.kind === "events" && answer.revision).toBe(on.base + 3);
    });

    test("from the future: nothing before it", async () => {
      const watch = await on.watch({ ...EVERY, startRevision: on.base + 3 });
      await on.puts(["a", "1"], ["a", "2"], ["a", "3"], ["a", "4"]);
      expect(await watch.told(2, on.base)).toEqual(["put a=3@3", "put a=4@4"]);
    });

    test.each([
      ["a key", "b", "", ["b"]],
      ["a range", "a", "c", ["a", "b"]],
      ["from a key on", "b", "\0", ["b", "c"]],
      ["every key", "\0", "\0", ["a", "b", "c"]],
    ])("ranges, live and from history: %s", async (_, key, rangeEnd, expected) => {
      const live = await on.watch({ key, rangeEnd });
      await on.puts(["a", "1"], ["b", "1"], ["c", "1"]);
      const history = await on.watch({ key, rangeEnd, startRevision: on.base + 1 });
      for (const watch of [live, history]) {
        const events = await watch.events(expected.length);
        expect(events.map(({ kv }) => kv.key)).toEqual(expected);
      }
    });

    test("an empty key is the key of one zero byte", async () => {
      const one = await on.watch({ key: "" });
      const every = await on.watch({ key: "", rangeEnd: "\0" });
      await on.puts(["a", "1"], ["\0", "2"]);
      expect(await one.told(1, on.base)).toEqual(["put \0=2@2"]);
      expect(await every.told(2, on.base)).toEqual(["put a=1@1", "put \0=2@2"]);
    });

    test.each([
      ["b", "a"],
      ["b", "b"],
    ])("a range that can have no key is refused: %s to %s", async (key, rangeEnd) => {
      const watch = await on.watch({ key, rangeEnd });
      expect(await watch.next()).toEqual({
        kind: "refused",
        reason: "mvcc: watcher range is empty",
      });
    });

    test("filters", async () => {
      const request = { ...EVERY, startRevision: on.base + 1 };
      const lives = [
        await on.watch({ ...request, noPut: true }),
        await on.watch({ ...request, noDelete: true }),
        await on.watch({ ...request, noDelete: true, noPut: true }),
      ];
      await on.puts(["a", "1"], ["b", "1"]);
      await on.client.txn({ success: [del("a"), put("b", "2")] });
      const histories = [
        await on.watch({ ...request, noPut: true }),
        await on.watch({ ...request, noDelete: true }),
        await on.watch({ ...request, noDelete: true, noPut: true }),
      ];
      for (const [noPut, noDelete, neither] of [lives, histories]) {
        expect(await noPut?.told(1, on.base)).toEqual(["delete a@3"]);
        expect(await noDelete?.told(3, on.base)).toEqual(["put a=1@1", "put b=1@2", "put b=2@3"]);
        await neither?.quiet();
      }
    });

    test("prev_kv is the pair of before, if there was one", async () => {
      const live = await on.watch({ ...EVERY, prevKv: true });
      await on.puts(["a", "1"], ["a", "2"]);
      await on.client.delete({ key: "a" });
      await on.puts(["a", "3"]);
      const history = await on.watch({ ...EVERY, prevKv: true, startRevision: on.base + 1 });
      for (const watch of [live, history]) {
        expect(await watch.told(4, on.base)).toEqual([
          "put a=1@1",
          "put a=2@2 was 1@1",
          "delete a@3 was 2@2",
          "put a=3@4",
        ]);
      }
    });

    test("prev_kv that is compacted is left out", async () => {
      await on.puts(["a", "1"], ["b", "1"], ["a", "2"], ["a", "3"]);
      await on.client.compact(on.base + 3, true);
      const watch = await on.watch({ ...EVERY, prevKv: true, startRevision: on.base + 3 });
      expect(await watch.told(2, on.base)).toEqual(["put a=2@3", "put a=3@4 was 2@3"]);
    });

    test("a transaction is one answer, in the order of its operations", async () => {
      await on.puts(["b", "1"], ["d", "1"]);
      const live = await on.watch(EVERY);
      await on.client.txn({ success: [put("z", "1"), del("a", "e"), put("y", "1")] });
      const history = await on.watch({ ...EVERY, startRevision: on.base + 3 });
      for (const watch of [live, history]) {
        const answer = await watch.next();
        expect(
          answer?.kind === "events" && answer.events.map((event) => tell(event, on.base)),
        ).toEqual(["put z=1@3", "delete b@3", "delete d@3", "put y=1@3"]);
      }
    });

    test("what a transaction changes and then changes again is told once, as it is in the end", async () => {
      await on.puts(["a", "1"], ["z", "1"]);
      const live = await on.watch(EVERY);
      const inner: Op[] = [{ txn: { success: [put("a", "2")] } }, { txn: { success: [del("a")] } }];
      await on.client.txn({ success: inner });
      await on.client.txn({ success: [del("y", "\0"), put("z", "2")] });
      const history = await on.watch({ ...EVERY, startRevision: on.base + 3 });
      // Every etcd tells each change, the newest too; here it is the last one, as the store has it from then on.
      const each = ["put a=2@3", "delete a@3", "delete z@4", "put z=2@4"];
      const last = ["delete a@3", "put z=2@4"];
      const expected = subject.rules === "3.4" ? each : last;
      for (const watch of [live, history]) {
        expect(await watch.told(expected.length, on.base)).toEqual(expected);
      }
    });

    test("a delete of nothing is no event", async () => {
      const watch = await on.watch(EVERY);
      await on.client.delete({ key: "a" });
      await on.client.txn({ success: [del("a", "z")] });
      await watch.quiet();
    });

    test("a revoked lease's keys go as one revision, in key order", async () => {
      const { id } = await on.client.leaseGrant(600);
      for (const key of ["c", "a", "b"]) await on.client.put({ key, lease: id });
      const watch = await on.watch(EVERY);
      await on.client.leaseRevoke(id);
      expect(await watch.told(3, on.base)).toEqual(["delete a@4", "delete b@4", "delete c@4"]);
    });

    test("from below the compacted revision: told so; from it: not", async () => {
      await on.puts(["a", "1"], ["a", "2"], ["a", "3"]);
      await on.client.compact(on.base + 2, true);
      const below = await on.watch({ key: "a", startRevision: on.base + 1 });
      expect(await below.next()).toEqual({ kind: "compacted", compactRevision: on.base + 2 });
      const at = await on.watch({ key: "a", startRevision: on.base + 2 });
      expect(await at.told(2, on.base)).toEqual(["put a=2@2", "put a=3@3"]);
    });

    test("a delete at the compacted revision is seen from there", async () => {
      await on.puts(["a", "1"]);
      await on.client.delete({ key: "a" });
      await on.puts(["b", "1"]);
      await on.client.compact(on.base + 2, true);
      const watch = await on.watch({ ...EVERY, startRevision: on.base + 2 });
      // 3.4 until 3.4.33 loses it: etcd's #18089.
      const expected = subject.rules === "3.4" ? ["put b=1@3"] : ["delete a@2", "put b=1@3"];
      expect(await watch.told(expected.length, on.base)).toEqual(expected);
    });

    test("a live watch does not mind a compaction", async () => {
      const watch = await on.watch({ key: "a", startRevision: on.base + 1 });
      await on.puts(["a", "1"], ["b", "1"], ["b", "2"]);
      expect(await watch.told(1, on.base)).toEqual(["put a=1@1"]);
      await on.client.compact(on.base + 3, true);
      await on.puts(["a", "2"]);
      expect(await watch.told(1, on.base)).toEqual(["put a=2@4"]);
    });

    test("a future watch that a compaction has not overtaken lives on", async () => {
      const watch = await on.watch({ key: "a", startRevision: on.base + 3 });
      await on.puts(["a", "1"], ["a", "2"]);
      await on.client.compact(on.base + 2, true);
      await on.puts(["a", "3"]);
      expect(await watch.told(1, on.base)).toEqual(["put a=3@3"]);
    });

    test("a long history arrives whole and in order", async () => {
      for (let i = 0; i < 2100; i += 100) {
        const calls = Array.from({ length: 100 }, (_, j) =>
          on.client.put({ key: `k${(i + j) % 7}`, value: `${i + j}` }),
        );
        await Promise.all(calls);
      }
      const watch = await on.watch({ ...EVERY, startRevision: on.base + 1 });
      const events = await watch.events(2100);
      expect(events.map(({ kv }) => kv.modRevision - on.base)).toEqual(
        Array.from({ length: 2100 }, (_, i) => i + 1),
      );
    });

    test("what is cancelled hears nothing more, and others do", async () => {
      const [one, other] = [await on.watch(EVERY), await on.watch(EVERY)];
      await on.puts(["a", "1"]);
      expect(await one.told(1, on.base)).toEqual(["put a=1@1"]);
      await one.cancel();
      await on.puts(["a", "2"]);
      await one.quiet();
      expect(await other.told(2, on.base)).toEqual(["put a=1@1", "put a=2@2"]);
    });
  });

  if (!subject.measures) return;
  describeOn("watch progress", subject, { progressIntervalMs: 1000 }, (on) => {
    test("comes when nothing else does, to whom it was promised", async () => {
      const told = await on.watch({ key: "a", progressNotify: true });
      const untold = await on.watch({ key: "a" });
      await on.puts(["b", "1"], ["b", "2"]);
      for (let i = 0; i < 2; i++) {
        await on.pass(1200);
        expect(await told.next()).toEqual({ kind: "progress", revision: on.base + 2 });
      }
      await untold.quiet();
    });
  });
}
