import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeWatchServer, settled } from "../../../test/support/fake-watch-server.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { EtcdError } from "../../base/errors.ts";
import type { WatchResponse } from "../../proto/tables/watch.ts";
import { Rpc } from "../rpc.ts";
import { revisionOf } from "./response-joiner.ts";
import type { Watch } from "./watch.ts";
import { cancelText, isProgress, watchError } from "./watch-error.ts";
import { Watches, type WatchesOptions } from "./watches.ts";

const ALL = { key: Buffer.from("a"), rangeEnd: Buffer.from("zz") };

class Rig {
  readonly server = new FakeWatchServer();
  readonly clock = new ManualClock();
  readonly watches: Watches;

  constructor(options: WatchesOptions = {}) {
    const { clock } = this;
    this.watches = new Watches(new Rpc(this.server), { clock, random: () => 0, ...options });
  }

  /** Past the wait after a broken stream. */
  async reconnect(): Promise<void> {
    await this.clock.advance(1000);
    await settled();
  }
}

/** Whatever a watch has, taken as it comes. */
class Taker {
  readonly responses: WatchResponse[] = [];
  readonly ended: Promise<unknown>;

  constructor(watch: Watch) {
    this.ended = (async () => {
      for await (const response of watch) this.responses.push(response);
    })().catch((error: unknown) => error);
  }

  get seen(): string[] {
    return this.responses.flatMap(textsOf);
  }
}

function textsOf({ events }: WatchResponse): string[] {
  return events.map((event) => `${revisionOf(event)} ${Buffer.from(event.kv?.key ?? "")}`);
}

