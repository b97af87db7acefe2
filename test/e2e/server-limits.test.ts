/**
 * Many clients, and bad ones: each gets the documented answer, the server goes on serving all others meanwhile, and its
 * memory stays bounded. STRATA_FULL=1 has the sizes of the specification.
 */
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  KV,
  Lease,
  Watch,
  type WatchRequestSchema,
  type WatchResponseSchema,
} from "../../src/proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { bytes } from "../conformance/server-client.ts";
import { scratchFolder } from "../support/cleanup.ts";
import {
  EMPTY_SETTINGS,
  frame,
  framesOf,
  goneAway,
  PREFACE,
  type RawAnswer,
  sayRaw,
} from "../support/raw-connection.ts";
import { rng } from "../support/rng.ts";
import { JUDGED, ServerProcess } from "../support/server-process.ts";
import { WireClient, type WireStream } from "../support/wire-client.ts";

const FULL = process.env.STRATA_FULL !== undefined;
const FIXTURES = join(import.meta.dirname, "../golden/fixtures");
const MIB = 1024 * 1024;
/** Go's gRPC says nothing before it hangs up, and its other half listens for long. */
const GO = JUDGED === "etcd";

type Watching = WireStream<typeof WatchRequestSchema, typeof WatchResponseSchema>;

function watchOn(stream: Watching, key: string, watchId: number): void {
  stream.send({
    requestUnion: {
      case: "createRequest",
      value: { key: bytes(key), watchId: BigInt(watchId) },
    },
  });
}

/** Somebody else, who must be served all the while. */
class Bystander {
  readonly #wire: WireClient;
  readonly #over: Promise<void>;
  #stopping = false;
  served = 0;

  constructor(wire: WireClient) {
    this.#wire = wire;
    this.#over = this.#ask();
  }

  /** @throws what it was refused with */
  async stop(): Promise<number> {
    this.#stopping = true;
    await this.#over;
    return this.served;
  }

  async #ask(): Promise<void> {
    for (let i = 0; !this.#stopping; i++) {
      const key = bytes("bystander");
      await this.#wire.call(KV.method.put, { key, value: bytes(String(i)) });
      await this.#wire.call(KV.method.range, { key });
      this.served++;
      await sleep(10);
    }
  }
}

async function started(...flags: string[]): Promise<{ server: ServerProcess; wire: WireClient }> {
  const server = await ServerProcess.start({ flags });
  const wire = new WireClient(server.endpoint);
  onTestFinished(async () => {
    wire.close();
    await server.stop("SIGKILL");
  });
  return { server, wire };
}

