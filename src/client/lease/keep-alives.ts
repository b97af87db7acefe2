/**
 * Keeps leases alive, many on one stream, which is opened again when it breaks. A lease is asked for three times in its
 * life. It counts as lost when the server says so; and when its life is over since the last request that was answered
 * was sent, for then nobody can tell. So whoever stops its work by `lost` stops before the server gives it to others.
 * @see etcd client/v3 lease.go
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import { EtcdError, StrataError } from "../../base/errors.ts";
import { systemRandom } from "../../base/random.ts";
import {
  LEASE_METHODS,
  type LeaseKeepAliveRequest,
  type LeaseKeepAliveResponse,
} from "../../proto/tables/lease.ts";
import { Backoff } from "../backoff.ts";
import type { Rpc, RpcStream } from "../rpc.ts";
import type { CallSettings } from "../transport/transport.ts";
import { ClientKeptLease, type KeptLease } from "./kept-lease.ts";

export interface KeepAlivesOptions {
  /** Asked for before each stream. */
  readonly settings?: (() => CallSettings | Promise<CallSettings>) | undefined;
  /** How long the first answer may take before the lease counts as lost: its TTL is not known yet. Default: 5000. */
  readonly firstAnswerMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** 0 <= x < 1 */
  readonly random?: (() => number) | undefined;
}

export interface Grant {
  readonly ttlSeconds: bigint;
  /** When it was asked for, by the same clock. */
  readonly sentMs: number;
}

const FIRST_ANSWER_MS = 5000;
const SENDS_PER_LIFE = 3;

/** What is known of a lease, for all who want it kept. */
interface Entry {
  readonly id: bigint;
  readonly wanted: Set<ClientKeptLease>;
  /** Lost then. */
  deadlineMs: number;
  /** Infinity while an answer is awaited. */
  nextSendMs: number;
  sentMs: number;
}

export class KeepAlives {
  readonly #rpc: Rpc;
  readonly #settings: () => CallSettings | Promise<CallSettings>;
  readonly #firstAnswerMs: number;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #entries = new Map<bigint, Entry>();
  #stream: RpcStream<LeaseKeepAliveRequest, LeaseKeepAliveResponse> | undefined;
  #running: Promise<unknown> | undefined;
  /** Ends the pacer's sleep: something is due earlier than it knew. */
  #changed = new AbortController();
  /** Ends the wait before the next stream. */
  #idle = new AbortController();
  #lastError: unknown;
  #closed = false;

  constructor(rpc: Rpc, options: KeepAlivesOptions = {}) {
    this.#rpc = rpc;
    this.#settings = options.settings ?? (() => ({}));
    this.#firstAnswerMs = options.firstAnswerMs ?? FIRST_ANSWER_MS;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = new Backoff(this.#clock, options.random ?? systemRandom);
  }

