/** What only the wire shows: headers, streams with many watches, limits, and what no client library would send. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Auth,
  Cluster,
  KV,
  Lease,
  Maintenance,
  type ResponseHeader,
  Watch,
  type WatchCreateRequestSchema,
  type WatchRequestSchema,
  type WatchResponse,
  type WatchResponseSchema,
} from "../../src/proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { Election } from "../../src/proto/gen/etcd/server/v3electionpb/v3election_pb.ts";
import { Lock } from "../../src/proto/gen/etcd/server/v3lockpb/v3lock_pb.ts";
import { Health } from "../../src/proto/gen/grpc/health/v1/health_pb.ts";
import { type ServerKind, ServerProcess } from "../support/server-process.ts";
import { WireClient, WireError, type WireStream } from "../support/wire-client.ts";
import { bytes, text } from "./server-client.ts";

type Watching = WireStream<typeof WatchRequestSchema, typeof WatchResponseSchema>;
type Create = MessageInitShape<typeof WatchCreateRequestSchema>;

const QUIET_MS = 200;
const MAX_REQUEST_BYTES = 1_572_864;
const MAX_MESSAGE_BYTES = MAX_REQUEST_BYTES + 512 * 1024;

/** How a call ended: its code and text, or what it answered. */
async function endOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    return error instanceof WireError ? [error.code, error.message] : error;
  }
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  const end = await endOf(call);
  return Array.isArray(end) ? end[0] : end;
}

