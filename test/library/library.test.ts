/** The library as a program uses it: signals, iterations, ends, bytes, and arguments that no request could carry. */
import { beforeEach, describe, expect, test } from "vitest";
import { compare, EtcdError, op, Strata, type WatchResponse } from "../../src/index.ts";

const ALL = { prefix: "" } as const;
let store: Strata;

beforeEach(async () => {
  store = await Strata.open({ memory: true });
  return async () => {
    await store.close();
    expect(store.member.watches.watchers).toBe(0);
  };
});

async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return "nothing was thrown";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** Every call there is. */
const CALLS: readonly (readonly [string, (s: Strata, signal?: AbortSignal) => unknown])[] = [
  ["put", (s, signal) => s.put("a", "1", { signal })],
  ["get", (s, signal) => s.get("a", { signal })],
  ["get at a revision", (s, signal) => s.get("a", { signal, revision: 1 })],
  ["range", (s, signal) => s.range(ALL, { signal }).next()],
  ["rangeAll", (s, signal) => s.rangeAll(ALL, { signal })],
  ["count", (s, signal) => s.count(ALL, { signal })],
  ["delete", (s, signal) => s.delete("a", { signal })],
  ["txn", (s, signal) => s.txn({ success: [op.put("a", "1")] }, { signal })],
  ["txn that reads", (s, signal) => s.txn({ success: [op.get("a")] }, { signal })],
  ["compact", (s, signal) => s.compact(1, { signal })],
  ["lease.grant", (s, signal) => s.lease.grant(60, { signal })],
  ["lease.revoke", (s, signal) => s.lease.revoke(1n, { signal })],
  ["lease.keepAlive", (s, signal) => s.lease.keepAlive(1n, { signal })],
  ["lease.timeToLive", (s, signal) => s.lease.timeToLive(1n, { signal })],
  ["lease.list", (s, signal) => s.lease.list({ signal })],
  ["alarms.activate", (s, signal) => s.alarms.activate("noSpace", { signal })],
];

