import { afterEach, beforeEach, expect, test } from "vitest";
import { DecodedMessage } from "../../../test/support/decoded-message.ts";
import { type FakeCall, openFake } from "../../../test/support/fake-call.ts";
import { utf8 } from "../../base/bytes.ts";
import { Strata } from "../../engine/strata.ts";
import type { Service } from "../../grpc/service.ts";
import { encodeWatchRequest, type WatchCreateRequest } from "../../proto/watch-messages.ts";
import { ServiceContext } from "./service-context.ts";
import { watchService } from "./watch.ts";

let store: Strata;
let context: ServiceContext;
let service: Service;
let call: FakeCall;

beforeEach(async () => {
  store = await Strata.open({ memory: true }, { watchProgressIntervalMs: 20 });
  context = new ServiceContext(store.member, { maxRequestBytes: 1 });
  service = watchService(context);
  call = openFake(service, "Watch");
});

afterEach(async () => {
  call.cancel();
  context.close();
  await store.close();
});

type Create = Partial<Omit<WatchCreateRequest, "kind" | "key" | "rangeEnd">> & {
  readonly end?: string;
};

function create(key: string, { end = "", ...more }: Create = {}, on = call): void {
  const request: WatchCreateRequest = {
    kind: "create",
    key: utf8(key),
    rangeEnd: utf8(end),
    startRevision: 0,
    progressNotify: false,
    noPut: false,
    noDelete: false,
    prevKv: false,
    watchId: 0n,
    fragment: false,
    ...more,
  };
  on.write(encodeWatchRequest(request));
}

const cancel = (watchId: bigint): void =>
  call.write(encodeWatchRequest({ kind: "cancel", watchId }));

interface Seen {
  readonly id: number;
  readonly revision: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly reason: string;
  readonly fragment: boolean;
  /** `put k=v @revision (was v)` */
  readonly events: readonly string[];
}

async function next(of: FakeCall = call): Promise<Seen> {
  const response = new DecodedMessage(await of.next());
  const events = response.messages(11).map((event) => {
    const kv = event.message(2);
    const was = event.has(3) ? ` (was ${event.message(3).text(5)})` : "";
    const what = event.number(1) === 1 ? `delete ${kv.text(1)}` : `put ${kv.text(1)}=${kv.text(5)}`;
    return `${what} @${kv.number(3)}${was}`;
  });
  return {
    id: response.number(2),
    revision: response.message(1).number(3),
    created: response.bool(3),
    canceled: response.bool(4),
    compactRevision: response.number(5),
    reason: response.text(6),
    fragment: response.bool(7),
    events,
  };
}

const plain = { created: false, canceled: false, compactRevision: 0, reason: "", fragment: false };

test("created comes first, then each revision as it is made", async () => {
  create("k");
  await store.put("k", "v");
  await store.put("other", "x");
  await store.delete("k");
  expect(await next()).toEqual({ ...plain, id: 0, revision: 1, created: true, events: [] });
  expect(await next()).toEqual({ ...plain, id: 0, revision: 2, events: ["put k=v @2"] });
  expect(await next()).toEqual({ ...plain, id: 0, revision: 4, events: ["delete k @4"] });
});

test("history comes before what is new, with the current revision in the header", async () => {
  for (const value of ["a", "b", "c"]) await store.put("k", value);
  create("k", { startRevision: 2, prevKv: true });
  expect((await next()).created).toBe(true);
  expect(await next()).toEqual({
    ...plain,
    id: 0,
    revision: 4,
    events: ["put k=a @2", "put k=b @3 (was a)", "put k=c @4 (was b)"],
  });
  await store.put("k", "d");
  expect((await next()).events).toEqual(["put k=d @5 (was c)"]);
});

test("ids are chosen from 0 on, taken as given, and free again after a cancel", async () => {
  create("a");
  create("b", { watchId: 1n });
  create("c");
  create("d", { watchId: -7n });
  create("e", { watchId: 2n });
  const seen = [];
  for (let i = 0; i < 5; i++) seen.push(await next());
  expect(seen.map(({ id }) => id)).toEqual([0, 1, 2, -7, -1]);
  expect(seen[4]).toMatchObject({
    created: true,
    canceled: true,
    reason: "mvcc: duplicate watch ID provided on the WatchStream",
  });
  cancel(99n);
  cancel(2n);
  expect(await next()).toEqual({ ...plain, id: 2, revision: 1, canceled: true, events: [] });
  create("e", { watchId: 2n });
  expect(await next()).toMatchObject({ id: 2, created: true, canceled: false });
  await store.put("c", "gone");
  await store.put("e", "here");
  expect(await next()).toMatchObject({ id: 2, events: ["put e=here @3"] });
});

test("a range that can hold no key, and a negative start, are created and cancelled", async () => {
  create("b", { end: "a" });
  expect(await next()).toMatchObject({
    id: -1,
    created: true,
    canceled: true,
    reason: "mvcc: watcher range is empty",
  });
  create("b", { startRevision: -5 });
  expect(await next()).toMatchObject({
    id: -1,
    created: true,
    canceled: true,
    reason: "etcdserver: mvcc: required revision has been compacted",
  });
});

test("an empty key is the smallest one, and an end of one zero byte is no end", async () => {
  create("", { end: "\0" });
  create("m", { end: "\0" });
  await next();
  await next();
  await store.put("a", "1");
  expect(await next()).toMatchObject({ id: 0, events: ["put a=1 @2"] });
  await store.put("z", "1");
  const ids = [(await next()).id, (await next()).id];
  expect(ids.sort()).toEqual([0, 1]);
});

