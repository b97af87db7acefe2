/** What the suites share: one subject for all tests of a suite, emptied before each of them. */
import { afterAll, beforeAll, beforeEach, describe, expect } from "vitest";
import {
  Alarm,
  type ClientWatch,
  type EtcdClient,
  FROM_KEY,
  type Kv,
  type Running,
  type Subject,
  type SubjectOptions,
  type WatchAnswer,
  type WatchEvent,
  type WatchRequest,
} from "./client.ts";

/** The subject while a test runs. Revisions are counted from `base`: what it was when the test began. */
export class Bench {
  readonly subject: Subject;
  #running: Running | undefined;
  #watches: ClientWatch[] = [];
  client!: EtcdClient;
  base = 1;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  get restart(): (() => Promise<void>) | undefined {
    const restart = this.#running?.restart;
    if (restart === undefined) return undefined;
    return async () => {
      this.client = await restart();
    };
  }

  async start(options?: SubjectOptions): Promise<void> {
    this.#running = await this.subject.start(options);
    this.client = this.#running.client;
  }

  /** No keys, leases, alarms and watches; revisions and compactions stay. */
  async empty(): Promise<void> {
    for (const watch of this.#watches.splice(0)) await watch.cancel();
    for (const { memberId, alarm } of await this.client.alarms(Alarm.none)) {
      await this.client.alarm("deactivate", memberId, alarm);
    }
    for (const id of await this.client.leases()) await this.client.leaseRevoke(id);
    await this.client.delete({ key: "\0", rangeEnd: FROM_KEY });
    this.base = (await this.client.status()).revision;
  }

  async stop(): Promise<void> {
    for (const watch of this.#watches.splice(0)) await watch.cancel();
    await this.#running?.stop();
  }

  async pass(ms: number): Promise<void> {
    await this.#running?.pass(ms);
  }

  /** Puts one key after the other, each in a revision of its own. */
  async puts(...pairs: readonly (readonly [key: string, value: string])[]): Promise<void> {
    for (const [key, value] of pairs) await this.client.put({ key, value });
  }

  async revision(): Promise<number> {
    return (await this.client.status()).revision;
  }

  /** All keys and values, as `a=1`. */
  async all(revision = 0): Promise<string[]> {
    const { kvs } = await this.client.range({ key: "\0", rangeEnd: FROM_KEY, revision });
    return kvs.map(({ key, value }) => `${key}=${value}`);
  }

  async watch(request: WatchRequest): Promise<Watched> {
    const watch = await this.client.watch(request);
    this.#watches.push(watch);
    return new Watched(watch, this.subject.quietMs);
  }
}

/** A watch, and what has come of it. */
export class Watched {
  readonly #watch: ClientWatch;
  readonly #quietMs: number;

  constructor(watch: ClientWatch, quietMs: number) {
    this.#watch = watch;
    this.#quietMs = quietMs;
  }

  async next(waitMs = 10_000): Promise<WatchAnswer | undefined> {
    return this.#watch.next(waitMs);
  }

  /** So many events, however they were cut into answers; and that nothing comes after them. */
  async events(count: number): Promise<WatchEvent[]> {
    const events: WatchEvent[] = [];
    while (events.length < count) {
      const answer = await this.next();
      if (answer?.kind !== "events") {
        throw new Error(`${JSON.stringify(answer)} after ${events.length} events of ${count}`);
      }
      events.push(...answer.events);
    }
    expect(events.length).toBe(count);
    await this.quiet();
    return events;
  }

  /** As `put a=1@7`, revisions counted from `base`. */
  async told(count: number, base: number): Promise<string[]> {
    return (await this.events(count)).map((event) => tell(event, base));
  }

  async quiet(): Promise<void> {
    expect(await this.#watch.next(this.#quietMs)).toBeUndefined();
  }

  async cancel(): Promise<void> {
    await this.#watch.cancel();
  }
}

export function tell({ type, kv, prevKv }: WatchEvent, base: number): string {
  const value = type === "put" ? `=${kv.value}` : "";
  const before = prevKv === undefined ? "" : ` was ${prevKv.value}@${prevKv.modRevision - base}`;
  return `${type} ${kv.key}${value}@${kv.modRevision - base}${before}`;
}

/** As `a=1`. */
export function pairs(kvs: readonly Kv[]): string[] {
  return kvs.map(({ key, value }) => `${key}=${value}`);
}

export function describeOn(
  service: string,
  subject: Subject,
  options: SubjectOptions,
  body: (on: Bench) => void,
): void {
  // Each has a subject of its own, and waits for it most of the time; its tests go one after the other.
  describe.concurrent(`${service} on ${subject.name}`, () => {
    describe.sequential("one by one", () => {
      const bench = new Bench(subject);
      beforeAll(() => bench.start(options));
      beforeEach(() => bench.empty());
      afterAll(() => bench.stop());
      body(bench);
    });
  });
}
