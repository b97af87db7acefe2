/**
 * Many clients of one server at once, which is killed and started again meanwhile: what they asked and were answered,
 * and what watchers were told, for `network-history.ts` to judge.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as rpc from "../../src/proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { FROM_KEY } from "../conformance/client.ts";
import { bytes, kvOf, ServerClient } from "../conformance/server-client.ts";
import {
  type Answered,
  type Asked,
  type Event,
  History,
  type Operation,
  type Told,
  violations,
  type Watched,
} from "./network-history.ts";
import { type Rng, rng } from "./rng.ts";
import { type ServerKind, ServerProcess } from "./server-process.ts";
import { WireClient, WireError } from "./wire-client.ts";

export interface NetworkLoad {
  readonly kind: ServerKind;
  readonly seed: number;
  readonly kills: number;
  readonly clients: number;
  readonly keys: number;
}

export interface NetworkReport {
  operations: number;
  answered: number;
  /** Of those that nobody answered: done all the same. */
  phantoms: number;
  kills: number;
  /** While it was starting. */
  early: number;
  revisions: number;
  compactions: number;
  told: number;
  bookmarks: number;
  resumed: number;
}

const CALL_TIMEOUT_MS = 10_000;
const SETTLE_TIMEOUT_MS = 30_000;
const FLAGS = ["--experimental-watch-progress-notify-interval=100ms", "--snapshot-count=2000"];
/** Fewer revisions are not worth a compaction. */
const COMPACTED_AT_LEAST = 20;
/** What a call ends with whose server has gone. */
const GONE_CODES: readonly number[] = [1, 2, 4, 13, 14];

/** @throws Error naming the first things that are not as they must be */
export async function loadNetwork(load: NetworkLoad): Promise<NetworkReport> {
  await using server = await ServerProcess.start({ kind: load.kind, flags: FLAGS });
  const random = rng(load.seed);
  const run = new Run(load, server);
  const truth = run.watch("truth", undefined, false);
  for (let i = 0; i < load.keys; i++) run.watch(`of k${i}`, `k${i}`, i % 2 === 0);
  for (let i = 0; i < 3; i++) run.watch(`all ${i}`, undefined, i > 0);
  for (let i = 0; i < load.clients; i++) run.client(rng(load.seed * 1000 + i));
  for (let kill = 0; kill < load.kills; kill++) {
    await sleep(400 + random.float() * 800);
    await run.kill(random);
  }
  await sleep(300);
  await run.stopAsking();
  return await run.judge(truth);
}

class Run {
  readonly #load: NetworkLoad;
  readonly #server: ServerProcess;
  readonly #operations: Operation[] = [];
  readonly #watchers: Watcher[] = [];
  readonly #asking: Promise<void>[] = [];
  readonly #refusals: string[] = [];
  readonly #report = { kills: 0, early: 0, compactions: 0 };
  #stopping = false;
  #nextValue = 1;
  #compacted = 0;
  /** The last known revision of each key, for swaps that often succeed. */
  readonly #known = new Map<string, number>();

  constructor(load: NetworkLoad, server: ServerProcess) {
    this.#load = load;
    this.#server = server;
  }

  watch(name: string, key: string | undefined, byBookmark: boolean): Watcher {
    const watcher = new Watcher(this.#server.endpoint, name, key, byBookmark);
    this.#watchers.push(watcher);
    return watcher;
  }

  client(random: Rng): void {
    this.#asking.push(this.#ask(random));
  }

  async kill(random: Rng): Promise<void> {
    await this.#server.stop("SIGKILL");
    this.#report.kills++;
    while (random.bool(0.3)) {
      const started = this.#server.start().then(
        () => undefined,
        (error: unknown) => error,
      );
      await sleep(random.float() * 600);
      await this.#server.stop("SIGKILL");
      await started;
      this.#report.early++;
    }
    await this.#server.start();
  }

  async stopAsking(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#asking);
  }

