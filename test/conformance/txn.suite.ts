/** Txn: api.md 4.5. */
import { expect, test } from "vitest";
import {
  type Compare,
  type Op,
  type OpAnswer,
  Relation,
  type Subject,
  Target,
  type TxnRequest,
} from "./client.ts";
import { expectRefusal, type RefusalName } from "./errors.ts";
import { describeOn, pairs } from "./suite.ts";

const put = (key: string, value = "new"): Op => ({ put: { key, value } });
const del = (key: string, rangeEnd = ""): Op => ({ delete: { key, rangeEnd } });
const get = (key: string, rangeEnd = "", revision = 0): Op => ({
  range: { key, rangeEnd, revision },
});
const txn = (success: readonly Op[], failure: readonly Op[] = []): Op => ({
  txn: { success, failure },
});
const EVERY = ["\0", "\0"] as const;

export function describeTxn(subject: Subject): void {
  describeOn("txn", subject, {}, (on) => {
    const holds = async (...compare: readonly Compare[]): Promise<boolean> =>
      (await on.client.txn({ compare })).succeeded;
    const isVersion = (key: string, version: number): Compare => ({
      key,
      target: Target.version,
      result: Relation.equal,
      version,
    });

    test("all of it is one revision, and its reads see what was done before them", async () => {
      await on.puts(["a", "1"], ["b", "1"]);
      const answer = await on.client.txn({
        success: [
          get(...EVERY),
          put("a", "2"),
          get(...EVERY),
          del("b"),
          get(...EVERY),
          put("c", "3"),
        ],
      });
      const { base } = on;
      expect(answer.revision).toBe(base + 3);
      expect(answer.succeeded).toBe(true);
      expect(answer.responses.map(summary)).toEqual([
        [base + 2, "a=1 b=1"],
        [base + 3, "put"],
        [base + 3, "a=2 b=1"],
        [base + 3, "deleted 1"],
        [base + 3, "a=2"],
        [base + 3, "put"],
      ]);
      const { kvs } = await on.client.range({ key: "a", rangeEnd: "z" });
      expect(kvs.map(({ modRevision }) => modRevision)).toEqual([base + 3, base + 3]);
    });

    test("a delete of nothing, a read, an empty list: no new revision", async () => {
      for (const success of [[del("x")], [get("x")], [], [txn([])], [txn([del("x")])]]) {
        const { revision } = await on.client.txn({ success });
        expect(revision).toBe(on.base);
      }
      expect(await on.revision()).toBe(on.base);
    });

    test("failure without operations is no error", async () => {
      const compare = [isVersion("a", 5)];
      expect(await on.client.txn({ compare, success: [put("a")] })).toEqual({
        revision: on.base,
        succeeded: false,
        responses: [],
      });
    });

    test("no comparison holds, several must all hold", async () => {
      await on.puts(["a", "1"]);
      expect(await holds()).toBe(true);
      expect(await holds(isVersion("a", 1), isVersion("b", 0))).toBe(true);
      expect(await holds(isVersion("a", 1), isVersion("b", 1))).toBe(false);
      expect(await holds(isVersion("a", 2), isVersion("b", 0))).toBe(false);
    });

    const RELATIONS = [
      ["less", Relation.less],
      ["equal", Relation.equal],
      ["greater", Relation.greater],
      ["notEqual", Relation.notEqual],
    ] as const;
    /** How the operand 1 below, at and 1 above compares, by relation. */
    const expected: Readonly<Record<keyof typeof Relation, string>> = {
      less: "--+",
      equal: "-+-",
      greater: "+--",
      notEqual: "+-+",
    };
    test.each(RELATIONS)("every target, %s", async (name, result) => {
      const { id } = await on.client.leaseGrant(600, 1234n);
      await on.puts(["a", "5"], ["a", "5"]);
      await on.client.put({ key: "a", value: "5", lease: id });
      const { base } = on;
      const ways: readonly ((by: number) => Compare)[] = [
        (by) => ({ key: "a", result, target: Target.version, version: 3 + by }),
        (by) => ({ key: "a", result, target: Target.create, createRevision: base + 1 + by }),
        (by) => ({ key: "a", result, target: Target.mod, modRevision: base + 3 + by }),
        (by) => ({ key: "a", result, target: Target.value, value: `${5 + by}` }),
        (by) => ({ key: "a", result, target: Target.lease, lease: id + BigInt(by) }),
      ];
      for (const way of ways) {
        let seen = "";
        for (const by of [-1, 0, 1]) seen += (await holds(way(by))) ? "+" : "-";
        expect(seen).toBe(expected[name]);
      }
    });

    test("values compare byte by byte", async () => {
      await on.puts(["a", "\xff"], ["b", "10"], ["c", ""]);
      const value = (key: string, result: number, operand: string): Promise<boolean> =>
        holds({ key, result, target: Target.value, value: operand });
      expect(await value("a", Relation.greater, "\x7f\xff")).toBe(true);
      expect(await value("b", Relation.less, "9")).toBe(true);
      expect(await value("b", Relation.greater, "1")).toBe(true);
      expect(await value("c", Relation.equal, "")).toBe(true);
      expect(await value("c", Relation.less, "\0")).toBe(true);
    });

    test("a missing key has version, revisions and lease 0, and no value that could be compared", async () => {
      const key = "missing";
      const { equal, less, notEqual } = Relation;
      expect(await holds({ key, result: equal, target: Target.version, version: 0 })).toBe(true);
      expect(await holds({ key, result: equal, target: Target.create, createRevision: 0 })).toBe(
        true,
      );
      expect(await holds({ key, result: less, target: Target.mod, modRevision: 1 })).toBe(true);
      expect(await holds({ key, result: equal, target: Target.lease, lease: 0n })).toBe(true);
      for (const result of Object.values(Relation)) {
        expect(await holds({ key, result, target: Target.value, value: "" })).toBe(false);
        expect(await holds({ key, result, target: Target.value, value: "x" })).toBe(false);
      }
      expect(await holds({ key, result: notEqual, target: Target.version, version: 1 })).toBe(true);
    });

    test("an operand that is another's, or none, is 0 or empty", async () => {
      await on.puts(["a", ""], ["b", "1"]);
      const { equal, greater } = Relation;
      expect(await holds({ key: "a", result: equal, target: Target.value })).toBe(true);
      expect(await holds({ key: "a", result: equal, target: Target.value, version: 1 })).toBe(true);
      expect(await holds({ key: "b", result: greater, target: Target.version })).toBe(true);
      expect(await holds({ key: "b", result: equal, target: Target.version, modRevision: 1 })).toBe(
        false,
      );
      expect(await holds({ key: "b", result: greater, target: Target.mod, value: "zzz" })).toBe(
        true,
      );
      expect(await holds({ key: "b", result: equal, target: Target.lease, version: 5 })).toBe(true);
    });

    test("a comparison of a range is of every key in it", async () => {
      await on.puts(["a", "1"], ["b", "1"], ["c", "2"]);
      const is1 = (key: string, rangeEnd: string): Compare => ({
        ...{ key, rangeEnd, target: Target.value, result: Relation.equal, value: "1" },
      });
      expect(await holds(is1("a", "c"))).toBe(true);
      expect(await holds(is1("a", "d"))).toBe(false);
      expect(await holds(is1("a", "\0"))).toBe(false);
      // No key at all counts as one that is missing.
      expect(await holds(is1("x", "z"))).toBe(false);
      expect(await holds({ ...isVersion("x", 0), rangeEnd: "z" })).toBe(true);
      expect(await holds({ ...isVersion("x", 0), rangeEnd: "\0" })).toBe(true);
      expect(await holds({ ...isVersion("c", 0), rangeEnd: "a" })).toBe(true);
    });

    test("comparisons inside are made against the state before all of it", async () => {
      const inner: TxnRequest = {
        compare: [isVersion("a", 0)],
        success: [put("b", "yes")],
        failure: [put("b", "no")],
      };
      const answer = await on.client.txn({ success: [put("a"), { txn: inner }, get(...EVERY)] });
      expect(answer.responses.map(summary)).toEqual([
        [on.base + 1, "put"],
        [undefined, "true put"],
        [on.base + 1, "a=new b=yes"],
      ]);
      expect(answer.revision).toBe(on.base + 1);
    });

    test("transactions in transactions in transactions", async () => {
      const answer = await on.client.txn({
        compare: [isVersion("a", 9)],
        success: [put("never")],
        failure: [
          txn([txn([put("a", "1")]), txn([put("b", "2")], [put("b", "3")])]),
          get(...EVERY),
        ],
      });
      expect(answer.responses.map(summary)).toEqual([
        [undefined, "true true put,true put"],
        [on.base + 1, "a=1 b=2"],
      ]);
    });

    const twice: readonly (readonly [string, readonly Op[], boolean])[] = [
      ["two puts of a key", [put("a"), put("a")], false],
      ["a put and a delete of it", [put("a"), del("a")], false],
      ["a delete and a put of it", [del("a"), put("a")], false],
      ["a put in a deleted range", [del("a", "c"), put("b")], false],
      ["a put in a range to the last key", [del("b", "\0"), put("z")], true],
      ["a put before a deleted range", [del("b", "\0"), put("a")], true],
      ["a put at the end of a deleted range", [del("a", "b"), put("b")], true],
      ["a range that is none", [del("c", "a"), put("b")], true],
      ["two deletes", [del("a"), del("a")], true],
      ["overlapping deletes", [del("a", "c"), del("b", "d")], true],
      ["reads", [get("a"), put("a"), get("a"), get("a", "z")], true],
      ["a put inside and outside", [put("a"), txn([put("a")])], false],
      ["a put in an inner failure and outside", [put("a"), txn([], [put("a")])], false],
      ["a put in both branches inside", [txn([put("a")], [put("a")])], true],
      ["a put in two transactions inside", [txn([put("a")]), txn([put("a")])], false],
      ["a put in branches of two inside", [txn([put("a")]), txn([], [put("a")])], false],
      ["a put inside and a delete outside", [del("a"), txn([put("a")])], false],
      ["a delete inside and a put outside", [put("a"), txn([del("a")])], false],
      ["a delete inside, then a put inside", [txn([del("a")]), txn([put("a")])], false],
      ["a put inside, then a delete inside", [txn([put("a")]), txn([del("a")])], true],
      ["a put and a delete in branches inside", [txn([put("a")], [del("a")])], true],
      ["deep down", [txn([txn([put("a")])]), put("a")], false],
    ];

    test.each(twice)("the same key twice: %s", async (_, ops, allowed) => {
      for (const request of [{ success: ops }, { failure: ops }, { success: [txn(ops)] }]) {
        if (allowed) expect((await on.client.txn(request)).revision).toBeGreaterThan(0);
        else await expectRefusal(on.client.txn(request), "duplicateKey");
      }
      // Of the two branches only one runs.
      if (allowed) await on.client.txn({ success: ops, failure: ops });
    });

    test("the same put in success and failure", async () => {
      expect((await on.client.txn({ success: [put("a")], failure: [put("a")] })).succeeded).toBe(
        true,
      );
    });

    const many = (n: number, at = 0): Op[] =>
      Array.from({ length: n }, (_, i) => get(`k${at + i}`));
    const compares = (n: number): Compare[] =>
      Array.from({ length: n }, (_, i) => isVersion(`k${i}`, 0));
    const counted: readonly (readonly [string, TxnRequest, boolean])[] = [
      ["128 operations", { success: many(128) }, true],
      ["129 operations", { success: many(129) }, false],
      ["129 in the branch that is not taken", { failure: many(129) }, false],
      ["129 comparisons", { compare: compares(129) }, false],
      ["128 of each", { compare: compares(128), success: many(128), failure: many(128) }, true],
      ["127 and one inside with 1", { success: [...many(126), txn(many(1))] }, true],
      ["127 and one inside with 2", { success: [...many(126), txn(many(2))] }, false],
      ["128 and an empty one inside", { success: [...many(127), txn([])] }, true],
      [
        "the longest list is what is used up",
        { compare: compares(100), success: [txn(many(29))] },
        false,
      ],
      ["and leaves the rest", { compare: compares(100), success: [txn(many(28))] }, true],
    ];

    test.each(counted)("too many operations: %s", async (_, request, allowed) => {
      if (allowed) expect((await on.client.txn(request)).revision).toBe(on.base);
      else await expectRefusal(on.client.txn(request), "tooManyOps");
    });

    const wrong: readonly (readonly [string, TxnRequest, RefusalName])[] = [
      ["an operation that is none", { success: [{ none: true }] }, "keyNotFound"],
      ["in the branch that is not taken", { failure: [{ none: true }] }, "keyNotFound"],
      ["a comparison of the empty key", { compare: [isVersion("", 0)] }, "emptyKey"],
      ["a read of it", { success: [get("")] }, "emptyKey"],
      ["a put of it", { failure: [put("")] }, "emptyKey"],
      ["a delete of it", { success: [txn([del("")])] }, "emptyKey"],
      [
        "a value to ignore",
        { success: [{ put: { key: "a", value: "1", ignoreValue: true } }] },
        "valueProvided",
      ],
      [
        "a lease to ignore",
        { success: [{ put: { key: "a", lease: 7n, ignoreLease: true } }] },
        "leaseProvided",
      ],
      [
        "a missing key whose value is kept",
        { success: [put("b"), { put: { key: "a", ignoreValue: true } }] },
        "keyNotFound",
      ],
      [
        "a missing key whose lease is kept",
        { success: [put("b"), txn([{ put: { key: "a", ignoreLease: true } }])] },
        "keyNotFound",
      ],
      [
        "a lease that is none",
        { success: [put("b"), { put: { key: "a", lease: 987654n } }] },
        "leaseNotFound",
      ],
      ["a future revision", { success: [put("b"), get("a", "", 1_000_000)] }, "future"],
      ["a future revision, reading only", { success: [get("a", "", 1_000_000)] }, "future"],
      [
        "the longest first: counts before fields",
        { success: [put(""), ...many(130)] },
        "tooManyOps",
      ],
      ["fields before duplicates", { success: [put("a"), put("a"), put("")] }, "emptyKey"],
      [
        "duplicates before what the store says",
        { success: [put("a"), put("a"), get("a", "", 1_000_000)] },
        "duplicateKey",
      ],
    ];

    test.each(wrong)("refused as a whole: %s", async (_, request, name) => {
      await expectRefusal(on.client.txn(request), name);
      expect(await on.revision()).toBe(on.base);
      expect(await on.all()).toEqual([]);
    });

    test("what the branch that is not taken would be refused for does not matter", async () => {
      const failure = [{ put: { key: "a", lease: 987654n } }, get("a", "", 1_000_000)];
      expect((await on.client.txn({ success: [put("b")], failure })).succeeded).toBe(true);
    });

    test("a read at its own revision is one of the future", async () => {
      await on.puts(["a", "1"]);
      const { base } = on;
      const success = [put("a", "2"), get("a", "", base + 1)];
      const { responses } = await on.client.txn({ success });
      expect(responses.map(summary)).toEqual([
        [base + 2, "put"],
        [base + 2, "a=1"],
      ]);
      await expectRefusal(
        on.client.txn({ success: [put("a", "3"), get("a", "", base + 3)] }),
        "future",
      );
      expect(await on.all()).toEqual(["a=2"]);
    });

    test("the previous pairs of its own changes", async () => {
      await on.puts(["a", "1"], ["b", "1"]);
      const { responses } = await on.client.txn({
        success: [
          { put: { key: "a", value: "2", prevKv: true } },
          { delete: { key: "b", prevKv: true } },
        ],
      });
      expect(responses).toMatchObject([
        { put: { prevKv: { key: "a", value: "1", version: 1 } } },
        { delete: { deleted: 1, prevKvs: [{ key: "b", value: "1" }] } },
      ]);
    });

    test("a key that is put and then deleted in one transaction", async () => {
      await on.puts(["a", "1"]);
      const success = [
        txn([put("a", "2")]),
        txn([{ delete: { key: "a", prevKv: true } }]),
        get("a"),
      ];
      const { revision, responses } = await on.client.txn({ success });
      expect(revision).toBe(on.base + 2);
      expect(responses[1]).toMatchObject({
        txn: { responses: [{ delete: { prevKvs: [{ value: "2", version: 2 }] } }] },
      });
      expect(await on.all()).toEqual([]);
      expect(await on.all(on.base + 1)).toEqual(["a=1"]);
      await on.puts(["a", "3"]);
      const [kv] = (await on.client.range({ key: "a" })).kvs;
      expect(kv).toMatchObject({ version: 1, createRevision: on.base + 3 });
    });

    test("a key that is deleted from another on and then put begins again", async () => {
      await on.puts(["a", "1"], ["z", "1"], ["z", "2"]);
      const { revision } = await on.client.txn({ success: [del("b", "\0"), put("z", "3")] });
      const expected = {
        ...{ key: "z", createRevision: on.base + 4, modRevision: on.base + 4 },
        ...{ version: 1, value: "3", lease: 0n },
      };
      expect((await on.client.range({ key: "z" })).kvs).toEqual([expected]);
      // An etcd since 3.4.34 and 3.5.16 loses the key here.
      await on.client.compact(revision, true);
      expect((await on.client.range({ key: "z" })).kvs).toEqual([expected]);
      await on.puts(["z", "4"]);
      expect((await on.client.range({ key: "z", revision })).kvs).toEqual([expected]);
      await on.client.compact(revision + 1, true);
      expect(await on.all()).toEqual(["a=1", "z=4"]);
    });

    test("which of two refusals: a range's or a later put's", async () => {
      const success = [get("a", "", 1_000_000), { put: { key: "a", lease: 987654n } }];
      // 3.4 looks at all puts first, newer ones at one operation after the other.
      const name = subject.rules === "3.4" ? "leaseNotFound" : "future";
      await expectRefusal(on.client.txn({ success }), name);
    });

    test("which of two refusals: of a missing key's unknown lease", async () => {
      const success = [{ put: { key: "missing", ignoreValue: true, lease: 987654n } }];
      // 3.4 looks for the key first, though only inside a transaction.
      const name = subject.rules === "3.4" ? "keyNotFound" : "leaseNotFound";
      await expectRefusal(on.client.txn({ success }), name);
    });
  });
}

/** The revision of its header, and what it says. */
function summary(answer: OpAnswer): [number | undefined, string] {
  if ("range" in answer) return [answer.range.revision, pairs(answer.range.kvs).join(" ")];
  if ("put" in answer) return [answer.put.revision, "put"];
  if ("delete" in answer) return [answer.delete.revision, `deleted ${answer.delete.deleted}`];
  const { succeeded, responses } = answer.txn;
  return [undefined, `${succeeded} ${responses.map((one) => summary(one)[1]).join(",")}`];
}