describe(`many at once on ${JUDGED}`, () => {
  const connections = FULL ? 1000 : 200;
  const watches = 10;

  test(`${connections} connections with ${watches} watchers each`, {
    timeout: 300_000,
  }, async () => {
    const { server, wire } = await started();
    const before = server.residentBytes;
    const clients = Array.from({ length: connections }, () => new WireClient(server.endpoint));
    onTestFinished(() => {
      for (const client of clients) client.close();
    });
    const streams: Watching[] = [];
    for (const client of clients) {
      const stream = client.open(Watch.method.watch);
      for (let i = 0; i < watches; i++) watchOn(stream, i % 2 === 0 ? "all" : `own${i}`, i + 1);
      streams.push(stream);
    }
    for (const stream of streams) {
      for (let i = 0; i < watches; i++) expect((await stream.must(60_000)).created).toBe(true);
    }
    const bystander = new Bystander(wire);
    const puts = 5;
    for (let i = 0; i < puts; i++) {
      for (const key of ["all", ...Array.from({ length: watches }, (_, own) => `own${own}`)]) {
        await wire.call(KV.method.put, { key: bytes(key), value: bytes(`${i}`) });
      }
    }
    for (const stream of streams) {
      const told = new Map<bigint, string>();
      for (let i = 0; i < puts * watches; i++) {
        const { watchId, events } = await stream.must(60_000);
        expect(events.length).toBe(1);
        told.set(watchId, (told.get(watchId) ?? "") + Buffer.from(events[0]?.kv?.value ?? []));
      }
      expect([...told.values()]).toEqual(Array.from({ length: watches }, () => "01234"));
      expect(stream.waiting).toBe(0);
    }
    expect(await bystander.stop()).toBeGreaterThan(0);
    const grown = server.residentBytes - before;
    if (FULL) process.stderr.write(`${streams.length} connections: ${grown / MIB} MiB more\n`);
    expect(grown / connections).toBeLessThan(400_000);
  });

  const leases = FULL ? 100_000 : 4000;
  test(`${leases} leases, over a restart`, { timeout: 600_000 }, async () => {
    const { server, wire } = await started();
    const before = server.residentBytes;
    const ids: bigint[] = [];
    const grant = async (): Promise<void> => {
      while (ids.length < leases) {
        ids.push(0n);
        const at = ids.length - 1;
        const { ID } = await wire.call(Lease.method.leaseGrant, { TTL: 3600n });
        ids[at] = ID;
        if (at % 100 === 0) {
          await wire.call(KV.method.put, { key: bytes(`leased${at}`), lease: ID });
        }
      }
    };
    await Promise.all(Array.from({ length: 64 }, grant));
    expect(new Set(ids).size).toBe(leases);
    const all = async (): Promise<number> =>
      (await wire.call(Lease.method.leaseLeases, {}, { waitForReady: true, deadlineMs: 30_000 }))
        .leases.length;
    expect(await all()).toBe(leases);
    const grown = server.residentBytes - before;
    if (FULL) process.stderr.write(`${leases} leases: ${grown / MIB} MiB more\n`);
    expect(grown).toBeLessThan(100 * MIB + leases * 2000);
    await server.stop();
    await server.start();
    expect(await all()).toBe(leases);
    for (const ID of ids.slice(0, 200)) await wire.call(Lease.method.leaseRevoke, { ID });
    expect(await all()).toBe(leases - 200);
    const range = { key: bytes("leased"), rangeEnd: bytes("leasee"), countOnly: true };
    expect((await wire.call(KV.method.range, range)).count).toBe(BigInt(leases / 100 - 2));
  });

  const keys = FULL ? 1_000_000 : 60_000;
  test(`a range of ${keys} keys lets others be served`, { timeout: 600_000 }, async () => {
    const { server, wire } = await started();
    const value = new Uint8Array(100);
    const perTxn = 120;
    let next = 0;
    const fill = async (): Promise<void> => {
      while (next < keys) {
        const first = next;
        next = Math.min(keys, next + perTxn);
        const success = Array.from({ length: next - first }, (_, i) => {
          const key = bytes(`key${String(first + i).padStart(8, "0")}`);
          return { request: { case: "requestPut", value: { key, value } } as const };
        });
        await wire.call(KV.method.txn, { success });
      }
    };
    await Promise.all(Array.from({ length: 8 }, fill));
    const other = new WireClient(server.endpoint);
    await other.connected(10_000);
    let reading = true;
    let served = 0;
    let longestMs = 0;
    // In a client of its own, whose messages this test does not decode: that takes its time too.
    const whole = wire
      .raw("/etcdserverpb.KV/Range", bytes("\x0a\x03key\x12\x03kez"))
      .finally(() => {
        reading = false;
      });
    while (reading) {
      const startMs = performance.now();
      await other.call(KV.method.range, { key: bytes("key00000001") });
      longestMs = Math.max(longestMs, performance.now() - startMs);
      if (reading) served++;
    }
    const answer = await whole;
    other.close();
    if (FULL) process.stderr.write(`${served} others served, at most ${longestMs} ms\n`);
    expect(answer.length).toBeGreaterThan(keys * 110);
    expect(served).toBeGreaterThan(3);
  });
});

describe(`a slow reader on ${JUDGED}`, () => {
  const timeout = 300_000;
  test("a watcher that does not read costs bounded memory, and is told all", {
    timeout,
  }, async () => {
    const { server, wire } = await started("--quota-backend-bytes=4294967296");
    const slow = new WireClient(server.endpoint);
    const stream = slow.open(Watch.method.watch);
    watchOn(stream, "big", 1);
    expect((await stream.must()).created).toBe(true);
    stream.pause();
    const size = MIB / 8;
    const count = FULL ? 8000 : 1600;
    const value = new Uint8Array(size);
    // Once around, so that what every put costs is there before it is measured.
    for (let i = 0; i < 200; i++) await wire.call(KV.method.put, { key: bytes("warm"), value });
    const before = server.residentBytes;
    const bystander = new Bystander(wire);
    for (let i = 0; i < count; i++) await wire.call(KV.method.put, { key: bytes("big"), value });
    const grown = server.residentBytes - before;
    if (FULL)
      process.stderr.write(
        `${(count * size) / MIB} MiB for a slow watcher: ${grown / MIB} MiB more\n`,
      );
    // Go's is not bounded in bytes.
    if (JUDGED === "strata") expect(grown).toBeLessThan(150 * MIB);
    expect(await bystander.stop()).toBeGreaterThan(0);
    stream.resume();
    let version = 0n;
    while (version < BigInt(count)) {
      for (const { kv } of (await stream.must(30_000)).events) {
        expect(kv?.version).toBe(version + 1n);
        version++;
      }
    }
    slow.close();
  });
});