describe("watches", () => {
  test("several share one stream, each with its own events", async () => {
    const { server, watches } = new Rig();
    const a = new Taker(watches.open({ key: Buffer.from("a") }));
    const b = new Taker(watches.open({ key: Buffer.from("b"), startRevision: 2n }));
    await settled();
    server.write(["a", "b"]);
    server.write(["b"]);
    for (const id of [0n, 1n]) server.last.tell(id);
    await settled();
    expect(a.seen).toEqual(["2 a"]);
    expect(b.seen).toEqual(["2 b", "3 b"]);
    expect(server.streams.length).toBe(1);
    await watches.close();
    expect(server.last.canceled).toBe(true);
  });

  test("a watch from now on is bound to the revision it was made at, whenever the connection breaks", async () => {
    const rig = new Rig();
    const { server, watches } = rig;
    server.write(["a"]);
    const watch = watches.open(ALL);
    const taker = new Taker(watch);
    expect((await watch.created)?.revision).toBe(2n);
    server.last.cut();
    await settled();
    server.write(["b"]);
    await rig.reconnect();
    expect(server.streams.length).toBe(2);
    expect(server.last.requests[0]?.createRequest?.startRevision).toBe(3n);
    server.last.tell(0n);
    await settled();
    expect(taker.seen).toEqual(["3 b"]);
    await watches.close();
  });

  test("a stream is opened again after ever longer waits, until one holds", async () => {
    const { server, watches, clock } = new Rig();
    new Taker(watches.open(ALL));
    await settled();
    server.isDown = true;
    server.last.cut();
    const openedAt: number[] = [];
    for (let ms = 0; ms < 5000; ms += 10) {
      const before = server.streams.length;
      await clock.advance(10);
      if (server.streams.length > before) openedAt.push(ms + 10);
    }
    expect(openedAt).toEqual([20, 60, 140, 300, 620, 1260, 2260, 3260, 4260]);
    server.isDown = false;
    await clock.advance(1000);
    server.last.cut();
    const before = server.streams.length;
    await clock.advance(30);
    expect(server.streams.length).toBe(before + 1);
    await watches.close();
  });

  test("a stream that is refused for good ends every watch with the reason", async () => {
    const { server, watches } = new Rig();
    server.refusal = new EtcdError("PERMISSION_DENIED");
    const takers = [new Taker(watches.open(ALL)), new Taker(watches.open(ALL))];
    for (const { ended } of takers) expect(await ended).toBe(server.refusal);
    server.refusal = undefined;
    const again = watches.open(ALL);
    expect((await again.created)?.revision).toBe(1n);
    await watches.close();
  });

  test("what is compacted away while nobody is connected ends the watch, and no other", async () => {
    const rig = new Rig();
    const { server, watches } = rig;
    const late = new Taker(watches.open({ ...ALL, startRevision: 2n }));
    await settled();
    server.last.cut();
    for (let i = 0; i < 5; i++) server.write(["a"]);
    server.compacted = 4n;
    await rig.reconnect();
    const other = new Taker(watches.open(ALL));
    await settled();
    for (const id of [0n, 1n]) server.last.tell(id);
    await late.ended;
    const [last] = late.responses;
    expect(last?.compactRevision).toBe(5n);
    expect(last && cancelText(last)).toBe("etcdserver: mvcc: required revision has been compacted");
    expect(last && watchError(last)?.code).toBe("COMPACTED");
    server.write(["z"]);
    server.last.tell(1n);
    await settled();
    expect(other.seen).toEqual(["7 z"]);
    expect(server.last.requests.at(-1)?.cancelRequest?.watchId).toBe(0n);
    await watches.close();
  });

  test("a watch that is refused has the reason in its only response", async () => {
    const { server, watches } = new Rig();
    const why = "rpc error: code = PermissionDenied desc = etcdserver: permission denied";
    const kept = new Taker(watches.open(ALL));
    await settled();
    // etcd 3.4 gives the number that was asked for: that of another watch.
    server.last.send = () => {
      server.last.say({ watchId: 0n, created: true, canceled: true, cancelReason: why });
      return Promise.resolve();
    };
    const watch = watches.open(ALL);
    const refused = new Taker(watch);
    expect(await watch.created).toBeUndefined();
    await refused.ended;
    expect(refused.responses.map(cancelText)).toEqual([why]);
    expect(refused.responses.map((one) => watchError(one)?.code)).toEqual(["PERMISSION_DENIED"]);
    server.write(["k"]);
    server.last.tell(0n);
    await settled();
    expect(kept.seen).toEqual(["2 k"]);
    await watches.close();
  });

  test("a consumer that breaks out cancels its watch; with the last one goes the stream", async () => {
    const { server, watches } = new Rig();
    const first = watches.open(ALL);
    const second = watches.open(ALL);
    await second.created;
    server.write(["a"]);
    server.last.tell(0n);
    for await (const response of first) {
      expect(textsOf(response)).toEqual(["2 a"]);
      break;
    }
    await settled();
    expect(server.last.requests.at(-1)?.cancelRequest?.watchId).toBe(0n);
    expect([...server.last.watches.keys()]).toEqual([1n]);
    second.cancel();
    expect(await second.next()).toEqual({ done: true, value: undefined });
    await settled();
    expect(server.last.canceled).toBe(true);
    const third = watches.open(ALL);
    expect((await third.created)?.revision).toBe(2n);
    expect(server.streams.length).toBe(2);
    await watches.close();
  });

  test("a signal ends a watch, before it is made and while somebody waits", async () => {
    const { server, watches } = new Rig();
    const controller = new AbortController();
    const waits = new Taker(watches.open(ALL, controller));
    const stays = watches.open(ALL);
    controller.abort();
    expect(await waits.ended).toBeUndefined();
    expect(await watches.open(ALL, controller).next()).toEqual({ done: true, value: undefined });
    await stays.created;
    await settled();
    expect(server.last.watches.size).toBe(1);
    await watches.close();
    expect(await stays.next()).toEqual({ done: true, value: undefined });
    expect(await watches.open(ALL).next()).toEqual({ done: true, value: undefined });
  });

  test("a signal ends the wait for a server that is not there", async () => {
    const { server, watches, clock } = new Rig();
    server.isDown = true;
    const controller = new AbortController();
    const taker = new Taker(watches.open(ALL, controller));
    await clock.advance(5000);
    controller.abort();
    await taker.ended;
    await settled();
    expect(clock.sleeping).toBe(0);
  });

  test("parts of a response are joined; events of a revision that was cut in two come once, together", async () => {
    const rig = new Rig();
    const { server, watches } = rig;
    const taker = new Taker(watches.open({ ...ALL, startRevision: 2n, fragment: true }));
    await settled();
    server.write(["a", "b", "c"]);
    server.write(["a", "b", "c"]);
    server.last.tell(0n, 2, 2);
    await settled();
    expect(taker.responses.map(textsOf)).toEqual([["2 a", "2 b", "2 c", "3 a", "3 b", "3 c"]]);
    expect(taker.responses[0]?.fragment).toBe(false);
    server.write(["d", "e", "f"]);
    server.last.tell(0n, 1, 1);
    server.last.cut(undefined, 1);
    await rig.reconnect();
    expect(taker.responses.length).toBe(1);
    server.last.tell(0n, 1, 3);
    await settled();
    expect(taker.responses.slice(1).map(textsOf)).toEqual([["4 d", "4 e", "4 f"]]);
    await watches.close();
  });

  test("parts beyond the buffer come as they are whole, cut between revisions", async () => {
    const { server, watches } = new Rig({ bufferBytesMax: 2000 });
    const taker = new Taker(watches.open({ ...ALL, startRevision: 2n, fragment: true }));
    await settled();
    for (let i = 0; i < 10; i++) server.write(["a", "b", "c"], "x".repeat(200));
    server.last.tell(0n, 10, 2);
    await settled();
    expect(taker.responses.length).toBeGreaterThan(3);
    for (const { events } of taker.responses) expect(events.length % 3).toBe(0);
    expect(taker.seen.length).toBe(30);
    await watches.close();
  });

  test("progress of one watch moves it on; progress for all does not, as it may be ahead of events", async () => {
    const rig = new Rig();
    const { server, watches } = rig;
    const taker = new Taker(watches.open({ key: Buffer.from("a"), progressNotify: true }));
    await settled();
    server.write(["b"]);
    server.last.tell(0n);
    server.last.tellProgress(0n);
    await settled();
    expect(taker.responses.map(isProgress)).toEqual([true]);
    server.write(["a"]);
    watches.requestProgress();
    await settled();
    expect(taker.responses.map(({ header }) => header?.revision)).toEqual([2n, 3n]);
    server.last.cut();
    await rig.reconnect();
    expect(server.last.requests[0]?.createRequest?.startRevision).toBe(3n);
    server.last.tell(0n);
    await settled();
    expect(taker.seen).toEqual(["3 a"]);
    await watches.close();
  });

  test("a slow consumer is waited for: the server is told to stop, and the others go on", async () => {
    const { server, watches } = new Rig({ bufferBytesMax: 10_000 });
    const slow = watches.open({ ...ALL, startRevision: 2n });
    const quick = new Taker(watches.open({ ...ALL, startRevision: 2n }));
    await settled();
    for (let i = 0; i < 100; i++) server.write(["a"], "x".repeat(1000));
    for (let i = 0; i < 100; i++) {
      for (const id of server.last.watches.keys()) server.last.tell(id, 1);
      await settled();
    }
    expect(quick.seen.length).toBe(100);
    expect(server.last.watches.size).toBe(1);
    const seen: string[] = [];
    while (seen.length < 100) {
      const { value } = await slow.next();
      if (value !== undefined) seen.push(...textsOf(value));
      await settled();
      for (const id of server.last.watches.keys()) server.last.tell(id, 1);
    }
    expect(seen).toEqual(quick.seen);
    // In pieces: it was told to stop, and asked to go on.
    const made = server.last.requests.filter(({ createRequest }) => createRequest !== undefined);
    expect(made.length).toBeGreaterThan(2);
    expect(server.streams.length).toBe(1);
    await watches.close();
  });

  test("each stream is opened with the settings of its time", async () => {
    let opened = 0;
    const rig = new Rig({ settings: () => ({ metadata: { token: `t${opened++}` } }) });
    new Taker(rig.watches.open(ALL));
    await settled();
    rig.server.last.cut();
    await rig.reconnect();
    expect(rig.server.streams.map(({ settings }) => settings?.metadata?.token)).toEqual([
      "t0",
      "t1",
    ]);
    await rig.watches.close();
  });
});

