/** Sessions, locks and elections against a server in the process. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Election, ElectionView } from "../../src/client/concurrency/election.ts";
import { Mutex } from "../../src/client/concurrency/mutex.ts";
import { Session } from "../../src/client/concurrency/session.ts";
import { KeepAlives } from "../../src/client/lease/keep-alives.ts";
import { Rpc } from "../../src/client/rpc.ts";
import { Http2Transport } from "../../src/client/transport/http2-transport.ts";
import { Watches } from "../../src/client/watch/watches.ts";
import { KV_METHODS, type RangeResponse } from "../../src/proto/tables/kv.ts";
import { LEASE_METHODS } from "../../src/proto/tables/lease.ts";
import { EtcdServer } from "../../src/server/server.ts";
import { scratchFolder } from "../support/cleanup.ts";

let server: EtcdServer;
let transport: Http2Transport;
let rpc: Rpc;
let watches: Watches;
let keepAlives: KeepAlives;
let sessions: Session[];

beforeAll(async () => {
  const flags = {
    "data-dir": scratchFolder("concurrency"),
    "listen-client-urls": "http://127.0.0.1:0",
    "unsafe-no-fsync": true,
  };
  server = await EtcdServer.start({ flags });
});
afterAll(() => server.close());

beforeEach(() => {
  transport = new Http2Transport({ endpoints: server.clientUrls });
  rpc = new Rpc(transport);
  watches = new Watches(rpc);
  keepAlives = new KeepAlives(rpc);
  sessions = [];
});
afterEach(async () => {
  for (const session of sessions) await session.close().catch(() => undefined);
  expect(await keys("")).toEqual([]);
  await Promise.all([watches.close(), keepAlives.close()]);
  await transport.close();
  await expect.poll(() => server.member.watches.watchers).toBe(0);
});

async function session(ttlSeconds = 60): Promise<Session> {
  const opened = await Session.open({ rpc, watches, keepAlives }, { ttlSeconds });
  sessions.push(opened);
  return opened;
}

async function keys(prefix: string): Promise<string[]> {
  const range = { key: Buffer.from(prefix || "\0"), rangeEnd: Buffer.from("\0"), keysOnly: true };
  const { kvs } = await rpc.call(KV_METHODS.range, range);
  return kvs.map(({ key }) => Buffer.from(key).toString());
}

/** The next ones in line have nothing to do but wait: it is enough that they stand there. */
async function inLine(count: number): Promise<void> {
  await expect.poll(async () => (await keys("")).length).toBe(count);
  await expect.poll(() => server.member.watches.watchers).toBe(count - 1);
}

test("a lock's key is the name, a slash, and the lease in hexadecimal; it hangs on the lease", async () => {
  const holder = await session();
  const mutex = new Mutex(holder, "l");
  await mutex.lock();
  expect(await keys("")).toEqual([`l/${holder.lease.toString(16)}`]);
  const { kvs } = await rpc.call(KV_METHODS.range, { key: mutex.key });
  expect(kvs[0]).toMatchObject({ lease: holder.lease, createRevision: mutex.revision });
  await holder.close();
  expect(holder.lost.aborted).toBe(false);
});

test("locks go in the order of asking, each to the next one only", async () => {
  const order: number[] = [];
  const mutexes: Mutex[] = [];
  const locked: Promise<unknown>[] = [];
  for (let i = 0; i < 4; i++) {
    const mutex = new Mutex(await session(), "l");
    mutexes.push(mutex);
    locked.push(mutex.lock().then(() => order.push(i)));
    if (i === 0) await locked[0];
    else await inLine(i + 1);
  }
  for (const [i, mutex] of mutexes.entries()) {
    await locked[i];
    expect(order).toEqual(Array.from({ length: i + 1 }, (_, n) => n));
    await mutex.unlock();
  }
  await expect(mutexes[0]?.unlock()).rejects.toThrow("mutex: lock has already been released");
});

test("a session that has the lock gets it again; another's try fails and leaves nothing", async () => {
  const holder = await session();
  await new Mutex(holder, "l").lock();
  const again = new Mutex(holder, "l");
  await again.lock();
  const other = new Mutex(await session(), "l");
  expect(await other.tryLock()).toBe(false);
  expect((await keys("")).length).toBe(1);
  await again.unlock();
  expect(await other.tryLock()).toBe(true);
  await other.unlock();
});