describe(`what is no client on ${JUDGED}`, () => {
  let server: ServerProcess;
  let wire: WireClient;
  let bystander: Bystander;

  beforeAll(async () => {
    server = await ServerProcess.start();
    wire = new WireClient(server.endpoint);
    bystander = new Bystander(wire);
  });
  afterAll(async () => {
    const served = await bystander.stop();
    wire.close();
    const { residentBytes } = server;
    await server.stop("SIGKILL");
    expect(served).toBeGreaterThan(0);
    expect(residentBytes).toBeLessThan(400 * MIB);
  });

  const say = (words: Uint8Array, waitMs?: number): Promise<RawAnswer> =>
    sayRaw(server.clientPort, words, waitMs === undefined ? {} : { waitMs });

  test("a frame over the limit: FRAME_SIZE_ERROR, before it is read", async () => {
    const settings = Buffer.concat([PREFACE, EMPTY_SETTINGS]);
    for (const over of [
      frame(0, 0, 1, Buffer.alloc(100), 16_385),
      frame(1, 4, 1, Buffer.alloc(100), 0xffffff),
    ]) {
      const { bytes: heard, closed } = await say(Buffer.concat([settings, over]));
      expect(framesOf(heard)[0]?.type).toBe(4);
      expect([goneAway(heard), closed]).toEqual([GO ? undefined : 6, true]);
    }
  });

  test("garbage: the connection ends", async () => {
    const random = rng(7);
    for (let i = 1; i < 20; i++) {
      const { closed } = await say(random.bytes(97 * i), GO ? 100 : undefined);
      expect(closed || GO).toBe(true);
    }
    for (let i = 0; i < 20; i++) {
      const words = Buffer.concat([PREFACE, EMPTY_SETTINGS, random.bytes(20_000)]);
      expect((await say(words)).closed).toBe(true);
    }
    const { closed } = await say(Buffer.concat([PREFACE, random.bytes(9)]));
    expect(closed).toBe(true);
  });

  test("a header block that is none: COMPRESSION_ERROR", async () => {
    const block = frame(1, 5, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]));
    const { bytes: heard } = await say(Buffer.concat([PREFACE, EMPTY_SETTINGS, block]));
    expect(goneAway(heard)).toBe(GO ? undefined : 9);
  });

  test("a TLS client on a plain port is not answered in plain text", async () => {
    const secure = new WireClient(server.endpoint, {
      credentials: credentials.createSsl(readFileSync(join(FIXTURES, "tls/ca.pem"))),
    });
    const call = secure.call(KV.method.range, { key: bytes("k") }, { deadlineMs: 10_000 });
    await expect(call).rejects.toMatchObject({ code: 14 });
    secure.close();
  });

  test("connections that say nothing, or half a preface, are in nobody's way", async () => {
    const silent = Array.from({ length: 50 }, (_, i) => say(PREFACE.subarray(0, i % 24), 300));
    const before = bystander.served;
    await Promise.all(silent);
    await sleep(100);
    expect(bystander.served).toBeGreaterThan(before);
  });
});

describe(`certificates on ${JUDGED}`, () => {
  let server: ServerProcess;
  let good: WireClient;

  const file = (name: string): Buffer => readFileSync(join(FIXTURES, name));
  const client = (key?: string, certificate?: string): WireClient =>
    new WireClient(server.endpoint, {
      credentials: credentials.createSsl(
        file("tls/ca.pem"),
        key === undefined ? null : file(key),
        certificate === undefined ? null : file(certificate),
      ),
    });
  const get = (wire: WireClient): Promise<unknown> =>
    wire
      .call(KV.method.range, { key: bytes("k") }, { deadlineMs: 10_000 })
      .finally(() => wire.close());

  beforeAll(async () => {
    const cwd = scratchFolder("tls");
    cpSync(FIXTURES, cwd, { recursive: true });
    const flags = ["--cert-file=tls/server.pem", "--key-file=tls/server-key.pem"];
    const clients = ["--client-cert-auth", "--trusted-ca-file=tls/ca.pem"];
    server = await ServerProcess.start({ cwd, tls: true, flags: [...flags, ...clients] });
    good = client("tls/client-key.pem", "tls/client.pem");
  });
  afterAll(async () => {
    good?.close();
    await server?.stop("SIGKILL");
  });

  test("a verified client is served", async () => {
    const put = { key: bytes("k"), value: bytes("v") };
    const { header } = await good.call(KV.method.put, put, { deadlineMs: 20_000 });
    expect(header?.revision).toBe(2n);
  });

  test("none, an expired one, and nobody's: no connection", async () => {
    await expect(get(client())).rejects.toMatchObject({ code: 14 });
    const expired = client("tls-expired/expired-key.pem", "tls-expired/expired.pem");
    await expect(get(expired)).rejects.toMatchObject({ code: 14 });
    const { header } = await good.call(KV.method.range, { key: bytes("k") });
    expect(header?.revision).toBe(2n);
  });

  test("a plain client on a TLS port: no answer but an end", async () => {
    const plain = new WireClient(server.endpoint);
    await expect(get(plain)).rejects.toMatchObject({ code: 14 });
    const { closed } = await sayRaw(server.clientPort, rng(8).bytes(200));
    expect(closed).toBe(true);
    const { header } = await good.call(KV.method.range, { key: bytes("k") });
    expect(header?.revision).toBe(2n);
  });
});
