/** The client library against a server in the process: signals, ends, pages, leases, locks, and what only a cluster has. */

import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Client, compare, EtcdError, op, type WatchResponse } from "../../src/client.ts";
import { EtcdServer } from "../../src/server/server.ts";
import { scratchFolder } from "../support/cleanup.ts";

const ALL = { prefix: "" } as const;

let server: EtcdServer;
let client: Client;
let endpoint: string;

beforeAll(async () => {
  const flags = {
    "data-dir": scratchFolder("client"),
    "listen-client-urls": "http://127.0.0.1:0",
    "unsafe-no-fsync": true,
  };
  server = await EtcdServer.start({ flags });
  endpoint = server.clientUrls[0] ?? "";
});
afterAll(() => server.close());

beforeEach(async () => {
  client = new Client({ endpoints: endpoint });
  await client.delete(ALL);
  return async () => {
    await client.close();
    await expect.poll(() => server.member.watches.watchers).toBe(0);
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

interface Given {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Every call there is. */
const CALLS: readonly (readonly [string, (c: Client, given?: Given) => Promise<unknown>])[] = [
  ["put", (c, given) => c.put("a", "1", given)],
  ["get", (c, given) => c.get("a", given)],
  ["range", (c, given) => c.range(ALL, given).next()],
  ["rangeAll", (c, given) => c.rangeAll(ALL, given)],
  ["count", (c, given) => c.count(ALL, given)],
  ["delete", (c, given) => c.delete("a", given)],
  ["txn", (c, given) => c.txn({ success: [op.put("a", "1")] }, given)],
  ["compact", (c, given) => c.compact(1, given)],
  ["hashKv", (c, given) => c.hashKv(0, given)],
  ["hash", (c, given) => c.hash(given)],
  ["snapshot", (c, given) => c.snapshot(given)],
  ["status", (c, given) => c.status(undefined, given)],
  ["defragment", (c, given) => c.defragment(undefined, given)],
  ["moveLeader", (c, given) => c.moveLeader(1n, given)],
  ["lease.grant", (c, given) => c.lease.grant(60, given)],
  ["lease.revoke", (c, given) => c.lease.revoke(1n, given)],
  ["lease.keepAlive", (c, given) => c.lease.keepAlive(1n, given)],
  ["lease.hold", (c, given) => c.lease.hold(60, given)],
  ["lease.timeToLive", (c, given) => c.lease.timeToLive(1n, given)],
  ["lease.list", (c, given) => c.lease.list(given)],
  ["alarms.list", (c, given) => c.alarms.list(given)],
  ["alarms.activate", (c, given) => c.alarms.activate("noSpace", given)],
  ["alarms.disarm", (c, given) => c.alarms.disarm("noSpace", given)],
  ["members.list", (c, given) => c.members.list(given)],
  ["members.add", (c, given) => c.members.add("http://127.0.0.1:1", given)],
  ["members.update", (c, given) => c.members.update(1n, "http://127.0.0.1:1", given)],
  ["members.remove", (c, given) => c.members.remove(1n, given)],
  ["members.promote", (c, given) => c.members.promote(1n, given)],
  ["auth.enable", (c, given) => c.auth.enable(given)],
  ["auth.disable", (c, given) => c.auth.disable(given)],
  ["auth.status", (c, given) => c.auth.status(given)],
  ["users.add", (c, given) => c.users.add("u", "p", given)],
  ["users.delete", (c, given) => c.users.delete("u", given)],
  ["users.get", (c, given) => c.users.get("u", given)],
  ["users.list", (c, given) => c.users.list(given)],
  ["users.changePassword", (c, given) => c.users.changePassword("u", "p", given)],
  ["users.grantRole", (c, given) => c.users.grantRole("u", "r", given)],
  ["users.revokeRole", (c, given) => c.users.revokeRole("u", "r", given)],
  ["roles.add", (c, given) => c.roles.add("r", given)],
  ["roles.delete", (c, given) => c.roles.delete("r", given)],
  ["roles.get", (c, given) => c.roles.get("r", given)],
  ["roles.list", (c, given) => c.roles.list(given)],
  ["roles.grantPermission", (c, given) => c.roles.grantPermission("r", "read", ALL, given)],
  ["roles.revokePermission", (c, given) => c.roles.revokePermission("r", ALL, given)],
  ["downgrade.validate", (c, given) => c.downgrade.validate("3.4.0", given)],
  ["downgrade.enable", (c, given) => c.downgrade.enable("3.4.0", given)],
  ["downgrade.cancel", (c, given) => c.downgrade.cancel(given)],
  ["strata.jobs", (c, given) => c.strata.jobs(given)],
  ["strata.cancelJob", (c, given) => c.strata.cancelJob(1, given)],
  ["strata.defragment", (c, given) => c.strata.defragment(given)],
  ["strata.checkIntegrity", (c, given) => c.strata.checkIntegrity(given)],
  ["strata.setQuota", (c, given) => c.strata.setQuota(0, given)],
  ["lock", (c, given) => c.lock("l", { signal: given?.signal })],
  ["tryLock", (c, given) => c.tryLock("l", { signal: given?.signal })],
  ["elect", (c, given) => c.elect("e", "me", { signal: given?.signal })],
  ["leader", (c, given) => c.leader("e", given)],
];

/** They wait for others as long as that takes. */
const WITHOUT_DEADLINE = ["lock", "tryLock", "elect"];

describe("signals and deadlines", () => {
  const reason = new Error("enough");

  test.each(CALLS)("%s does nothing once its signal has aborted", async (_, call) => {
    const { revision } = await client.status();
    await expect(call(client, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect((await client.status()).revision).toBe(revision);
  });

  describe("with nobody there", () => {
    let lonely: Client;
    beforeEach(() => {
      lonely = new Client({ endpoints: "127.0.0.1:1" });
      return () => lonely.close();
    });

    test.each(CALLS)("%s rejects as soon as its signal aborts", async (_, call) => {
      const controller = new AbortController();
      const called = call(lonely, { signal: controller.signal });
      setTimeout(() => controller.abort(reason), 5);
      await expect(called).rejects.toBe(reason);
    });

    test.each(CALLS.filter(([name]) => !WITHOUT_DEADLINE.includes(name)))(
      "%s rejects when its time is over",
      async (_, call) => {
        const late = { code: "DEADLINE", message: "context deadline exceeded" };
        await expect(call(lonely, { timeoutMs: 5 })).rejects.toMatchObject(late);
      },
    );

    test.each(CALLS)("%s rejects when the client is closed", async (_, call) => {
      const called = codeOf(() => call(lonely));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await lonely.close();
      expect(await called).toBe("CLOSED");
      expect(await codeOf(() => call(lonely))).toBe("CLOSED");
    });

    test("the client's own deadline is that of calls which say nothing", async () => {
      const hasty = new Client({ endpoints: "127.0.0.1:1", requestTimeoutMs: 5 });
      expect(await codeOf(() => hasty.get("a"))).toBe("DEADLINE");
      await hasty.close();
    });
  });

  test("watches end by their signal, by break, and when the client is closed", async () => {
    const controller = new AbortController();
    const watch = client.watch(ALL, { signal: controller.signal });
    expect(await watch.created).toBe((await client.status()).revision);
    const next = watch.next();
    controller.abort();
    expect((await next).done).toBe(true);
    expect((await client.watch(ALL, { signal: controller.signal }).next()).done).toBe(true);

    const other = client.watch(ALL);
    await other.created;
    await client.put("a", "1");
    for await (const { events } of other) {
      expect(events[0]?.kv.value.string()).toBe("1");
      break;
    }
    const last = client.watch(ALL);
    const ended = last.next();
    await client.close();
    expect((await ended).done).toBe(true);
    expect(await codeOf(() => client.watch(ALL))).toBe("CLOSED");
  });
});

describe("the end", () => {
  test("in the middle of everything: all of it ends, and nothing is left", async () => {
    const success = Array.from({ length: 100 }, (_, i) => op.put(`k${i}`, Buffer.alloc(10_000)));
    await client.txn({ success });
    const watches = Array.from({ length: 20 }, () => client.watch(ALL));
    const ends: Promise<unknown>[] = watches.map(async (watch) => {
      for await (const _ of watch);
      return "CLOSED";
    });
    const held = await client.lease.hold(60);
    const snapshot = await client.snapshot();
    await snapshot.next();
    const range = client.range(ALL);
    await range.next();
    const lock = await client.lock("l");
    for (let i = 0; i < 50; i++) {
      ends.push(
        codeOf(() => client.put(`p${i}`, "1")),
        codeOf(() => client.rangeAll(ALL)),
      );
    }
    ends.push(
      codeOf(() => client.lock("l")),
      codeOf(() => client.elect("l", "")),
    );
    await client.close();
    expect(new Set(await Promise.all(ends))).toEqual(new Set(["CLOSED"]));
    expect((held.lost.reason as { code: string }).code).toBe("CLOSED");
    expect(lock.lost.aborted).toBe(true);
    await held.release();
    await lock.release();
    expect(
      await codeOf(async () => {
        for await (const _ of snapshot);
      }),
    ).not.toBe("CORRUPT");
    const other = new Client({ endpoints: endpoint });
    await Promise.all((await other.lease.list()).map((id) => other.lease.revoke(id)));
    await other.close();
  });

  test("closing twice, and at the same time, is closing once; await using closes", async () => {
    await Promise.all([client.close(), client.close()]);
    await client.close();
    let kept: Client;
    {
      await using inner = new Client({ endpoints: [endpoint] });
      kept = inner;
      await inner.put("a", "1");
    }
    expect(await codeOf(() => kept.get("a"))).toBe("CLOSED");
  });

  test.each([
    [{ endpoints: [] }, "endpoints"],
    [{ endpoints: " , " }, "endpoints"],
    [{ endpoints: "a:1", user: "root" }, "user and password"],
    [{ endpoints: "a:1", tls: { cert: "x" } }, "tls.cert and tls.key"],
    [{ endpoints: "a:1", requestTimeoutMs: 0 }, "requestTimeoutMs"],
    [{ endpoints: "a:1", maxSendBytes: Number.NaN }, "maxSendBytes"],
  ])("no client is made of %o", (options, what) => {
    expect(() => new Client(options)).toThrow(what);
  });
});

describe("ranges", () => {
  test("of many pages, while everything is changed: as it was when it began", async () => {
    await fill(2500);
    const seen: string[] = [];
    for await (const { key, value } of client.range(ALL)) {
      if (seen.length % 500 === 0) {
        await client.delete({ start: key.string() });
        await client.put(`0${seen.length}`, "new");
      }
      seen.push(`${key.string()}=${value.string()}`);
    }
    expect(seen).toEqual(Array.from({ length: 2500 }, (_, i) => `${name(i)}=${i}`));
  });

  test("overtaken by a compaction", async () => {
    await fill(2500);
    const { revision } = await client.put("z", "1");
    const range = client.range(ALL, { revision: revision - 1n });
    await range.next();
    await client.compact(revision);
    let seen = 1;
    const rest = async (): Promise<void> => {
      for await (const _ of range) seen++;
    };
    expect(await codeOf(rest)).toBe("COMPACTED");
    expect(seen).toBe(1000);
  });

  test("with a limit beyond a page, sorted, keys only, counted, serializable", async () => {
    await fill(2200);
    const keys = async (options: object): Promise<string[]> => {
      const all: string[] = [];
      for await (const { key } of client.range(ALL, options)) all.push(key.string());
      return all;
    };
    expect((await keys({ limit: 1700 })).length).toBe(1700);
    expect((await keys({ limit: 1, order: "descend" }))[0]).toBe(name(2199));
    expect((await keys({ sortBy: "value", limit: 3 })).length).toBe(3);
    expect((await keys({ keysOnly: true, serializable: true })).length).toBe(2200);
    expect(await client.count({ prefix: "k0" })).toBe(2200);
    const { kvs, more, count } = await client.rangeAll(ALL, { limit: 5 });
    expect([kvs.length, more, count]).toEqual([5, true, 2200]);
  });
});

describe("arguments that are none", () => {
  test.each([Number.NaN, 1.5, 2n ** 64n])("%s is refused, and changes nothing", async (n) => {
    const { revision } = await client.status();
    const calls: readonly (() => unknown)[] = [
      () => client.compact(n),
      () => client.get("a", { revision: n }),
      () => client.rangeAll(ALL, { minModRevision: n }),
      () => client.lease.grant(Number(n) / 3),
      () => client.watch(ALL, { startRevision: n }),
      () => client.hashKv(n),
      () => client.txn({ compare: [compare.version("a", "=", n)], success: [op.put("a", "1")] }),
    ];
    for (const call of calls) expect(await codeOf(call)).toBe("BAD_ARGUMENT");
    expect((await client.status()).revision).toBe(revision);
  });

  test("an empty key, and a range that can have none", async () => {
    const calls: readonly (() => unknown)[] = [
      () => client.put("", "1"),
      () => client.get(""),
      () => client.delete(""),
      () => client.watch(""),
      () => client.txn({ success: [op.delete("")] }),
    ];
    for (const call of calls) expect(await codeOf(call)).toBe("EMPTY_KEY");
    expect(await codeOf(() => client.watch({ start: "b", end: "a" }))).toBe("BAD_ARGUMENT");
    expect(await codeOf(() => client.watch("a", { startRevision: -1 }))).toBe("BAD_ARGUMENT");
  });

  test("bytes of any kind go and come; what is too large is refused in etcd's words", async () => {
    const bytes = new Uint8Array([0, 0xff, 0xfe, 0x80, 0]);
    await client.put(bytes, bytes);
    const kv = await client.get(bytes);
    expect([[...(kv?.key ?? [])], [...(kv?.value ?? [])]]).toEqual([[...bytes], [...bytes]]);
    const large = Buffer.alloc(1_700_000);
    const refused = client.put("a", large);
    await expect(refused).rejects.toBeInstanceOf(EtcdError);
    await expect(refused).rejects.toThrow("etcdserver: request is too large");
    await expect(client.put("a", Buffer.alloc(3_000_000))).rejects.toMatchObject({
      code: "RPC",
      grpcStatus: 8,
    });
  });
});

describe("watches", () => {
  test("history, then what comes; deletes, prevKv, filters", async () => {
    const { revision } = await client.put("a", "1");
    const watch = client.watch(ALL, { startRevision: revision, prevKv: true, noDelete: true });
    await client.delete("a");
    await client.txn({ success: [op.put("b", "1"), op.put("c", "1")] });
    await client.put("b", "2");
    const seen: string[] = [];
    for await (const { events } of watch) {
      for (const { type, kv, prevKv } of events) {
        seen.push(`${type} ${kv.key.string()}=${kv.value.string()} ${prevKv?.value.string()}`);
      }
      if (seen.length === 4) break;
    }
    expect(seen).toEqual([
      "put a=1 undefined",
      "put b=1 undefined",
      "put c=1 undefined",
      "put b=2 1",
    ]);
  });

  test("from what is compacted it throws COMPACTED, and says where; then it is over", async () => {
    const { revision } = await client.put("a", "1");
    await client.put("a", "2");
    await client.compact(revision + 1n);
    const watch = client.watch("a", { startRevision: revision });
    expect(await codeOf(() => watch.next())).toBe("COMPACTED");
    expect(watch.compactRevision).toBe(revision + 1n);
    expect((await watch.next()).done).toBe(true);
  });

  test("a thousand of them share a stream, and each is told its own", async () => {
    const watches = Array.from({ length: 1000 }, (_, i) => client.watch(name(i)));
    await Promise.all(watches.map(({ created }) => created));
    await fill(1000);
    const told = await Promise.all(watches.map((watch) => watch.next()));
    const keys = told.map(({ value }) => (value as WatchResponse).events[0]?.kv.key.string());
    expect(keys).toEqual(watches.map((_, i) => name(i)));
  });
});

describe("leases that are held", () => {
  test("one of one's own is revoked when it is released, with its keys", async () => {
    const held = await client.lease.hold(60);
    expect(held.ttl).toBe(60);
    await client.put("a", "1", { lease: held.id });
    await held.release();
    await held.release();
    expect(await client.get("a")).toBeUndefined();
    expect(await client.lease.timeToLive(held.id)).toBeUndefined();
    expect(held.lost.aborted).toBe(false);
  });

  test("another's is left to itself", async () => {
    const { id } = await client.lease.grant(60);
    const held = await client.lease.hold(id);
    await held.release();
    expect((await client.lease.timeToLive(id))?.ttl).toBeGreaterThan(50);
    await client.lease.revoke(id);
    expect(await codeOf(() => client.lease.hold(id))).toBe("LEASE_NOT_FOUND");
  });

  test("one that is kept lives longer than its TTL; one that is revoked is lost at the next asking", async () => {
    const [held, gone] = await Promise.all([client.lease.hold(2), client.lease.hold(2)]);
    await client.put("a", "1", { lease: held.id });
    await client.lease.revoke(gone.id);
    await new Promise((resolve) => gone.lost.addEventListener("abort", resolve));
    expect((gone.lost.reason as EtcdError).code).toBe("LEASE_NOT_FOUND");
    await new Promise((resolve) => setTimeout(resolve, 2200));
    expect((await client.get("a"))?.value.string()).toBe("1");
    expect(held.lost.aborted).toBe(false);
    await gone.release();
    await held[Symbol.asyncDispose]();
  });

  test("its signal ends the holding, and leaves the lease to itself", async () => {
    const controller = new AbortController();
    const held = await client.lease.hold(60, { signal: controller.signal });
    controller.abort();
    expect(held.lost.aborted).toBe(false);
    expect((await client.lease.timeToLive(held.id))?.grantedTtl).toBe(60);
    await held.release();
    expect(await client.lease.timeToLive(held.id)).toBeUndefined();
  });
});

describe("locks and elections", () => {
  test("one after the other; a transaction may ask whether it is held", async () => {
    const first = await client.lock("l", { ttl: 10 });
    expect(await client.tryLock("l")).toBeUndefined();
    const waiting = client.lock("l", { ttl: 10 });
    const guarded = { compare: [first.isHeld], success: [op.put("done", "first")] };
    expect((await client.txn(guarded)).succeeded).toBe(true);
    await first.release();
    const second = await waiting;
    expect((await client.txn(guarded)).succeeded).toBe(false);
    await second[Symbol.asyncDispose]();
    await (await client.tryLock("l"))?.release();
    expect(await client.count({ prefix: "l/" })).toBe(0);
  });

  test("whoever stops waiting gives up its place", async () => {
    await using first = await client.lock("l");
    const controller = new AbortController();
    const waiting = client.lock("l", { signal: controller.signal });
    await expect.poll(() => client.count({ prefix: "l/" })).toBe(2);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect.poll(() => client.count({ prefix: "l/" })).toBe(1);
    expect(first.lost.aborted).toBe(false);
  });

  test("a leader proclaims, others see it, and the next one takes over", async () => {
    expect(await client.leader("e")).toBeUndefined();
    const leadership = await client.elect("e", "one");
    const controller = new AbortController();
    const seen: string[] = [];
    const observed = (async () => {
      for await (const { value } of client.observe("e", { signal: controller.signal })) {
        seen.push(value.string());
      }
    })();
    await expect.poll(() => seen).toEqual(["one"]);
    await leadership.proclaim("still one");
    expect((await client.leader("e"))?.value.string()).toBe("still one");
    await expect.poll(() => seen).toEqual(["one", "still one"]);
    const next = client.elect("e", "two");
    await leadership.resign();
    await using successor = await next;
    await expect.poll(() => seen).toEqual(["one", "still one", "two"]);
    expect((await client.txn({ compare: [successor.isLeader] })).succeeded).toBe(true);
    expect(await codeOf(() => leadership.proclaim("?"))).not.toBe("nothing was thrown");
    controller.abort();
    await observed;
  });
});

describe("what a server has besides", () => {
  test("its status, its hashes, its members", async () => {
    await client.put("a", "1");
    const status = await client.status(endpoint);
    expect(status).toMatchObject({ leader: status.memberId, isLearner: false, errors: [] });
    expect(status.inUseBytes).toBeLessThanOrEqual(status.sizeBytes);
    const { hash, revision, compactRevision } = await client.hashKv();
    expect(revision).toBe(status.revision);
    expect(await client.hashKv(revision, { endpoint })).toEqual({
      hash,
      revision,
      compactRevision,
    });
    expect(await client.hash()).toBeGreaterThan(0);
    const [member] = await client.members.list();
    expect(member?.id).toBe(status.memberId);
    expect(await codeOf(() => client.members.remove(1n))).toBe("MEMBER_NOT_FOUND");
    await client.defragment(endpoint);
    expect((await client.get("a"))?.value.string()).toBe("1");
  });

  test("a snapshot, whole, through a pipe that is slow", async () => {
    await fill(2000);
    const reports: number[] = [];
    const snapshot = await client.snapshot({ onProgress: ({ done }) => reports.push(done) });
    let bytes = 0;
    const slow = new Writable({
      highWaterMark: 1,
      write: (chunk: Uint8Array, _, done) => {
        bytes += chunk.length;
        setImmediate(done);
      },
    });
    await pipeline(snapshot, slow);
    expect([bytes, reports.at(-1)]).toEqual([snapshot.sizeBytes, snapshot.sizeBytes]);
  });

  test("a mirror copies what there is and then what comes, until it is told to stop", async () => {
    await fill(1500);
    const controller = new AbortController();
    const { signal } = controller;
    const revisions: bigint[] = [];
    const onProgress = ({ revision }: { revision: bigint }): number => revisions.push(revision);
    const options = { prefix: "k", destPrefix: "copy/", signal, onProgress, maxTxnOps: 100 };
    const mirrored = client.mirror(client, options);
    await expect.poll(() => client.count({ prefix: "copy/" })).toBe(1500);
    await client.delete(name(7));
    const { revision } = await client.put(name(8), "new");
    await expect.poll(() => revisions.at(-1)).toBe(revision);
    expect(await client.count({ prefix: "copy/" })).toBe(1499);
    expect((await client.get(`copy/${name(8).slice(1)}`))?.value.string()).toBe("new");
    controller.abort();
    await mirrored;
    const ended = codeOf(() => client.mirror(client, { prefix: "none/" }));
    await client.close();
    expect(await ended).toBe("CLOSED");
  });

  test("strata's own: jobs that are seen and stopped, reports, the quota", async () => {
    const { strata } = client;
    await fill(100);
    const phases: string[] = [];
    const onProgress = ({ phase }: { phase: string }): number => phases.push(phase);
    const report = await strata.defragment({ force: true, endpoint, onProgress });
    expect(report).toMatchObject({ outcome: "done", reason: undefined });
    expect(report.sizeAfterBytes).toBe((await client.status()).sizeBytes);
    const checked = await strata.checkIntegrity({ onProgress });
    expect(checked).toMatchObject({ ok: true, faultCount: 0, faults: [] });
    expect(checked.keys).toBeGreaterThan(100);
    expect(phases).not.toEqual([]);
    const job = server.member.jobs.begin("snapshot-save", { about: "x.db" });
    expect(await strata.jobs()).toMatchObject([
      { id: job.id, kind: "snapshot-save", about: "x.db", etaMs: undefined, outcome: undefined },
    ]);
    await strata.cancelJob(job.id);
    expect(job.signal.aborted).toBe(true);
    job.end();
    await expect(strata.cancelJob(job.id)).rejects.toMatchObject({ code: "RPC", grpcStatus: 5 });
    expect((await strata.jobs({ all: true })).at(-1)).toMatchObject({ outcome: "cancelled" });
    expect(await strata.setQuota(2 ** 33)).toBe(2 ** 33);
    expect(await strata.setQuota(-1)).toBe(Number.POSITIVE_INFINITY);
    expect(await strata.setQuota(0)).toBe(2 ** 31);
    expect(await codeOf(() => strata.setQuota(1.5))).toBe("BAD_ARGUMENT");
  });

  test("alarms are raised, listed, and taken away", async () => {
    const { memberId } = await client.status();
    const raised = [{ memberId, alarm: 1 }];
    expect(await client.alarms.activate("noSpace")).toEqual(raised);
    expect(await client.alarms.list()).toEqual(raised);
    expect(await codeOf(() => client.put("a", "1"))).toBe("NO_SPACE");
    expect(await client.alarms.disarm("noSpace")).toEqual(raised);
    expect(await client.alarms.disarm("noSpace")).toEqual([]);
    await client.put("a", "1");
  });
});

function name(i: number): string {
  return `k${String(i).padStart(6, "0")}`;
}

async function fill(count: number): Promise<void> {
  const calls: Promise<unknown>[] = [];
  for (let at = 0; at < count; at += 100) {
    const length = Math.min(100, count - at);
    const success = Array.from({ length }, (_, i) => op.put(name(at + i), `${at + i}`));
    calls.push(client.txn({ success }));
  }
  await Promise.all(calls);
}
