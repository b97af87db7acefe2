/**
 * Random histories on a whole store and on a model that keeps every revision: puts, deletes, transactions, ranges of
 * all kinds at all revisions, compactions, leases on a clock that is wound, watches from anywhere, many callers at once,
 * and the store closed or dropped in the middle and opened again. Every answer must be the model's, to the letter.
 *
 * STRATA_SEEDS=7,8 runs these alone; STRATA_EVERY=1 forty instead of twenty-four; STRATA_ROUNDS how long each goes on.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { Strata, type StrataOptions, type StrataPlace } from "../../src/index.ts";
import {
  type ClientWatch,
  type EtcdClient,
  Refusal,
  type WatchAnswer,
  type WatchEvent,
  type WatchRequest,
} from "../conformance/client.ts";
import { LibraryClient } from "../conformance/library-client.ts";
import { ModelClient } from "../conformance/model-client.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { EtcdModel } from "../support/etcd-model.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { LEASES, RandomRequests } from "../support/random-requests.ts";
import { type Rng, rng } from "../support/rng.ts";

const every = process.env.STRATA_EVERY === "1" || process.env.STRATA_FULL === "1";
const seeds = process.env.STRATA_SEEDS
  ? process.env.STRATA_SEEDS.split(",").map(Number)
  : Array.from({ length: every ? 40 : 24 }, (_, i) => i + 1);
const rounds = Number(process.env.STRATA_ROUNDS ?? 300);
const EVERY = { key: "\0", rangeEnd: "\0" };
const STEP_MS = 500;

type Call = (client: EtcdClient) => Promise<unknown>;

/** A watch of the store, and how far it has come in the model's history. */
class Watched {
  readonly #watch: ClientWatch;
  readonly #request: WatchRequest;
  readonly #model: EtcdModel;
  readonly #first: number;
  /** What is due: the events of the next revision that has any, without those that were told. */
  #next: number;
  #told = 0;
  over = false;

  constructor(watch: ClientWatch, request: WatchRequest, model: EtcdModel) {
    this.#watch = watch;
    this.#request = request;
    this.#model = model;
    const { startRevision = 0 } = request;
    this.#first = startRevision === 0 ? model.revision + 1 : startRevision;
    this.#next = this.#first;
  }

  /** Takes what is there. */
  async take(): Promise<void> {
    for (;;) {
      const answer = await this.#watch.next(0);
      if (answer === undefined) return;
      this.#check(answer);
    }
  }

  /** Waits until everything that is due is there. */
  async finish(): Promise<void> {
    while (!this.over && this.#due().length > 0) {
      const answer = await this.#watch.next(10_000);
      if (answer === undefined) throw new Error(`nothing comes, ${this.#next} is due`);
      this.#check(answer);
    }
    await this.take();
  }

  async cancel(): Promise<void> {
    await this.#watch.cancel();
    this.over = true;
  }