type Step =
  | { readonly do: "write"; readonly keys: readonly string[] }
  | { readonly do: "tell"; readonly of: number; readonly revisions: number; readonly part: number }
  | { readonly do: "cut"; readonly lost: number; readonly isDown: boolean }
  | { readonly do: "progress"; readonly of: number }
  | { readonly do: "ask" }
  | { readonly do: "take"; readonly of: number; readonly count: number }
  | { readonly do: "wind"; readonly ms: number };

const KEYS = ["a", "b", "c", "d", "e"];
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      keys: fc.uniqueArray(fc.constantFrom(...KEYS), { minLength: 1 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("tell" as const),
      of: fc.nat(5),
      revisions: fc.integer({ min: 1, max: 5 }),
      part: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("cut" as const),
      lost: fc.nat(4),
      isDown: fc.boolean(),
    }),
  },
  fc.record({ do: fc.constant("progress" as const), of: fc.nat(5) }),
  fc.record({ do: fc.constant("ask" as const) }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("take" as const),
      of: fc.nat(2),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  fc.record({ do: fc.constant("wind" as const), ms: fc.integer({ min: 1, max: 500 }) }),
);

/** Takes when it is told to. */
class Consumer {
  readonly responses: WatchResponse[] = [];
  readonly #watch: Watch;
  #asked = 0;
  #isTaking = false;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  take(count: number): void {
    this.#asked += count;
    if (!this.#isTaking) void this.#run().catch(() => undefined);
  }