test("filters leave out puts or deletes, and what is left empty is not sent", async () => {
  create("k", { noPut: true });
  create("k", { noDelete: true });
  await next();
  await next();
  await store.put("k", "v");
  await store.delete("k");
  expect(await next()).toMatchObject({ id: 1, events: ["put k=v @2"] });
  expect(await next()).toMatchObject({ id: 0, events: ["delete k @3"] });
});

test("a start that is compacted is created, and then cancelled without a revision", async () => {
  for (let i = 0; i < 5; i++) await store.put("k", String(i));
  await store.compact(5n);
  create("k", { startRevision: 3 });
  expect((await next()).created).toBe(true);
  expect(await next()).toEqual({
    ...plain,
    id: 0,
    revision: 0,
    canceled: true,
    compactRevision: 5,
    events: [],
  });
  create("k", { startRevision: 5 });
  expect(await next()).toMatchObject({ id: 1, created: true });
  expect((await next()).events).toEqual(["put k=3 @5", "put k=4 @6"]);
});

test("progress is told of the whole stream, and of a watch that asked for it", async () => {
  create("k");
  await next();
  await store.put("other", "x");
  call.write(encodeWatchRequest({ kind: "progress" }));
  expect(await next()).toEqual({ ...plain, id: -1, revision: 2, events: [] });
  create("k", { progressNotify: true });
  expect(await next()).toMatchObject({ id: 1, created: true });
  expect(await next()).toEqual({ ...plain, id: 1, revision: 2, events: [] });
});

test("one revision of many events is cut between them for who wants that, and for nobody else", async () => {
  create("k", { end: "l", fragment: true });
  create("k", { end: "l" });
  await next();
  await next();
  const value = "v".repeat(300_000);
  const { member } = store;
  const put = (key: string) => ({
    kind: "put" as const,
    key: utf8(key),
    value: utf8(value),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  });
  const before = call.messages.length;
  await member.txn({ kind: "txn", compare: [], success: ["k1", "k2", "k3"].map(put), failure: [] });
  const seen = [];
  while (seen.filter(({ fragment }) => !fragment).length < 2) seen.push(await next());
  expect(call.messages.length - before).toBe(seen.length);
  const cut = seen.filter(({ id }) => id === 0);
  expect(cut.map(({ fragment }) => fragment)).toEqual([true, true, false]);
  expect(cut.every(({ events }) => events.length === 1)).toBe(true);
  expect(seen.find(({ id }) => id === 1)?.events).toHaveLength(3);
});

test("who reads too slowly is not sent more, is not read from, and loses nothing", async () => {
  create("k");
  await next();
  call.setFull(true);
  await store.put("k", "0");
  expect((await next()).events).toEqual(["put k=0 @2"]);
  expect(call.paused).toBe(true);
  for (let i = 1; i <= 50; i++) await store.put("k", String(i));
  expect(call.messages).toHaveLength(2);
  call.setFull(false);
  expect(call.paused).toBe(false);
  for (let i = 1; i <= 50; i++) expect((await next()).events).toEqual([`put k=${i} @${i + 2}`]);
});

test("watchers with the same events share their encoding", async () => {
  const others = Array.from({ length: 5 }, () => openFake(service, "Watch"));
  for (const other of others) {
    create("k", {}, other);
    await next(other);
  }
  for (let i = 0; i < 40; i++) void store.put("k", String(i));
  await store.put("k", "last");
  for (const other of others) {
    for (let i = 0; i < 40; i++)
      expect((await next(other)).events).toEqual([`put k=${i} @${i + 2}`]);
    expect((await next(other)).events).toEqual(["put k=last @42"]);
    other.cancel();
  }
  expect(store.member.watches.watchers).toBe(0);
});

test("the stream outlives its half-close, and ends with the member", async () => {
  create("k");
  await next();
  call.halfClose();
  await store.put("k", "v");
  expect((await next()).events).toEqual(["put k=v @2"]);
  await store.close();
  expect(await call.whenEnded()).toEqual({ code: 14, message: "etcdserver: server stopped" });
});

test("a token is refused by each watch, and bytes that are no request by the stream", async () => {
  const other = openFake(service, "Watch", { metadata: { token: "abc.1" } });
  create("k", {}, other);
  expect(await next(other)).toMatchObject({
    id: -1,
    created: true,
    canceled: true,
    reason: "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token",
  });
  other.write(Uint8Array.of(0x0a, 0x05, 0x01));
  expect(await other.whenEnded()).toMatchObject({
    code: 13,
    message: expect.stringMatching(/^grpc: failed to unmarshal the received message: /),
  });
});

test("watches that would take too much memory are refused", async () => {
  const key = "k".repeat(32 * 1024 * 1024);
  for (let i = 0; i < 9; i++) create(key);
  const seen = [];
  for (let i = 0; i < 9; i++) seen.push(await next());
  expect(seen.filter(({ canceled }) => canceled).length).toBeGreaterThan(0);
  expect(seen.find(({ canceled }) => canceled)).toMatchObject({
    id: -1,
    reason: "etcdserver: too many requests",
  });
});

test("requests with no member set are nothing", async () => {
  call.write(encodeWatchRequest({ kind: "none" }));
  create("k");
  expect(await next()).toMatchObject({ id: 0, created: true });
  expect(call.messages).toHaveLength(1);
});