  #check(answer: WatchAnswer): void {
    expect(this.over).toBe(false);
    if (answer.kind === "compacted") {
      expect(answer.compactRevision).toBeLessThanOrEqual(this.#model.compacted);
      expect(Math.max(this.#told + 1, this.#first)).toBeLessThan(answer.compactRevision);
      this.over = true;
      return;
    }
    if (answer.kind !== "events") throw new Error(`it was told ${JSON.stringify(answer)}`);
    let events: readonly WatchEvent[] = answer.events;
    while (events.length > 0) {
      const due = this.#due();
      expect(due.length).toBeGreaterThan(0);
      const told = events.slice(0, due.length);
      expect(told.map(withoutPrev)).toEqual(due.map(withoutPrev));
      for (const [i, { prevKv }] of told.entries()) {
        const isCompacted = this.#next - 1 < this.#model.compacted;
        if (prevKv !== undefined || !isCompacted) expect(prevKv).toEqual(due[i]?.prevKv);
      }
      expect(answer.revision).toBeGreaterThanOrEqual(this.#next);
      this.#told = this.#next++;
      events = events.slice(due.length);
    }
    expect(answer.revision).toBeLessThanOrEqual(this.#model.revision);
  }

  #due(): readonly WatchEvent[] {
    for (; this.#next <= this.#model.revision; this.#next++) {
      const events = this.#model.eventsOf(this.#next, this.#request);
      if (events.length > 0) return events;
    }
    return [];
  }
}

function withoutPrev(event: WatchEvent): WatchEvent {
  return { ...event, prevKv: undefined };
}

class History {
  readonly #random: Rng;
  readonly #place: StrataPlace;
  readonly #options: StrataOptions;
  readonly #clock = new ManualClock(1_700_000_000_000);
  readonly #model = new EtcdModel();
  readonly #right: EtcdClient;
  readonly #requests: RandomRequests;
  #watches: Watched[] = [];
  #store: Strata;
  #client: EtcdClient;

  private constructor(random: Rng, place: StrataPlace, options: StrataOptions, store: Strata) {
    this.#random = random;
    this.#place = place;
    this.#options = options;
    this.#store = store;
    this.#client = new LibraryClient(store);
    this.#right = new ModelClient(this.#model);
    this.#requests = new RandomRequests(random, this.#model);
    this.#clock = options.clock as ManualClock;
    this.#model.nowMs = this.#clock.nowMs();
  }

  static async open(random: Rng, place: StrataPlace): Promise<History> {
    const options: StrataOptions = {
      clock: new ManualClock(1_700_000_000_000),
      log: () => undefined,
      batchLimit: random.pick([1, 2, 7, 100]),
      batchIntervalMs: random.pick([50, 400, 5000]),
      compactionBatchLimit: random.pick([1, 3, 1000]),
      compactionSleepMs: 0,
      segmentBytes: random.pick([4096, 64 * 1024]),
      snapshotCount: random.pick([5, 40, 1000]),
      cacheBytes: random.pick([1, 1 << 20]),
      leaseCheckpointIntervalMs: random.pick([2000, 10_000]),
    };
    return new History(random, place, options, await Strata.open(place, options));
  }

  async run(): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const roll = this.#random.float();
      if (roll < 0.7) await this.#one();
      else if (roll < 0.78) await this.#many();
      else if (roll < 0.84) await this.#compact();
      else if (roll < 0.92) await this.#time();
      else if (roll < 0.96) await this.#watch();
      else if (roll < 0.98) await this.#takeSome();
      else await this.#restart();
    }
    await this.#finishWatches();
    await this.#compareAll();
    await this.#settled(this.#store.close());
    expect(this.#store.member.watches.watchers).toBe(0);
  }

  /** One request, and the model's answer. */
  async #one(): Promise<void> {
    const call = this.#call();
    expect(await outcome(this.#settled(call(this.#client)))).toEqual(
      await outcome(call(this.#right)),
    );
  }

  #call(): Call {
    const requests = this.#requests;
    const random = this.#random;
    const roll = random.int(100);
    if (roll < 28) {
      const { put } = requests.put() as { put: Parameters<EtcdClient["put"]>[0] };
      return (client) => client.put(put);
    }
    if (roll < 40) {
      const request = requests.delete() as { delete: Parameters<EtcdClient["delete"]>[0] };
      return (client) => client.delete(request.delete);
    }
    if (roll < 62) {
      const request = requests.txn();
      return (client) => client.txn(request);
    }
    if (roll < 84) {
      const request = requests.range();
      return (client) => client.range(request);
    }
    const id = random.pick(LEASES);
    if (roll < 89) {
      const ttl = random.int(20);
      const expiryMs = this.#model.nowMs + Math.max(2, ttl) * 1000;
      // Which of two that expire together goes first, nobody promises.
      if (!this.#isFree(expiryMs, id)) return async () => undefined;
      return (client) => client.leaseGrant(ttl, id);
    }
    if (roll < 92) return (client) => client.leaseRevoke(id);
    if (roll < 95) {
      const { grantedTtl } = this.#model.leaseTimeToLive(id, false);
      if (!this.#isFree(this.#model.nowMs + grantedTtl * 1000, id)) return async () => undefined;
      return (client) => client.leaseKeepAlive(id);
    }
    const keys = random.bool();
    if (roll < 98) return (client) => client.leaseTimeToLive(id, keys);
    return (client) => client.leases();
  }

  #isFree(expiryMs: number, but: bigint): boolean {
    return LEASES.every((id) => id === but || this.#model.expiryOf(id) !== expiryMs);
  }

  /** Callers that do not wait for each other: writes take effect as they were called, reads at one revision each. */
  async #many(): Promise<void> {
    const before = this.#model.revision;
    const requests = this.#requests;
    const expected: (() => Promise<void>)[] = [];
    for (let i = 2 + this.#random.int(12); i > 0; i--) {
      const roll = this.#random.int(4);
      if (roll === 0) {
        const request = { ...requests.range(), revision: 0 };
        const answer = outcome(this.#client.range(request));
        expected.push(async () => {
          const got = (await answer) as { revision?: number };
          if (got.revision === undefined) {
            expect(got).toEqual(await outcome(this.#right.range(request)));
            return;
          }
          expect(got.revision).toBeGreaterThanOrEqual(before);
          const right = await this.#right.range({ ...request, revision: got.revision });
          expect(got).toEqual({ ...right, revision: got.revision });
        });
        continue;
      }
      const op = roll === 1 ? requests.put() : roll === 2 ? requests.delete() : undefined;
      const txn = op === undefined ? { ...requests.txn() } : { success: [op] };
      // With a write in it, so that it goes through the log.
      const request = { ...txn, failure: [...(txn.failure ?? []), { delete: { key: "none" } }] };
      const answer = outcome(this.#client.txn(request));
      const right = await outcome(this.#right.txn(request));
      expected.push(async () => expect(await answer).toEqual(right));
    }
    for (const check of expected) await this.#settled(check());
  }

  async #compact(): Promise<void> {
    const { revision, compacted } = this.#model;
    const low = Math.max(0, compacted);
    const at = low + this.#random.int(revision - low + 2) - (this.#random.bool(0.1) ? 1 : 0);
    // Not too much: what is given up is not looked at any more.
    if (this.#random.bool(0.5) && at > low + (revision - low) / 2) return;
    const physical = this.#random.bool();
    const call: Call = (client) => client.compact(at, physical);
    expect(await outcome(this.#settled(call(this.#client)))).toEqual(
      await outcome(call(this.#right)),
    );
  }

  async #time(): Promise<void> {
    for (let steps = 1 + this.#random.int(8); steps > 0; steps--) {
      await this.#clock.advance(STEP_MS);
      this.#model.nowMs += STEP_MS;
      const due = this.#model.due();
      if (due.length === 0) continue;
      for (let turn = 0; ; turn++) {
        const left = await this.#client.leases();
        if (due.every((id) => !left.includes(id))) break;
        if (turn === 10_000) throw new Error(`leases ${due.join(" ")} are due and do not go`);
        await this.#clock.advance(0);
      }
      this.#model.expire();
    }
    await this.#one();
  }

  async #watch(): Promise<void> {
    if (this.#watches.length > 5) {
      const [gone] = this.#watches.splice(this.#random.int(this.#watches.length), 1);
      await gone?.finish();
      await gone?.cancel();
    }
    const request = this.#requests.watch();
    this.#watches.push(new Watched(await this.#client.watch(request), request, this.#model));
  }

  async #takeSome(): Promise<void> {
    for (const watch of this.#random.shuffle(this.#watches).slice(0, 2)) await watch.take();
  }

  async #finishWatches(): Promise<void> {
    for (const watch of this.#watches) await watch.finish();
    for (const watch of this.#watches) await watch.cancel();
    this.#watches = [];
  }

  /** Closed, or dropped as a killed process drops it; and opened again. */
  async #restart(): Promise<void> {
    if (this.#random.bool()) await this.#finishWatches();
    const clean = this.#random.bool();
    if (clean) await this.#settled(this.#store.close());
    else await this.#settled(this.#store.member.abandon());
    for (const watch of this.#watches) await watch.take();
    this.#watches = [];
    this.#store = await this.#settled(Strata.open(this.#place, this.#options));
    this.#client = new LibraryClient(this.#store);
    await this.#leasesAfter(clean);
    await this.#compareAll();
  }

  /** A restart never shortens a lease; after a clean one it has what it had, rounded up to a second. */
  async #leasesAfter(clean: boolean): Promise<void> {
    const { nowMs } = this.#model;
    expect([...(await this.#client.leases())].sort()).toEqual([...this.#model.leases()].sort());
    const taken = new Set<number>();
    for (const id of this.#model.leases()) {
      const leftMs = (this.#model.expiryOf(id) as number) - nowMs;
      const { ttl, grantedTtl } = await this.#client.leaseTimeToLive(id);
      expect(ttl * 1000).toBeGreaterThanOrEqual(leftMs);
      expect(ttl).toBeLessThanOrEqual(grantedTtl);
      if (clean) expect(ttl * 1000).toBeLessThan(leftMs + 1000);
      if (taken.has(ttl)) {
        // Two that expire together now: one has to go.
        const call: Call = (client) => client.leaseRevoke(id);
        await this.#settled(call(this.#client));
        await call(this.#right);
        continue;
      }
      taken.add(ttl);
      this.#model.setExpiry(id, nowMs + ttl * 1000);
    }
  }

  /** Every revision that can still be read. */
  async #compareAll(): Promise<void> {
    for (let at = Math.max(1, this.#model.compacted); at <= this.#model.revision; at++) {
      const request = { ...EVERY, revision: at };
      expect(await this.#client.range(request)).toEqual(await this.#right.range(request));
    }
    for (const id of LEASES) {
      const call: Call = (client) => client.leaseTimeToLive(id, true);
      expect(await call(this.#client)).toEqual(await call(this.#right));
    }
  }

  /** Lets the clock's sleepers of this moment run until it is there. */
  async #settled<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const settle = (): void => {
      done = true;
    };
    work.then(settle, settle);
    const endMs = performance.now() + 20_000;
    while (!done) {
      if (performance.now() > endMs) throw new Error("it does not come to an end");
      await this.#clock.advance(0);
    }
    return work;
  }
}

async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Refusal) return [error.grpcCode, error.message];
    throw error;
  }
}

async function runSeed(seed: number, place: StrataPlace): Promise<void> {
  try {
    const history = await History.open(rng(seed), place);
    await history.run();
  } catch (error) {
    throw new Error(`STRATA_SEEDS=${seed}: ${String(error)}`, { cause: error });
  }
}

const CHUNK = 10;
for (let at = 0; at < seeds.length; at += CHUNK) {
  const some = seeds.slice(at, at + CHUNK);
  test(`a store in memory is the model: seeds ${some[0]} to ${some.at(-1)}`, async () => {
    for (const seed of some) await runSeed(seed, { disk: new MemoryTree() });
  });
}

const onDisk = seeds.slice(0, process.env.STRATA_SEEDS ? seeds.length : every ? 4 : 2);
test.each(onDisk)("a store in a directory is the model: seed %i", async (seed) => {
  await runSeed(seed, { dir: join(scratchFolder("model"), "data") });
});