  async #run(): Promise<void> {
    this.#isTaking = true;
    for (; this.#asked > 0; this.#asked--) {
      const { value } = await this.#watch.next();
      if (value === undefined) break;
      this.responses.push(value);
    }
    this.#isTaking = false;
  }
}

test("whatever is cut, in parts, late or slow: every consumer sees the history once, whole revisions in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      async (steps, fragments) => {
        const rig = new Rig({ bufferBytesMax: 3000 });
        const { server, watches, clock } = rig;
        const asks = [
          { key: Buffer.from("a"), rangeEnd: Buffer.from("c"), startRevision: 2n },
          { key: Buffer.from("b"), rangeEnd: Buffer.from("zz") },
          { key: Buffer.from("d"), progressNotify: true },
        ];
        const consumers = asks.map(
          (ask, i) => new Consumer(watches.open({ ...ask, fragment: fragments[i] })),
        );
        await settled();
        for (const one of steps) {
          switch (one.do) {
            case "write":
              server.write(one.keys, "x".repeat(300));
              break;
            case "tell":
              server.last.tell(BigInt(one.of), one.revisions, one.part);
              break;
            case "cut":
              server.isDown = one.isDown;
              server.last.cut(undefined, one.lost);
              break;
            case "progress":
              server.last.tellProgress(BigInt(one.of));
              break;
            case "ask":
              watches.requestProgress();
              break;
            case "take":
              consumers[one.of]?.take(one.count);
              break;
            case "wind":
              server.isDown = false;
              await clock.advance(one.ms);
          }
          // Not after every step: several things happen at once, too.
          if (one.do !== "write") await settled();
        }
        server.isDown = false;
        for (const consumer of consumers) consumer.take(1_000_000);
        for (let quiet = 0; quiet < 3; quiet++) {
          await rig.reconnect();
          for (const id of server.last.watches.keys()) {
            server.last.tell(id, 3);
            await settled();
          }
          if (server.last.onTheWire > 0 || [...server.last.watches.values()].some(isBehind)) {
            quiet = -1;
          }
        }
        function isBehind({ next }: { readonly next: bigint }): boolean {
          return next <= server.revision;
        }
        for (const [i, { key, rangeEnd = undefined }] of asks.entries()) {
          const isWanted = (name: string): boolean =>
            rangeEnd === undefined
              ? name === key.toString()
              : name >= key.toString() && name < rangeEnd.toString();
          const expected = server.history
            .flat()
            .filter(({ kv }) => isWanted(Buffer.from(kv?.key ?? "").toString()))
            .map((event) => `${revisionOf(event)} ${Buffer.from(event.kv?.key ?? "")}`);
          const responses = consumers[i]?.responses ?? [];
          expect(responses.flatMap(textsOf)).toEqual(expected);
          const lasts = responses.map(({ events }) => events.at(-1)).filter((e) => e !== undefined);
          const ends = lasts.map(revisionOf);
          expect(new Set(ends).size).toBe(ends.length);
        }
        await watches.close();
        expect(clock.sleeping).toBe(0);
      },
    ),
    { numRuns: process.env.STRATA_FULL === "1" ? 5000 : 150 },
  );
});