test("a transaction can depend on the lock", async () => {
  const mutex = new Mutex(await session(), "l");
  const put = { requestPut: { key: Buffer.from("work"), value: Buffer.from("1") } };
  const write = async (): Promise<boolean> =>
    (await rpc.call(KV_METHODS.txn, { compare: [mutex.isHeld], success: [put] })).succeeded;
  expect(await write()).toBe(false);
  await mutex.lock();
  expect(await write()).toBe(true);
  await rpc.call(KV_METHODS.deleteRange, { key: mutex.key });
  expect(await write()).toBe(false);
  await rpc.call(KV_METHODS.deleteRange, { key: put.requestPut.key });
});

test("who gives up waiting leaves the line, and the next one waits for the one before", async () => {
  const first = new Mutex(await session(), "l");
  await first.lock();
  const controller = new AbortController();
  const second = new Mutex(await session(), "l").lock({ signal: controller.signal });
  await inLine(2);
  const third = new Mutex(await session(), "l");
  let hasThird = false;
  const locked = third.lock().then(() => {
    hasThird = true;
  });
  await inLine(3);
  controller.abort(new Error("enough"));
  await expect(second).rejects.toThrow("enough");
  await inLine(2);
  expect(hasThird).toBe(false);
  await first.unlock();
  await locked;
  await third.unlock();
});

test("a waiter whose lease is revoked does not get the lock", async () => {
  const first = new Mutex(await session(), "l");
  await first.lock();
  const waiter = await session(2);
  const waiting = new Mutex(waiter, "l").lock();
  waiting.catch(() => undefined);
  await inLine(2);
  await rpc.call(LEASE_METHODS.revoke, { id: waiter.lease });
  await first.unlock();
  await expect(waiting).rejects.toThrow(/mutex: session is expired|lease not found/);
});

test("a session is lost when its lease is revoked, and one may take a lease over", async () => {
  const first = await session(2);
  const second = await Session.open({ rpc, watches, keepAlives }, { lease: first.lease });
  expect(second.lease).toBe(first.lease);
  await rpc.call(LEASE_METHODS.revoke, { id: first.lease });
  await expect.poll(() => second.lost.aborted, { timeout: 10_000 }).toBe(true);
  expect(first.lost.reason).toMatchObject({ code: "LEASE_NOT_FOUND" });
});

test("elections: one leads, proclaims, resigns; the next one follows; whoever looks on sees it", async () => {
  const view = new ElectionView({ rpc, watches, keepAlives }, "e");
  expect(await view.leader()).toBeUndefined();
  const seen: string[] = [];
  const controller = new AbortController();
  const looking = (async () => {
    for await (const answer of view.observe(controller)) seen.push(textOf(answer));
  })();
  await expect.poll(() => server.member.watches.watchers).toBe(1);
  const first = new Election(await session(), "e");
  const second = new Election(await session(), "e");
  await first.campaign("a");
  await expect.poll(() => seen).toEqual(["a"]);
  const following = second.campaign("b");
  await expect.poll(async () => (await keys("")).length).toBe(2);
  await first.proclaim("a2");
  await expect.poll(() => seen).toEqual(["a", "a2"]);
  expect(Buffer.from((await view.leader())?.value ?? "").toString()).toBe("a2");
  await first.resign();
  await following;
  await expect.poll(() => seen).toEqual(["a", "a2", "b"]);
  await expect(first.proclaim("a3")).rejects.toThrow("election: not leader");
  await second.campaign("b2");
  await expect.poll(() => seen).toEqual(["a", "a2", "b", "b2"]);
  controller.abort();
  await looking;
  await second.resign();
  await second.resign();
});

test("a candidate who gives up is no candidate any more", async () => {
  const first = new Election(await session(), "e");
  await first.campaign("a");
  const controller = new AbortController();
  const second = new Election(await session(), "e");
  const standing = second.campaign("b", controller);
  await expect.poll(async () => (await keys("")).length).toBe(2);
  controller.abort(new Error("enough"));
  await expect(standing).rejects.toThrow("enough");
  expect((await keys("")).length).toBe(1);
  expect(second.createRevision).toBeUndefined();
  await first.resign();
});

test("locks of names that begin alike are not each other's", async () => {
  const first = new Mutex(await session(), "l");
  const second = new Mutex(await session(), "l2");
  const third = new Mutex(await session(), Uint8Array.of(0xff));
  for (const mutex of [first, second, third]) expect(await mutex.tryLock()).toBe(true);
  for (const mutex of [first, second, third]) await mutex.unlock();
});

function textOf({ kvs }: RangeResponse): string {
  return Buffer.from(kvs[0]?.value ?? "").toString();
}
