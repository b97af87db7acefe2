/** Range, Put and DeleteRange: api.md 4.1 to 4.4. */
import { expect, test } from "vitest";
import { FROM_KEY, type RangeRequest, SortOrder, SortTarget, type Subject } from "./client.ts";
import { expectRefusal } from "./errors.ts";
import { describeOn, pairs } from "./suite.ts";

export function describeKv(subject: Subject): void {
  describeOn("kv", subject, {}, (on) => {
    const keysOf = async (request: RangeRequest): Promise<string> =>
      (await on.client.range(request)).kvs.map(({ key }) => key).join(" ");
    const all = { key: "\0", rangeEnd: FROM_KEY };

    test("a key that is put is there, with its revisions and its version", async () => {
      expect(await on.client.put({ key: "a", value: "1" })).toEqual({
        revision: on.base + 1,
        prevKv: undefined,
      });
      await on.puts(["a", "2"], ["b", "1"]);
      const a = {
        key: "a",
        createRevision: on.base + 1,
        modRevision: on.base + 2,
        version: 2,
        value: "2",
        lease: 0n,
      };
      expect(await on.client.range({ key: "a" })).toEqual({
        revision: on.base + 3,
        kvs: [a],
        more: false,
        count: 1,
      });
    });

    test("a key that was deleted begins again", async () => {
      await on.puts(["a", "1"], ["a", "2"]);
      await on.client.delete({ key: "a" });
      await on.puts(["a", "3"]);
      const [kv] = (await on.client.range({ key: "a" })).kvs;
      expect(kv).toMatchObject({
        createRevision: on.base + 4,
        modRevision: on.base + 4,
        version: 1,
      });
    });

    test("the same value again is a new revision", async () => {
      await on.puts(["a", "1"], ["a", "1"]);
      const [kv] = (await on.client.range({ key: "a" })).kvs;
      expect(kv).toMatchObject({ modRevision: on.base + 2, version: 2 });
    });

    test("a missing key is an empty answer", async () => {
      expect(await on.client.range({ key: "a" })).toEqual({
        revision: on.base,
        kvs: [],
        more: false,
        count: 0,
      });
    });

    test("keys and values are bytes: zero, 0xff, no UTF-8, and no value at all", async () => {
      const everyByte = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
      await on.puts(["\0", "zero"], ["a\0", ""], ["a\xff", "\xff\xfe"], ["\xff\xff", everyByte]);
      const { kvs } = await on.client.range(all);
      expect(pairs(kvs)).toEqual(["\0=zero", "a\0=", "a\xff=\xff\xfe", `\xff\xff=${everyByte}`]);
    });

    test.each([
      ["a key", "b", "", "b"],
      ["up to the end, without it", "a", "c", "a ab b"],
      ["an end that is no key", "a", "b\0", "a ab b"],
      ["an end before the key", "c", "a", ""],
      ["an end at the key", "b", "b", ""],
      ["from a key on", "b", "\0", "b c \xff"],
      ["every key", "\0", "\0", "a ab b c \xff"],
      ["a prefix", "a", "b", "a ab"],
      ["between keys", "aa", "bb", "ab b"],
    ])("ranges: %s", async (_, key, rangeEnd, expected) => {
      await on.puts(["b", "1"], ["a", "2"], ["c", "3"], ["ab", "4"], ["\xff", "5"]);
      expect(await keysOf({ key, rangeEnd })).toBe(expected);
    });

    test("an old revision is what was there then, and the header says what is now", async () => {
      await on.puts(["a", "1"], ["b", "1"], ["a", "2"]);
      await on.client.delete({ key: "b" });
      const at = async (revision: number): Promise<string[]> => on.all(on.base + revision);
      expect(await at(1)).toEqual(["a=1"]);
      expect(await at(2)).toEqual(["a=1", "b=1"]);
      expect(await at(3)).toEqual(["a=2", "b=1"]);
      expect(await at(4)).toEqual(["a=2"]);
      const old = await on.client.range({ ...all, revision: on.base + 1 });
      expect([old.revision, old.kvs[0]?.version, old.count]).toEqual([on.base + 4, 1, 1]);
    });

    test("revision 0 and below is the present", async () => {
      await on.puts(["a", "1"]);
      for (const revision of [0, -1, -100]) {
        expect(pairs((await on.client.range({ key: "a", revision })).kvs)).toEqual(["a=1"]);
      }
    });

    test("a future revision is refused", async () => {
      await expectRefusal(on.client.range({ key: "a", revision: on.base + 1 }), "future");
      await expectRefusal(on.client.range({ ...all, revision: on.base + 1 }), "future");
      await expectRefusal(
        on.client.range({ ...all, countOnly: true, revision: on.base + 1 }),
        "future",
      );
    });

    test("limit cuts off, says so, and leaves the count", async () => {
      await on.puts(["a", "1"], ["b", "2"], ["c", "3"]);
      const cut = async (limit: number): Promise<unknown> => {
        const { kvs, more, count } = await on.client.range({ ...all, limit });
        return [pairs(kvs).join(" "), more, count];
      };
      expect(await cut(1)).toEqual(["a=1", true, 3]);
      expect(await cut(2)).toEqual(["a=1 b=2", true, 3]);
      expect(await cut(3)).toEqual(["a=1 b=2 c=3", false, 3]);
      expect(await cut(9)).toEqual(["a=1 b=2 c=3", false, 3]);
      expect(await cut(0)).toEqual(["a=1 b=2 c=3", false, 3]);
      expect(await cut(-1)).toEqual(["a=1 b=2 c=3", false, 3]);
    });

    test.each([
      ["key", SortTarget.key, "a b c d"],
      ["version", SortTarget.version, "d c b a"],
      ["create", SortTarget.create, "c a d b"],
      ["mod", SortTarget.mod, "d c b a"],
      ["value", SortTarget.value, "b c a d"],
    ])("sorting by %s, ascending also without an order", async (_, sortTarget, ascending) => {
      // Values by byte, not by length. No two are the same in anything: etcd's sort is not stable.
      await on.puts(["c", "x"], ["a", "x"], ["a", "x"], ["a", "x"], ["d", "9"], ["b", "x"]);
      await on.puts(["b", "x"], ["c", "2"], ["b", "10"], ["a", "3"]);
      const request = { ...all, sortTarget };
      expect(await keysOf({ ...request, sortOrder: SortOrder.ascend })).toBe(ascending);
      expect(await keysOf({ ...request, sortOrder: SortOrder.none })).toBe(ascending);
      const descending = ascending.split(" ").reverse().join(" ");
      expect(await keysOf({ ...request, sortOrder: SortOrder.descend })).toBe(descending);
    });

    test("the limit is applied after the order", async () => {
      await on.puts(["a", "1"], ["b", "2"], ["c", "3"]);
      const request = { ...all, sortOrder: SortOrder.descend, limit: 2 };
      const { kvs, more, count } = await on.client.range(request);
      expect([pairs(kvs), more, count]).toEqual([["c=3", "b=2"], true, 3]);
    });

    test("unknown enums", async () => {
      await on.puts(["a", "1"], ["b", "2"]);
      const call = on.client.range({ ...all, sortOrder: 7 });
      if (subject.rules === "3.4") {
        // It takes it for none. An unknown target it does not survive, so it is not asked.
        expect((await call).count).toBe(2);
        return;
      }
      await expectRefusal(call, "sortOption");
      await expectRefusal(on.client.range({ ...all, sortTarget: 9 }), "sortOption");
    });

    test("filters by revision leave the count, and come before the limit", async () => {
      await on.puts(["a", "1"], ["b", "2"], ["c", "3"], ["a", "4"]);
      const { base } = on;
      expect(await keysOf({ ...all, minModRevision: base + 3 })).toBe("a c");
      expect(await keysOf({ ...all, maxModRevision: base + 3 })).toBe("b c");
      expect(await keysOf({ ...all, minCreateRevision: base + 2 })).toBe("b c");
      expect(await keysOf({ ...all, maxCreateRevision: base + 1 })).toBe("a");
      expect(await keysOf({ ...all, minModRevision: base + 3, maxCreateRevision: base + 2 })).toBe(
        "a",
      );
      expect(await keysOf({ ...all, minModRevision: base + 4, maxModRevision: base + 2 })).toBe("");
      expect(await keysOf({ ...all, maxModRevision: -1 })).toBe("");
      expect(await keysOf({ ...all, minModRevision: -5 })).toBe("a b c");
      const cut = await on.client.range({ ...all, minModRevision: base + 3, limit: 1 });
      expect([pairs(cut.kvs), cut.more, cut.count]).toEqual([["a=4"], true, 3]);
      const one = await on.client.range({ key: "b", minModRevision: base + 3 });
      expect([one.kvs, one.more, one.count]).toEqual([[], false, 1]);
    });

    test("keys only", async () => {
      const { id } = await on.client.leaseGrant(600);
      await on.client.put({ key: "a", value: "1", lease: id });
      const [kv] = (await on.client.range({ ...all, keysOnly: true })).kvs;
      expect(kv).toEqual({
        key: "a",
        createRevision: on.base + 1,
        modRevision: on.base + 1,
        version: 1,
        value: "",
        lease: id,
      });
    });

    test("count only: no keys, nothing more, whatever the limit and the filters", async () => {
      await on.puts(["a", "1"], ["b", "2"], ["c", "3"]);
      const request = { ...all, countOnly: true, limit: 1, maxModRevision: on.base + 1 };
      const expected = { revision: on.base + 3, kvs: [], more: false, count: 3 };
      expect(await on.client.range(request)).toEqual(expected);
      expect(await on.client.range({ ...request, revision: on.base + 2 })).toEqual({
        ...expected,
        count: 2,
      });
    });

    test("serializable reads are the same reads", async () => {
      await on.puts(["a", "1"]);
      expect((await on.client.range({ key: "a", serializable: true })).count).toBe(1);
    });

    test("the previous pair", async () => {
      expect((await on.client.put({ key: "a", value: "1", prevKv: true })).prevKv).toBeUndefined();
      const { prevKv } = await on.client.put({ key: "a", value: "2", prevKv: true });
      expect(prevKv).toMatchObject({ value: "1", modRevision: on.base + 1, version: 1 });
      expect((await on.client.put({ key: "a", value: "3" })).prevKv).toBeUndefined();
    });

    test("ignore_value keeps the value, ignore_lease the lease", async () => {
      const { id } = await on.client.leaseGrant(600);
      await on.client.put({ key: "a", value: "1", lease: id });
      await on.client.put({ key: "a", value: "2", ignoreLease: true });
      const [second] = (await on.client.range({ key: "a" })).kvs;
      expect(second).toMatchObject({ value: "2", lease: id, version: 2 });
      await on.client.put({ key: "a", ignoreValue: true });
      const [third] = (await on.client.range({ key: "a" })).kvs;
      expect(third).toMatchObject({ value: "2", lease: 0n, version: 3 });
      await on.client.put({ key: "a", ignoreValue: true, lease: id });
      await on.client.put({ key: "a", ignoreValue: true, ignoreLease: true });
      const [last] = (await on.client.range({ key: "a" })).kvs;
      expect(last).toMatchObject({ value: "2", lease: id, version: 5 });
    });

    test("puts that are refused change nothing", async () => {
      const { id } = await on.client.leaseGrant(600);
      await expectRefusal(on.client.put({ key: "", value: "1" }), "emptyKey");
      await expectRefusal(on.client.put({ key: "a", value: "1", lease: 987654n }), "leaseNotFound");
      await expectRefusal(on.client.put({ key: "a", value: "1", lease: -5n }), "leaseNotFound");
      await expectRefusal(
        on.client.put({ key: "a", value: "1", ignoreValue: true }),
        "valueProvided",
      );
      await expectRefusal(
        on.client.put({ key: "a", lease: id, ignoreLease: true }),
        "leaseProvided",
      );
      await expectRefusal(on.client.put({ key: "a", ignoreValue: true }), "keyNotFound");
      await expectRefusal(on.client.put({ key: "a", ignoreLease: true }), "keyNotFound");
      expect(await on.revision()).toBe(on.base);
    });

    test("of two reasons to refuse a put the first is given", async () => {
      const both = { key: "missing", lease: 987654n };
      await expectRefusal(
        on.client.put({ key: "", value: "1", ignoreValue: true, ignoreLease: true, lease: 1n }),
        "emptyKey",
      );
      await expectRefusal(
        on.client.put({ ...both, value: "1", ignoreValue: true, ignoreLease: true }),
        "valueProvided",
      );
      await expectRefusal(on.client.put({ ...both, ignoreValue: true }), "leaseNotFound");
      await expectRefusal(on.client.range({ key: "", revision: on.base + 9 }), "emptyKey");
    });

    test("delete one, many, none", async () => {
      await on.puts(["a", "1"], ["b", "2"], ["c", "3"], ["d", "4"]);
      const gone = await on.client.delete({ key: "b", rangeEnd: "d", prevKv: true });
      expect([gone.revision, gone.deleted, pairs(gone.prevKvs)]).toEqual([
        on.base + 5,
        2,
        ["b=2", "c=3"],
      ]);
      expect(await on.client.delete({ key: "b" })).toEqual({
        revision: on.base + 5,
        deleted: 0,
        prevKvs: [],
      });
      expect(await on.client.delete({ key: "a" })).toEqual({
        revision: on.base + 6,
        deleted: 1,
        prevKvs: [],
      });
      expect(await on.all()).toEqual(["d=4"]);
      expect((await on.client.delete({ key: "\0", rangeEnd: FROM_KEY })).deleted).toBe(1);
      expect((await on.client.delete({ key: "z", rangeEnd: "a" })).deleted).toBe(0);
    });

    test("an empty key is refused, with and without an end", async () => {
      await expectRefusal(on.client.range({ key: "" }), "emptyKey");
      await expectRefusal(on.client.range({ key: "", rangeEnd: "z" }), "emptyKey");
      await expectRefusal(on.client.delete({ key: "" }), "emptyKey");
      await expectRefusal(on.client.delete({ key: "", rangeEnd: "\0" }), "emptyKey");
    });
  });
}