  /**
   * Begins at once, and goes on until it is released. A lease may be wanted more than once.
   * @param options.grant  of a lease that was just granted: how long it lives is known before the first answer
   */
  keep(
    id: bigint,
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly grant?: Grant | undefined;
    } = {},
  ): KeptLease {
    const { signal, grant } = options;
    const kept = new ClientKeptLease(id, (one) => this.#release(one));
    if (this.#closed || signal?.aborted) {
      kept.end();
      return kept;
    }
    const release = (): void => kept.release();
    signal?.addEventListener("abort", release, { once: true });
    kept.onEnd = () => signal?.removeEventListener("abort", release);
    const known = this.#entries.get(id);
    if (known !== undefined) {
      known.wanted.add(kept);
      return kept;
    }
    const nowMs = this.#clock.nowMs();
    const deadlineMs =
      grant === undefined
        ? nowMs + this.#firstAnswerMs
        : grant.sentMs + Number(grant.ttlSeconds) * 1000;
    this.#entries.set(id, {
      id,
      wanted: new Set([kept]),
      deadlineMs,
      nextSendMs: nowMs,
      sentMs: nowMs,
    });
    this.#changed.abort();
    this.#running ??= this.#run();
    return kept;
  }

  /** Releases all. @param reason  why they count as lost then; none: they do not */
  async close(reason?: Error): Promise<void> {
    this.#closed = true;
    for (const entry of [...this.#entries.values()]) {
      if (reason !== undefined) this.#lose(entry, reason);
      else for (const kept of [...entry.wanted]) kept.release();
    }
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** As long as there are leases. Never rejects. */
  async #run(): Promise<void> {
    const serving = { isOver: false };
    const pacing = this.#pace(serving);
    while (this.#entries.size > 0) {
      this.#idle = new AbortController();
      try {
        await this.#overOneStream();
      } catch (error) {
        this.#lastError = error;
      }
      this.#stream = undefined;
      if (this.#entries.size > 0) await this.#backoff.wait(this.#idle.signal);
    }
    serving.isOver = true;
    this.#running = undefined;
    this.#changed.abort();
    await pacing;
  }

  async #overOneStream(): Promise<void> {
    const settings = await this.#settings();
    if (this.#entries.size === 0) return;
    const stream = this.#rpc.open(LEASE_METHODS.keepAlive, settings);
    this.#stream = stream;
    const nowMs = this.#clock.nowMs();
    for (const entry of this.#entries.values()) {
      // An answer that was on its way is none any more.
      if (entry.nextSendMs === Number.POSITIVE_INFINITY) entry.nextSendMs = nowMs;
    }
    this.#changed.abort();
    for await (const response of stream) {
      if (this.#stream !== stream) return;
      this.#backoff.reset();
      this.#take(response);
    }
  }

  /** Sends what is due, and loses what is overdue. */
  async #pace(serving: { readonly isOver: boolean }): Promise<void> {
    while (!serving.isOver) {
      this.#changed = new AbortController();
      const nowMs = this.#clock.nowMs();
      let nextMs = Number.POSITIVE_INFINITY;
      for (const entry of [...this.#entries.values()]) {
        if (entry.deadlineMs <= nowMs) {
          this.#lose(entry, this.#unheard(entry));
          continue;
        }
        if (this.#stream !== undefined && entry.nextSendMs <= nowMs) this.#send(entry, nowMs);
        const sendMs = this.#stream === undefined ? Number.POSITIVE_INFINITY : entry.nextSendMs;
        nextMs = Math.min(nextMs, entry.deadlineMs, sendMs);
      }
      await this.#clock.sleep(nextMs - nowMs, this.#changed.signal);
    }
  }

  #send(entry: Entry, nowMs: number): void {
    entry.sentMs = nowMs;
    entry.nextSendMs = Number.POSITIVE_INFINITY;
    this.#stream?.send({ id: entry.id }).catch(() => undefined); // The iteration tells.
  }

  #take(response: LeaseKeepAliveResponse): void {
    const entry = this.#entries.get(response.id);
    if (entry === undefined) return;
    if (response.ttl <= 0n) {
      this.#lose(entry, new EtcdError("LEASE_NOT_FOUND"));
      return;
    }
    const lifeMs = Number(response.ttl) * 1000;
    entry.deadlineMs = entry.sentMs + lifeMs;
    entry.nextSendMs = this.#clock.nowMs() + lifeMs / SENDS_PER_LIFE;
    for (const kept of entry.wanted) kept.take(response);
    this.#changed.abort();
  }

  #unheard({ id }: Entry): StrataError {
    const name = id.toString(16).padStart(16, "0");
    const what = `lease ${name} was not renewed in time`;
    return new StrataError("DEADLINE", what, { cause: this.#lastError });
  }

  #lose(entry: Entry, reason: Error): void {
    this.#entries.delete(entry.id);
    for (const kept of [...entry.wanted]) kept.lose(reason);
    this.#stopIfIdle();
  }

  #release(kept: ClientKeptLease): void {
    const entry = this.#entries.get(kept.id);
    if (entry?.wanted.delete(kept) && entry.wanted.size === 0) this.#entries.delete(kept.id);
    this.#stopIfIdle();
  }

  #stopIfIdle(): void {
    if (this.#entries.size > 0) return;
    this.#idle.abort();
    this.#changed.abort();
    this.#stream?.end();
    this.#stream?.cancel();
    this.#stream = undefined;
  }
}