  async judge(truth: Watcher): Promise<NetworkReport> {
    const wire = new WireClient(this.#server.endpoint);
    const client = new ServerClient(wire);
    const { revision } = await client.put({ key: "end", value: "end" });
    this.#operations.push({
      asked: { kind: "put", key: "end", value: "end" },
      startMs: performance.now(),
      endMs: performance.now(),
      answered: { revision, changed: true, kvs: [], before: undefined },
    });
    const deadline = Date.now() + SETTLE_TIMEOUT_MS;
    for (const watcher of this.#watchers) {
      while (!watcher.has(revision) && Date.now() < deadline) await sleep(20);
    }
    await Promise.all(this.#watchers.map((watcher) => watcher.stop()));
    const history = new History();
    const wrong = [...this.#refusals];
    for (const { events } of truth.told) {
      for (const at of new Set(events.map(({ kv }) => kv.modRevision))) {
        const changes = events.filter(({ kv }) => kv.modRevision === at);
        wrong.push(...history.add(at, changes));
      }
    }
    if (history.last !== revision) wrong.push(`truth ends at ${history.last} of ${revision}`);
    const { kvs } = await client.range({ key: "\0", rangeEnd: FROM_KEY });
    const end = JSON.stringify(kvs.map((kv) => [kv.key, kv.value, kv.modRevision]));
    const want = JSON.stringify(
      history.all(revision).map((kv) => [kv.key, kv.value, kv.modRevision]),
    );
    if (end !== want) wrong.push(`at last there is ${end}, but there must be ${want}`);
    for (const watcher of this.#watchers) {
      const missing = watcher.missing(history);
      if (missing !== undefined) wrong.push(`${watcher.name} was not told of ${missing}`);
    }
    wire.close();
    wrong.push(...violations(this.#operations, history, this.#watchers));
    if (wrong.length > 0) {
      throw new Error(
        `STRATA_SEEDS=${this.#load.seed}: ${wrong.length} things wrong:\n${wrong.slice(0, 10).join("\n")}`,
      );
    }
    return this.#reported(history);
  }

  #reported(history: History): NetworkReport {
    const told = this.#watchers.flatMap((watcher) => watcher.told);
    const answered = this.#operations.filter((operation) => operation.answered !== undefined);
    const written = answered.filter(({ asked, answered: answer }) => {
      return answer?.changed && asked.kind !== "get" && asked.kind !== "all";
    });
    return {
      ...this.#report,
      operations: this.#operations.length,
      answered: answered.length,
      phantoms: history.last - 1 - written.length,
      revisions: history.last,
      told: told.filter(({ events }) => events.length > 0).length,
      bookmarks: told.filter(({ events }) => events.length === 0).length,
      resumed: this.#watchers.reduce((sum, { lives }) => sum + lives - 1, 0),
    };
  }

  /** One client: one request after another, until it is told to stop. */
  async #ask(random: Rng): Promise<void> {
    const wire = new WireClient(this.#server.endpoint);
    while (!this.#stopping) {
      const asked = this.#next(random);
      const operation: Operation = {
        asked,
        startMs: performance.now(),
        endMs: Number.POSITIVE_INFINITY,
        answered: undefined,
      };
      this.#operations.push(operation);
      try {
        operation.answered = await answer(wire, asked);
        operation.endMs = performance.now();
        if ("value" in asked && operation.answered.changed && "key" in asked) {
          this.#known.set(asked.key, operation.answered.revision);
        }
        await this.#maybeCompact(wire, random);
      } catch (error) {
        if (!(error instanceof WireError) || !GONE_CODES.includes(error.code)) {
          this.#refusals.push(`${JSON.stringify(asked)}: ${error}`);
        }
        await sleep(50);
      }
    }
    wire.close();
  }

  /** As far as no watcher that comes back would be overtaken. */
  async #maybeCompact(wire: WireClient, random: Rng): Promise<void> {
    const needed = Math.min(...this.#watchers.map((watcher) => watcher.next));
    if (!random.bool(0.02) || needed < this.#compacted + COMPACTED_AT_LEAST) return;
    this.#compacted = needed;
    const request = { revision: BigInt(needed), physical: random.bool() };
    await wire.call(rpc.KV.method.compact, request, { deadlineMs: CALL_TIMEOUT_MS });
    this.#report.compactions++;
  }

  #next(random: Rng): Asked {
    const key = `k${random.int(this.#load.keys)}`;
    const value = String(this.#nextValue++);
    const dice = random.float();
    if (dice < 0.4) return { kind: "put", key, value };
    if (dice < 0.5) return { kind: "delete", key };
    if (dice < 0.65) return { kind: "get", key, serializable: random.bool(0.3) };
    if (dice < 0.72) return { kind: "all", serializable: random.bool(0.3) };
    if (dice < 0.88) {
      return { kind: "swap", key, value, modRevision: this.#known.get(key) ?? 0 };
    }
    const from = `k${random.int(this.#load.keys)}`;
    return from === key ? { kind: "put", key, value } : { kind: "move", from, to: key, value };
  }
}

async function answer(wire: WireClient, asked: Asked): Promise<Answered> {
  const settings = { deadlineMs: CALL_TIMEOUT_MS, waitForReady: true };
  const { put, range, deleteRange, txn } = rpc.KV.method;
  switch (asked.kind) {
    case "put": {
      const request = { key: bytes(asked.key), value: bytes(asked.value), prevKv: true };
      const got = await wire.call(put, request, settings);
      return { ...common(got), changed: true, before: got.prevKv && kvOf(got.prevKv) };
    }
    case "delete": {
      const request = { key: bytes(asked.key), prevKv: true };
      const got = await wire.call(deleteRange, request, settings);
      const before = got.prevKvs[0];
      return { ...common(got), changed: got.deleted > 0n, before: before && kvOf(before) };
    }
    case "get": {
      const request = { key: bytes(asked.key), serializable: asked.serializable };
      const got = await wire.call(range, request, settings);
      return { ...common(got), changed: false, kvs: got.kvs.map(kvOf) };
    }
    case "all": {
      const { serializable } = asked;
      const request = { key: bytes("\0"), rangeEnd: bytes(FROM_KEY), serializable };
      const got = await wire.call(range, request, settings);
      return { ...common(got), changed: false, kvs: got.kvs.map(kvOf) };
    }
    case "swap": {
      const key = bytes(asked.key);
      const value = bytes(asked.value);
      const modRevision = { case: "modRevision", value: BigInt(asked.modRevision) } as const;
      const request = {
        compare: [{ key, target: rpc.Compare_CompareTarget.MOD, targetUnion: modRevision }],
        success: [{ request: { case: "requestPut", value: { key, value } } as const }],
        failure: [{ request: { case: "requestRange", value: { key } } as const }],
      };
      const got = await wire.call(txn, request, settings);
      const read = got.responses[0]?.response;
      const kvs = read?.case === "responseRange" ? read.value.kvs.map(kvOf) : [];
      return { ...common(got), changed: got.succeeded, kvs };
    }
    case "move": {
      const [key, value] = [bytes(asked.to), bytes(asked.value)];
      const request = {
        success: [
          { request: { case: "requestPut", value: { key, value } } as const },
          { request: { case: "requestDeleteRange", value: { key: bytes(asked.from) } } as const },
        ],
      };
      return { ...common(await wire.call(txn, request, settings)), changed: true };
    }
  }
}

function common({ header }: { readonly header?: rpc.ResponseHeader | undefined }): Answered {
  const revision = Number(header?.revision ?? 0n);
  return { revision, changed: false, kvs: [], before: undefined };
}

/** A watch that is made again, after what it was told last, whenever its stream breaks. */
class Watcher implements Watched {
  readonly name: string;
  readonly key: string | undefined;
  readonly told: Told[] = [];
  readonly #endpoint: string;
  /** It goes on from its last bookmark, if that was later than its last event. */
  readonly #byBookmark: boolean;
  readonly #over: Promise<void>;
  #wire: WireClient | undefined;
  #stopping = false;
  #last = 1;
  lives = 0;

  constructor(endpoint: string, name: string, key: string | undefined, byBookmark: boolean) {
    this.#endpoint = endpoint;
    this.name = name;
    this.key = key;
    this.#byBookmark = byBookmark;
    this.#over = this.#watch();
  }

  /** Where it goes on when it comes back. */
  get next(): number {
    return this.#last + 1;
  }

  /** Whether it must have been told all there is up to there. */
  has(revision: number): boolean {
    const { told } = this;
    return told.some(
      ({ revision: at, events }) => at >= revision && (this.key ? !events[0] : true),
    );
  }

  /** The first revision after the last that it was told of and that it should have been told of, too. */
  missing(history: History): number | undefined {
    const last = this.told.findLast(({ events }) => events.length > 0)?.events.at(-1)
      ?.kv.modRevision;
    for (let at = (last ?? 1) + 1; at <= history.last; at++) {
      const mine = ({ kv }: Event): boolean => this.key === undefined || kv.key === this.key;
      if (history.of(at).some(mine)) return at;
    }
    return undefined;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wire?.close();
    await this.#over;
  }

  async #watch(): Promise<void> {
    while (!this.#stopping) {
      this.lives++;
      const wire = new WireClient(this.#endpoint);
      this.#wire = wire;
      try {
        await this.#follow(wire);
      } catch (error) {
        if (!(error instanceof WireError) || !GONE_CODES.includes(error.code)) throw error;
        await sleep(20);
      } finally {
        wire.close();
      }
    }
  }

  async #follow(wire: WireClient): Promise<void> {
    const stream = wire.open(rpc.Watch.method.watch);
    const range =
      this.key === undefined
        ? { key: bytes("\0"), rangeEnd: bytes(FROM_KEY) }
        : { key: bytes(this.key) };
    const from = { startRevision: BigInt(this.#last + 1), progressNotify: true };
    stream.send({ requestUnion: { case: "createRequest", value: { ...range, ...from } } });
    while (!this.#stopping) {
      const answer = await stream.next(200);
      if (answer === undefined) {
        if (stream.end === undefined) continue;
        throw stream.end ?? new Error(`${this.name}: the stream ended by itself`);
      }
      if (answer.canceled) throw new Error(`${this.name} was cancelled: ${answer.cancelReason}`);
      if (!answer.created) this.#take(answer);
    }
    stream.cancel();
  }

  #take({ header, events }: rpc.WatchResponse): void {
    const revision = Number(header?.revision ?? 0n);
    const told: Event[] = events.map(({ type, kv }) => {
      if (kv === undefined) throw new Error(`${this.name}: an event without a key`);
      return { type: type === 1 ? "delete" : "put", kv: kvOf(kv) };
    });
    this.told.push({ atMs: performance.now(), revision, events: told, life: this.lives });
    const last = told.at(-1)?.kv.modRevision ?? (this.#byBookmark ? revision : 0);
    this.#last = Math.max(this.#last, last);
  }
}