export function describeWire(kind: ServerKind): void {
  describe(`the wire of ${kind}`, () => {
    let server: ServerProcess;
    let wire: WireClient;
    const streams: Watching[] = [];

    beforeAll(async () => {
      server = await ServerProcess.start({ kind });
      wire = new WireClient(server.endpoint);
    });
    afterAll(async () => {
      for (const stream of streams) stream.cancel();
      wire?.close();
      await server?.stop("SIGKILL");
    });

    const put = async (key: string, value = "v"): Promise<bigint> => {
      const request = { key: bytes(key), value: bytes(value) };
      const { header } = await wire.call(KV.method.put, request);
      return header?.revision ?? 0n;
    };
    const revision = async (): Promise<bigint> => {
      const { header } = await wire.call(KV.method.range, { key: bytes("?") });
      return header?.revision ?? 0n;
    };
    const watching = (): Watching => {
      const stream = wire.open(Watch.method.watch);
      streams.push(stream);
      return stream;
    };
    const create = (stream: Watching, value: Create): void => {
      stream.send({ requestUnion: { case: "createRequest", value } });
    };
    const created = async (stream: Watching, value: Create): Promise<bigint> => {
      create(stream, value);
      const answer = await stream.must();
      expect(answer).toMatchObject({ created: true, canceled: false, events: [] });
      return answer.watchId;
    };
    const cancel = (stream: Watching, watchId: bigint): void => {
      stream.send({ requestUnion: { case: "cancelRequest", value: { watchId } } });
    };
    /** Asked in the end of a test: the stream is where it was, with nothing else on it. */
    const progress = async (stream: Watching): Promise<WatchResponse> => {
      stream.send({ requestUnion: { case: "progressRequest", value: {} } });
      return await stream.must();
    };

    describe("headers", () => {
      test("every answer names cluster, member, revision and term", async () => {
        const { header: first } = await wire.call(KV.method.range, { key: bytes("k") });
        expect(first?.clusterId).toBeGreaterThan(0n);
        expect(first?.memberId).toBeGreaterThan(0n);
        expect(first?.raftTerm).toBe(2n);
        const key = bytes("h");
        const { ID } = await wire.call(Lease.method.leaseGrant, { TTL: 60n });
        const keepAlive = wire.open(Lease.method.leaseKeepAlive);
        const kept = async (): Promise<ResponseHeader | undefined> => {
          keepAlive.send({ ID });
          return (await keepAlive.must()).header;
        };
        const range = { case: "requestRange", value: { key } } as const;
        const headers: (ResponseHeader | undefined)[] = [
          (await wire.call(KV.method.put, { key })).header,
          (await wire.call(KV.method.deleteRange, { key })).header,
          (await wire.call(KV.method.txn, { success: [{ request: range }] })).header,
          (await wire.call(KV.method.compact, { revision: (await revision()) - 1n })).header,
          await kept(),
          (await wire.call(Lease.method.leaseTimeToLive, { ID })).header,
          (await wire.call(Lease.method.leaseLeases, {})).header,
          (await wire.call(Lease.method.leaseRevoke, { ID })).header,
          (await wire.call(Maintenance.method.status, {})).header,
          (await wire.call(Maintenance.method.hash, {})).header,
          (await wire.call(Maintenance.method.hashKV, {})).header,
        ];
        keepAlive.close();
        const now = await revision();
        for (const header of headers) {
          expect(header).toMatchObject({ ...first, revision: expect.any(BigInt) });
        }
        expect(headers.map((header) => header?.revision)).toEqual([
          ...[now - 1n, now, now, now, now, now, now, now, now, now, now],
        ]);
        const members = await wire.call(Cluster.method.memberList, {});
        expect(members.header).toMatchObject({ ...first, revision: 0n });
        const alarms = await wire.call(Maintenance.method.alarm, {});
        expect(alarms.header?.memberId).toBe(kind === "etcd" ? undefined : first?.memberId);
      });

      test("inside a transaction there is the revision alone, and nothing inside one inside", async () => {
        const key = bytes("inner");
        const put = { request: { case: "requestPut", value: { key: bytes("deep") } } as const };
        const inner = { success: [put] };
        const { header, responses } = await wire.call(KV.method.txn, {
          success: [
            { request: { case: "requestRange", value: { key } } },
            { request: { case: "requestPut", value: { key } } },
            { request: { case: "requestDeleteRange", value: { key: bytes("outer") } } },
            { request: { case: "requestTxn", value: { compare: [], ...inner } } },
          ],
        });
        const empty = { clusterId: 0n, memberId: 0n, raftTerm: 0n, revision: 0n };
        const inside = responses.map(({ response }) => response.value?.header);
        const alone = { ...empty, revision: header?.revision };
        expect(inside[0]).toMatchObject({ ...empty, revision: expect.any(BigInt) });
        expect(inside[1]).toMatchObject(alone);
        expect(inside[2]).toMatchObject(alone);
        expect(inside[3]).toMatchObject(empty);
      });

      test("an old revision is answered with the current one in the header", async () => {
        const old = await put("old");
        const now = await put("old", "new");
        const answer = await wire.call(KV.method.range, { key: bytes("old"), revision: old });
        expect([answer.header?.revision, text(answer.kvs[0]?.value ?? bytes(""))]).toEqual([
          ...[now, "v"],
        ]);
      });
    });

    describe("watches of one stream", () => {
      test("ids: the lowest that is free, or the client's own, again after a cancel", async () => {
        const stream = watching();
        const key = bytes("ids");
        expect(await created(stream, { key })).toBe(0n);
        expect(await created(stream, { key, watchId: 1n })).toBe(1n);
        expect(await created(stream, { key })).toBe(2n);
        expect(await created(stream, { key, watchId: -5n })).toBe(-5n);
        expect(await created(stream, { key, watchId: 2n ** 62n })).toBe(2n ** 62n);
        cancel(stream, 1n);
        expect(await stream.must()).toMatchObject({ watchId: 1n, canceled: true, created: false });
        expect(await created(stream, { key, watchId: 1n })).toBe(1n);
        await put("ids");
        const told = new Set<bigint>();
        for (let i = 0; i < 5; i++) {
          const { watchId, events } = await stream.must();
          expect(events.length).toBe(1);
          told.add(watchId);
        }
        expect([...told].sort((a, b) => Number(a - b))).toEqual([-5n, 0n, 1n, 2n, 2n ** 62n]);
      });

      test("an id that is in use is refused, and the stream goes on", async () => {
        const stream = watching();
        const key = bytes("twice");
        await created(stream, { key, watchId: 7n });
        create(stream, { key, watchId: 7n });
        expect(await stream.must()).toMatchObject({
          ...{ watchId: -1n, created: true, canceled: true, compactRevision: 0n },
          cancelReason: "mvcc: duplicate watch ID provided on the WatchStream",
        });
        create(stream, { key: bytes("b"), rangeEnd: bytes("a") });
        expect(await stream.must()).toMatchObject({
          ...{ watchId: -1n, created: true, canceled: true },
          cancelReason: "mvcc: watcher range is empty",
        });
        await put("twice");
        expect(await stream.must()).toMatchObject({ watchId: 7n, events: [{ type: 0 }] });
      });

      test("an unknown id is not cancelled, an empty request is ignored: no answer", async () => {
        const stream = watching();
        await created(stream, { key: bytes("nobody") });
        cancel(stream, 99n);
        stream.send({});
        cancel(stream, -1n);
        expect(await stream.next(QUIET_MS)).toBeUndefined();
        expect(await progress(stream)).toMatchObject({ watchId: -1n, events: [] });
      });

      test("created comes before the first event, with the revision of then", async () => {
        const stream = watching();
        const before = await revision();
        create(stream, { key: bytes("first") });
        const { header, ...answer } = await stream.must();
        expect(answer).toMatchObject({ created: true, watchId: 0n, canceled: false });
        expect(header?.revision).toBe(before);
        const at = await put("first");
        expect(await stream.must()).toMatchObject({
          ...{ created: false, header: { revision: at } },
          events: [{ kv: { modRevision: at, createRevision: at, version: 1n, lease: 0n } }],
        });
      });

      test("progress that is asked for: the stream's, with the current revision", async () => {
        const stream = watching();
        await created(stream, { key: bytes("bookmark") });
        const at = await put("elsewhere");
        await sleep(QUIET_MS);
        expect(await progress(stream)).toMatchObject({
          ...{ watchId: -1n, created: false, canceled: false, events: [] },
          header: { revision: at },
        });
        const next = await put("bookmark");
        expect(await stream.must()).toMatchObject({ watchId: 0n, header: { revision: next } });
      });

      test("what has been compacted: created, then cancelled with the revision of the compaction", async () => {
        const stream = watching();
        const first = await put("gone");
        const last = await put("gone");
        await wire.call(KV.method.compact, { revision: last });
        create(stream, { key: bytes("gone"), startRevision: first });
        expect(await stream.must()).toMatchObject({ watchId: 0n, created: true, canceled: false });
        expect(await stream.must()).toMatchObject({
          ...{ watchId: 0n, created: false, canceled: true, compactRevision: last },
          header: { revision: 0n },
        });
        create(stream, { key: bytes("gone"), startRevision: last });
        expect(await stream.must()).toMatchObject({ created: true });
        expect(await stream.must()).toMatchObject({ events: [{ kv: { modRevision: last } }] });
      });

      test("a negative start is a revision that has been compacted", async () => {
        const stream = watching();
        create(stream, { key: bytes("negative"), startRevision: -3n });
        const first = await stream.must();
        expect(first.created).toBe(true);
        const end = first.canceled ? first : await stream.must();
        expect(end.canceled).toBe(true);
        await created(stream, { key: bytes("negative") });
      });

      test("the client may say that nothing follows: the watches live on", async () => {
        const stream = watching();
        await created(stream, { key: bytes("half") });
        stream.close();
        await sleep(QUIET_MS);
        const at = await put("half");
        expect(await stream.must()).toMatchObject({ header: { revision: at } });
        expect(stream.end).toBeUndefined();
        stream.cancel();
        while (stream.end === undefined) await sleep(10);
        expect(stream.end).toMatchObject({ code: 1 });
      });

      test("fragments: whole events, all of them, and only the last without the mark", async () => {
        const value = "x".repeat(500_000);
        for (let i = 0; i < 10; i++) await put(`fragment${i}`, value);
        const range = { key: bytes("fragment"), rangeEnd: bytes("fragmenu") };
        const stream = watching();
        const whole = watching();
        await created(stream, { ...range, prevKv: true, fragment: true });
        await created(whole, { ...range, prevKv: true });
        // One revision of 5 MB, which may not be told in two answers.
        const { header } = await wire.call(KV.method.deleteRange, range);
        const told: string[] = [];
        let parts = 0;
        for (let more = true; more; parts++) {
          const answer = await stream.must();
          const size = answer.events.reduce(
            (sum, { prevKv }) => sum + (prevKv?.value.length ?? 0),
            0,
          );
          expect(size).toBeLessThan(MAX_MESSAGE_BYTES);
          expect(answer).toMatchObject({ watchId: 0n, header: { revision: header?.revision } });
          told.push(...answer.events.map(({ kv }) => text(kv?.key ?? bytes(""))));
          more = answer.fragment;
        }
        const keys = Array.from({ length: 10 }, (_, i) => `fragment${i}`);
        expect(parts).toBeGreaterThan(1);
        expect(told).toEqual(keys);
        const { events, fragment } = await whole.must();
        expect([fragment, events.map(({ kv }) => text(kv?.key ?? bytes("")))]).toEqual([
          false,
          keys,
        ]);
      });

      test("a transaction is one answer, in the order of its operations", async () => {
        const stream = watching();
        await created(stream, { key: bytes("atom"), rangeEnd: bytes("aton"), prevKv: true });
        await put("atom/a");
        await stream.must();
        const { header } = await wire.call(KV.method.txn, {
          success: [
            { request: { case: "requestPut", value: { key: bytes("atom/b") } } },
            { request: { case: "requestDeleteRange", value: { key: bytes("atom/a") } } },
            { request: { case: "requestPut", value: { key: bytes("atom/c") } } },
          ],
        });
        const { events, header: told } = await stream.must();
        expect(told?.revision).toBe(header?.revision);
        expect(events.map(({ type, kv }) => [type, text(kv?.key ?? bytes(""))])).toEqual([
          ...[[0, "atom/b"] as const, [1, "atom/a"] as const, [0, "atom/c"] as const],
        ]);
        expect(events[1]?.prevKv).toMatchObject({ version: 1n });
      });
    });

    describe("leases", () => {
      test("many keep-alives on one stream, answered in their order; unknown ones with no time", async () => {
        const grants = [600n, 700n, 800n].map((TTL) => wire.call(Lease.method.leaseGrant, { TTL }));
        const ids = (await Promise.all(grants)).map(({ ID }) => ID);
        const stream = wire.open(Lease.method.leaseKeepAlive);
        for (const ID of [...ids, 12345n, ...ids]) stream.send({ ID });
        const answers: [bigint, bigint][] = [];
        for (let i = 0; i < 7; i++) {
          const { ID, TTL } = await stream.must();
          answers.push([ID, TTL]);
        }
        const kept = ids.map((ID, i) => [ID, BigInt(600 + 100 * i)]);
        expect(answers).toEqual([...kept, [12345n, 0n], ...kept]);
        stream.close();
        expect(await stream.next(5000)).toBeUndefined();
        expect(stream.end).toBeNull();
        for (const ID of ids) await wire.call(Lease.method.leaseRevoke, { ID });
      });

      test("ids over the whole range, negative ones too", async () => {
        for (const ID of [-1n, -(2n ** 63n), 2n ** 63n - 1n, 1n]) {
          const granted = await wire.call(Lease.method.leaseGrant, { ID, TTL: 60n });
          expect([granted.ID, granted.TTL, granted.error]).toEqual([ID, 60n, ""]);
          await wire.call(KV.method.put, { key: bytes("leased"), lease: ID });
          const { kvs } = await wire.call(KV.method.range, { key: bytes("leased") });
          expect(kvs[0]?.lease).toBe(ID);
          await wire.call(Lease.method.leaseRevoke, { ID });
          expect((await wire.call(Lease.method.leaseTimeToLive, { ID })).TTL).toBe(-1n);
        }
        const { ID } = await wire.call(Lease.method.leaseGrant, { TTL: 60n });
        expect(ID).toBeGreaterThan(0n);
        await wire.call(Lease.method.leaseRevoke, { ID });
      });
    });

    describe("what nobody should send", () => {
      test("methods and services that are not there", async () => {
        const call = (path: string): Promise<unknown> => endOf(wire.raw(path, bytes("")));
        expect(await call("/etcdserverpb.KV/Nope")).toEqual([
          ...[12, "unknown method Nope for service etcdserverpb.KV"],
        ]);
        expect(await call("/foo.Bar/Baz")).toEqual([12, "unknown service foo.Bar"]);
        // Go's older gRPC says ResourceExhausted.
        expect(await call("/nothing")).toEqual([
          ...[kind === "etcd" ? 8 : 12, 'malformed method name: "/nothing"'],
        ]);
      });

      test("bytes that are no message; fields that nobody knows; what is said twice", async () => {
        expect(await codeOf(wire.raw("/etcdserverpb.KV/Put", bytes("\xff\xff\xff")))).toBe(13);
        expect(await codeOf(wire.raw("/etcdserverpb.KV/Range", bytes("\x0a\x7fa")))).toBe(13);
        const at = await put("known");
        const unknown = "\x0a\x05known\x9a\x06\x03abc\xf8\x3f\x07";
        const answer = await wire.raw("/etcdserverpb.KV/Range", bytes(unknown));
        expect(text(answer)).toContain("known");
        const twice = "\x0a\x05other\x0a\x05known";
        expect(text(await wire.raw("/etcdserverpb.KV/Range", bytes(twice)))).toContain("known");
        expect(await put("known")).toBe(at + 1n);
      });

      test("a request that is too large, and a message that is", async () => {
        const key = bytes("large");
        const value = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array(size);
        const fits = await wire.call(KV.method.put, { key, value: value(MAX_REQUEST_BYTES - 100) });
        expect(fits.header?.revision).toBeGreaterThan(0n);
        const request = wire.call(KV.method.put, { key, value: value(MAX_REQUEST_BYTES) });
        expect(await endOf(request)).toEqual([3, "etcdserver: request is too large"]);
        const message = wire.call(KV.method.put, { key, value: value(MAX_MESSAGE_BYTES) });
        const size = MAX_MESSAGE_BYTES + 12;
        expect(await endOf(message)).toEqual([
          ...[8, `grpc: received message larger than max (${size} vs. ${MAX_MESSAGE_BYTES})`],
        ]);
        expect(await put("large")).toBe((fits.header?.revision ?? 0n) + 1n);
      });

      test("a token while nobody has to show one", async () => {
        const metadata = { token: "nonsense.1" };
        const range = wire.call(KV.method.range, { key: bytes("k") }, { metadata });
        expect(await endOf(range)).toEqual([16, "etcdserver: invalid auth token"]);
        const leader = { hasleader: "true", "client-api-version": "3.4.23" };
        await wire.call(KV.method.range, { key: bytes("k") }, { metadata: leader });
      });

      test("compressed messages are refused, not misread", async () => {
        const gzip = new WireClient(server.endpoint, {
          channel: { "grpc.default_compression_algorithm": 2 },
        });
        const request = { key: bytes("k"), value: new Uint8Array(10_000) };
        expect(await endOf(gzip.call(KV.method.put, request))).toEqual([
          ...[12, 'grpc: Decompressor is not installed for grpc-encoding "gzip"'],
        ]);
        gzip.close();
      });

      test("authentication, while it is off", async () => {
        const request = { name: "root", password: "secret" };
        expect(await endOf(wire.call(Auth.method.authenticate, request))).toEqual([
          ...[9, "etcdserver: authentication is not enabled"],
        ]);
      });
    });

    test("a deadline ends a call that waits, and leaves nothing waiting behind", async () => {
      const { key } = await wire.call(Lock.method.lock, { name: bytes("deadline") });
      const second = wire.call(Lock.method.lock, { name: bytes("deadline") }, { deadlineMs: 300 });
      expect(await codeOf(second)).toBe(4);
      await wire.call(Lock.method.unlock, { key });
      const range = { key: bytes("deadline/"), rangeEnd: bytes("deadline0"), countOnly: true };
      const deadline = Date.now() + 10_000;
      let count = 1n;
      while (count > 0n && Date.now() < deadline) {
        ({ count } = await wire.call(KV.method.range, range));
      }
      expect(count).toBe(0n);
    });

    test("locks and elections as a service", async () => {
      const lease = async (): Promise<bigint> =>
        (await wire.call(Lease.method.leaseGrant, { TTL: 60n })).ID;
      const [one, two] = [await lease(), await lease()];
      const name = bytes("election");
      expect(await endOf(wire.call(Election.method.leader, { name }))).toEqual([
        ...[2, "election: no leader"],
      ]);
      const observer = wire.subscribe(Election.method.observe, { name });
      const first = await wire.call(Election.method.campaign, {
        name,
        lease: one,
        value: bytes("1"),
      });
      expect(text(first.leader?.key ?? bytes(""))).toBe(`election/${one.toString(16)}`);
      expect(text((await observer.must()).kv?.value ?? bytes(""))).toBe("1");
      const campaign = wire.call(Election.method.campaign, { name, lease: two, value: bytes("2") });
      const leader = first.leader;
      if (leader === undefined) throw new Error("a campaign was won without a leader");
      await wire.call(Election.method.proclaim, { leader, value: bytes("uno") });
      expect(text((await observer.must()).kv?.value ?? bytes(""))).toBe("uno");
      await wire.call(Election.method.resign, { leader });
      const second = await campaign;
      expect(second.leader?.lease).toBe(two);
      const { kv } = await wire.call(Election.method.leader, { name });
      expect(text(kv?.value ?? bytes(""))).toBe("2");
      const again = wire.call(Election.method.proclaim, { leader, value: bytes("x") });
      expect(await endOf(again)).toEqual([2, "election: not leader"]);
      observer.cancel();
      const locked = await wire.call(Lock.method.lock, { name: bytes("lock"), lease: one });
      expect(text(locked.key)).toBe(`lock/${one.toString(16)}`);
      const same = await wire.call(Lock.method.lock, { name: bytes("lock"), lease: one });
      expect(text(same.key)).toBe(text(locked.key));
      await wire.call(Lock.method.unlock, { key: locked.key });
      const unknown = wire.call(Lock.method.lock, { name: bytes("lock"), lease: 4711n });
      expect(await endOf(unknown)).toEqual([2, "etcdserver: requested lease not found"]);
    });

    test("a snapshot: blobs that count down, and their hash at last", async () => {
      const stream = wire.subscribe(Maintenance.method.snapshot, {});
      const hash = createHash("sha256");
      let total = 0;
      let remaining: bigint | undefined;
      for (;;) {
        const { blob, remainingBytes } = await stream.must();
        if (remaining === 0n) {
          expect(Buffer.compare(blob, hash.digest())).toBe(0);
          break;
        }
        hash.update(blob);
        total += blob.length;
        expect(blob.length).toBeLessThanOrEqual(32_768);
        if (remaining !== undefined) expect(remainingBytes).toBe(remaining - BigInt(blob.length));
        remaining = remainingBytes;
      }
      expect(total % 512).toBe(0);
      expect(await stream.next(5000)).toBeUndefined();
      expect(stream.end).toBeNull();
    });

    test("health, for who asks by gRPC", async () => {
      const { status } = await wire.call(Health.method.check, {});
      expect(status).toBe(1);
      expect(await endOf(wire.call(Health.method.check, { service: "nobody" }))).toEqual([
        ...[5, "unknown service"],
      ]);
      const watch = wire.subscribe(Health.method.watch, {});
      expect((await watch.must()).status).toBe(1);
      watch.cancel();
    });

    if (kind === "strata") {
      test("a range in pieces is the range", async () => {
        for (let i = 0; i < 30; i++) await put(`stream${i}`, "x".repeat(100_000));
        const range = { key: bytes("stream"), rangeEnd: bytes("streamz") };
        const whole = await wire.call(KV.method.range, range);
        const stream = wire.subscribe(KV.method.rangeStream, range);
        const keys: string[] = [];
        let count = 0n;
        for (;;) {
          const answer = await stream.next(10_000);
          if (answer === undefined) break;
          keys.push(...(answer.rangeResponse?.kvs ?? []).map(({ key }) => text(key)));
          count = answer.rangeResponse?.count || count;
        }
        expect(stream.end).toBeNull();
        expect(keys).toEqual(whole.kvs.map(({ key }) => text(key)));
        expect(count).toBe(whole.count);
      });
    }

    test("a stop ends streams as unavailable, and a start finds everything", async () => {
      const stream = watching();
      const at = await put("stays");
      await created(stream, { key: bytes("stays") });
      expect(await server.stop()).toMatch(/SIGTERM|143/);
      while (stream.end === undefined) await sleep(10);
      expect(stream.end).toMatchObject({ code: 14 });
      await server.start();
      const request = { key: bytes("stays") };
      const { header, kvs } = await wire.call(KV.method.range, request, {
        ...{ deadlineMs: 10_000, waitForReady: true },
      });
      expect(kvs[0]?.modRevision).toBe(at);
      expect(header?.raftTerm).toBe(3n);
    });
  });
}