describe("signals", () => {
  test.each(CALLS)("%s does nothing once its signal has aborted", async (_, call) => {
    const reason = new Error("enough");
    await expect(async () => call(store, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(store.status().revision).toBe(1n);
  });

  test("a put that is under way rejects at once and leaves no listener behind", async () => {
    const controller = new AbortController();
    const put = store.put("a", "1", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(put).rejects.toThrow("enough");
    await store.put("b", "1");
    expect((await store.get("a"))?.value.string()).toBe("1"); // It was on its way.
  });

  test("a watch whose signal aborts ends", async () => {
    const controller = new AbortController();
    const watch = store.watch(ALL, { signal: controller.signal });
    const next = watch.next();
    expect(store.member.watches.watchers).toBe(1);
    controller.abort();
    expect((await next).done).toBe(true);
    expect(store.member.watches.watchers).toBe(0);
    expect((await store.watch(ALL, { signal: controller.signal }).next()).done).toBe(true);
  });
});

describe("the end", () => {
  test.each(CALLS)("%s after close says so", async (_, call) => {
    await store.close();
    expect(await codeOf(() => call(store))).toBe("CLOSED");
  });

  test("so does watch", async () => {
    await store.close();
    expect(await codeOf(() => store.watch(ALL))).toBe("CLOSED");
  });

  test("closing twice, and at the same time, is closing once", async () => {
    await Promise.all([store.close(), store.close()]);
    await store.close();
  });

  test("writes that are under way are done first, and watches end", async () => {
    const watch = store.watch(ALL);
    const put = store.put("a", "1");
    const closed = store.close();
    expect((await put).revision).toBe(2n);
    await closed;
    const seen: WatchResponse[] = [];
    for await (const response of watch) seen.push(response);
    expect(seen.length).toBeLessThanOrEqual(1);
  });

  test("await using closes", async () => {
    let kept: Strata;
    {
      await using inner = await Strata.open({ memory: true });
      kept = inner;
      await inner.put("a", "1");
    }
    expect(await codeOf(() => kept.get("a"))).toBe("CLOSED");
  });

  test("a range that is under way ends with CLOSED", async () => {
    await fill(store, 3000);
    const range = store.range(ALL);
    await range.next();
    await store.close();
    const rest = async (): Promise<void> => {
      for await (const _ of range);
    };
    expect(await codeOf(rest)).toBe("CLOSED");
  });
});

describe("ranges", () => {
  test("of many pages, while everything is changed: as it was when it began", async () => {
    await fill(store, 3500);
    const seen: string[] = [];
    for await (const { key, value } of store.range(ALL)) {
      if (seen.length % 500 === 0) {
        await store.delete({ start: key.string() });
        await store.put(`0${seen.length}`, "new");
      }
      seen.push(`${key.string()}=${value.string()}`);
    }
    expect(seen).toEqual(Array.from({ length: 3500 }, (_, i) => `${name(i)}=${i}`));
  });

  test("overtaken by a compaction", async () => {
    await fill(store, 3500);
    const { revision } = await store.put("z", "1");
    const range = store.range(ALL, { revision: revision - 1n });
    await range.next();
    await store.compact(revision);
    let seen = 1;
    const rest = async (): Promise<void> => {
      for await (const _ of range) seen++;
    };
    expect(await codeOf(rest)).toBe("COMPACTED");
    expect(seen).toBe(1000);
  });

  test("with a limit beyond a page, sorted, filtered, keys only", async () => {
    await fill(store, 2500);
    const keys = async (options: object): Promise<string[]> => {
      const all: string[] = [];
      for await (const { key } of store.range(ALL, options)) all.push(key.string());
      return all;
    };
    expect((await keys({ limit: 1700 })).length).toBe(1700);
    expect((await keys({ limit: 1, order: "descend" }))[0]).toBe(name(2499));
    expect((await keys({ sortBy: "value", limit: 3 })).length).toBe(3);
    expect((await keys({ minModRevision: 20, keysOnly: true })).length).toBe(2500 - 18 * 100);
    expect((await keys({ limit: -1 })).length).toBe(2500);
  });

  test("rangeAll's revision is that of what it read, so a watch from there misses nothing", async () => {
    await fill(store, 40_000);
    const before = store.status().revision;
    const reading = store.rangeAll(ALL);
    for (let i = 0; i < 5; i++) await store.put("a", `${i}`);
    const { revision, kvs } = await reading;
    const mods = kvs.map(({ modRevision }) => Number(modRevision));
    const newest = BigInt(Math.max(...mods.slice(0, 10), ...mods.slice(-10)));
    expect([revision, newest]).toEqual([before, before]);
  });

  test("what is wrong is said in etcd's order: the key, then the revision", async () => {
    const revision = 99;
    expect(await codeOf(() => store.rangeAll("", { revision }))).toBe("EMPTY_KEY");
    expect(await codeOf(() => store.count("", { revision }))).toBe("EMPTY_KEY");
    expect(await codeOf(() => store.range("", { revision }).next())).toBe("EMPTY_KEY");
    expect(await codeOf(() => store.get("", { revision }))).toBe("EMPTY_KEY");
    expect(await codeOf(() => store.get("a", { revision }))).toBe("FUTURE");
  });
});

describe("watches", () => {
  test.each(["break", "throw", "return"])(
    "a consumer that leaves by %s leaves nothing behind",
    async (how) => {
      const consume = async (): Promise<void> => {
        for await (const { events } of store.watch(ALL)) {
          expect(events.length).toBe(1);
          if (how === "break") break;
          if (how === "throw") throw new Error("enough");
          return;
        }
      };
      const consumed = consume().catch((error: Error) => expect(error.message).toBe("enough"));
      await store.put("a", "1");
      await consumed;
      expect(store.member.watches.watchers).toBe(0);
    },
  );

  test("what it is told belongs to it: others see no change it makes", async () => {
    const [one, other] = [store.watch("a", { prevKv: true }), store.watch("a", { prevKv: true })];
    await store.put("a", "old");
    await store.put("a", "new");
    for (let i = 0; i < 2; i++) {
      for (const { kv, prevKv } of (await one.next()).value?.events ?? []) {
        kv.value.fill(0);
        kv.key.fill(0);
        prevKv?.value.fill(0);
      }
    }
    const seen: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      for (const { kv, prevKv } of (await other.next()).value?.events ?? []) {
        seen.push([kv.key.string(), kv.value.string(), prevKv?.value.string()]);
      }
    }
    expect(seen).toEqual([
      ["a", "old", undefined],
      ["a", "new", "old"],
    ]);
    expect((await store.get("a"))?.value.string()).toBe("new");
    await one.return?.();
    await other.return?.();
  });

  test("from what is compacted it throws COMPACTED, and says where", async () => {
    const { revision } = await store.put("a", "1");
    await store.put("a", "2");
    await store.compact(revision + 1n, { physical: true });
    const watch = store.watch("a", { startRevision: revision });
    expect(await codeOf(() => watch.next())).toBe("COMPACTED");
    expect(watch.compactRevision).toBe(revision + 1n);
    expect((await watch.next()).done).toBe(true);
  });
});

describe("bytes", () => {
  const bytes = new Uint8Array([0, 0xff, 0xfe, 0x80, 0]);

  test("keys and values of any bytes, and none", async () => {
    await store.put(bytes, bytes);
    await store.put("empty", "");
    const kv = await store.get(bytes);
    expect([[...(kv?.key ?? [])], [...(kv?.value ?? [])]]).toEqual([[...bytes], [...bytes]]);
    expect((await store.get("empty"))?.value.length).toBe(0);
    expect((await store.get("empty"))?.value.string()).toBe("");
    expect(await store.count({ prefix: new Uint8Array([0]) })).toBe(1);
    await store.put(new Uint8Array([0xff, 0xff]), "last");
    expect(await store.count({ prefix: new Uint8Array([0xff]) })).toBe(1);
    expect(await store.count({ start: "" })).toBe(3);
    expect(await store.count({ prefix: "empt" })).toBe(1);
    await store.put("schlüssel", "größe");
    const [found] = (await store.rangeAll({ prefix: "schl" })).kvs;
    expect([found?.key.string(), found?.value.string()]).toEqual(["schlüssel", "größe"]);
  });

  test("JSON, and what is none", async () => {
    await store.put("a", JSON.stringify({ b: [1, null] }));
    await store.put("b", "{");
    expect((await store.get("a"))?.value.json()).toEqual({ b: [1, null] });
    const b = await store.get("b");
    expect(() => b?.value.json()).toThrow(SyntaxError);
  });

  test("the caller's bytes may change as soon as the call was made", async () => {
    const [key, value] = [Buffer.from("key"), Buffer.alloc(100_000, "v")];
    const watch = store.watch(ALL);
    const success = [op.put(key, value)];
    const calls = [store.put("other", value), store.txn({ success })];
    success.push(op.put("not this", "1"));
    key.fill(0);
    value.fill(0);
    await Promise.all(calls);
    expect(await store.count(ALL)).toBe(2);
    expect((await store.get("other"))?.value.every((byte) => byte === 118)).toBe(true);
    expect((await store.get("key"))?.value.every((byte) => byte === 118)).toBe(true);
    await watch.return?.();
  });

  test("a value that was read is the caller's own", async () => {
    await store.put("a", "1");
    (await store.get("a"))?.value.fill(0);
    expect((await store.get("a"))?.value.string()).toBe("1");
  });

  test("1 MB goes, what is above the limit does not: value, key, transaction", async () => {
    const large = Buffer.alloc(1024 * 1024, "x");
    await store.put("a", large);
    expect(large.equals((await store.get("a"))?.value ?? Buffer.alloc(0))).toBe(true);
    const half = 0.5 * 1024 * 1024;
    const tooLarge = Buffer.alloc(3 * half);
    for (const call of [
      (): unknown => store.put("b", tooLarge),
      (): unknown => store.put(tooLarge, "b"),
      (): unknown => store.delete(tooLarge),
      (): unknown => store.txn({ success: [op.put("b", large)], failure: [op.put("b", large)] }),
    ]) {
      const error = await Promise.resolve(call()).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(EtcdError);
      expect((error as EtcdError).message).toBe("etcdserver: request is too large");
      expect((error as EtcdError).grpcStatus).toBe(3);
    }
    expect(store.status().revision).toBe(2n);
  });
});

describe("arguments that are none", () => {
  const NUMBERS = [Number.NaN, 1.5, Number.POSITIVE_INFINITY, 2n ** 64n];

  test.each(NUMBERS)("%s is refused, and changes nothing", async (n) => {
    const calls: readonly (() => unknown)[] = [
      () => store.compact(n),
      () => store.get("a", { revision: n }),
      () => store.rangeAll(ALL, { revision: n }),
      () => store.rangeAll(ALL, { minModRevision: n }),
      () => store.rangeAll(ALL, { limit: Number(n) / 3 }),
      () => store.lease.grant(Number(n) / 3),
      () => store.watch(ALL, { startRevision: n }),
      () => store.txn({ compare: [compare.version("a", "=", n)], success: [op.put("a", "1")] }),
    ];
    for (const call of calls) expect(await codeOf(call)).toBe("BAD_ARGUMENT");
    expect(store.status()).toMatchObject({ revision: 1n, compactedRevision: -1n, leases: 0 });
  });

  test("ids of more than 64 bits", async () => {
    const id = 2n ** 63n;
    expect(await codeOf(() => store.lease.grant(60, { id }))).toBe("BAD_ARGUMENT");
    expect(await codeOf(() => store.lease.revoke(id))).toBe("BAD_ARGUMENT");
    expect(await codeOf(() => store.put("a", "1", { lease: id }))).toBe("BAD_ARGUMENT");
    expect(await codeOf(() => store.txn({ compare: [compare.lease("a", "=", id)] }))).toBe(
      "BAD_ARGUMENT",
    );
  });

  test("an empty key, wherever", async () => {
    const calls: readonly (() => unknown)[] = [
      () => store.put("", "1"),
      () => store.get(""),
      () => store.delete(""),
      () => store.watch(""),
      () => store.txn({ success: [op.delete("")] }),
      () => store.txn({ compare: [compare.version("", "=", 0)] }),
    ];
    for (const call of calls) expect(await codeOf(call)).toBe("EMPTY_KEY");
  });
});

function name(i: number): string {
  return `k${String(i).padStart(6, "0")}`;
}

async function fill(into: Strata, count: number): Promise<void> {
  const calls: Promise<unknown>[] = [];
  for (let at = 0; at < count; at += 100) {
    const length = Math.min(100, count - at);
    const success = Array.from({ length }, (_, i) => op.put(name(at + i), `${at + i}`));
    calls.push(into.txn({ success }));
  }
  await Promise.all(calls);
}
