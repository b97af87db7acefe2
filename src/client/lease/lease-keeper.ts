/**
 * Keeps leases alive: all of a client on one stream, each asked for at a third of its TTL, and at once when the stream
 * had to be made again.
 *
 * A lease counts as lost when the server says that it is not there, and also when no answer has come for its TTL: it may
 * then have expired, and what hung on it may be another's.
 *
 * @see etcd client/v3 lease.go
 */
import type { Clock } from "../../base/clock.ts";
import { EtcdError, StrataError } from "../../base/errors.ts";
import { LEASE_METHODS, type LeaseKeepAliveRequest } from "../../proto/tables/lease.ts";
import type { Backoff } from "../backoff.ts";
import { type Calls, LONG_LIVED } from "../calls.ts";
import type { RpcStream } from "../rpc.ts";

/** A lease that is kept alive as long as it is held. */
export interface HeldLease extends AsyncDisposable {
  readonly id: bigint;
  /** Seconds, as the server has granted it. */
  readonly ttl: number;
  /**
   * Aborts when the lease is kept alive no more without having been released. Its reason says why: EtcdError
   * LEASE_NOT_FOUND (it expired, or somebody revoked it), StrataError DEADLINE (no server has answered for so long that it
   * may have expired), CLOSED (the client was closed).
   */
  readonly lost: AbortSignal;
  /**
   * Ends the holding. A lease that `hold` has granted is revoked, and its keys go with it; another is left to itself.
   * @throws (rejects) as `revoke`, but for a lease that is not there any more
   */
  release(): Promise<void>;
}

interface HoldOptions {
  /** When the server was asked for what made the lease's TTL a full one. */
  readonly askedMs: number;
  readonly signal: AbortSignal | undefined;
  /** What `release` does besides. */
  readonly revoke: (() => Promise<void>) | undefined;
}

type KeepAliveStream = Pick<RpcStream<LeaseKeepAliveRequest, unknown>, "send" | "cancel">;

export class LeaseKeeper {
  readonly #calls: Calls;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #held = new Map<bigint, Set<Held>>();
  #stream: KeepAliveStream | undefined;
  #running = false;
  /** Why the last stream ended. */
  #fault: unknown;

  constructor(calls: Calls, clock: Clock, backoff: Backoff) {
    this.#calls = calls;
    this.#clock = clock;
    this.#backoff = backoff;
    calls.closed.addEventListener("abort", () => this.#close(calls.closed.reason), { once: true });
  }

  get nowMs(): number {
    return this.#clock.nowMs();
  }

  hold(lease: { readonly id: bigint; readonly ttl: number }, options: HoldOptions): HeldLease {
    this.#calls.assertOpen();
    options.signal?.throwIfAborted();
    const held = new Held(lease, options, (one) => this.#forget(one));
    const others = this.#held.get(lease.id);
    if (others === undefined) this.#held.set(lease.id, new Set([held]));
    else others.add(held);
    void this.#keep(held);
    if (!this.#running) void this.#run();
    return held;
  }

  /** Asks for one lease, again and again, until it is over. */
  async #keep(held: Held): Promise<void> {
    for (;;) {
      await this.#clock.sleep(held.waitMs(this.nowMs), held.over);
      if (held.over.aborted) return;
      if (this.nowMs >= held.deadlineMs) {
        const what = `lease ${held.id.toString(16)} was not kept alive for its ${held.ttl} seconds`;
        held.lose(new StrataError("DEADLINE", what, { cause: this.#fault }));
        return;
      }
      // A server that has not answered the last one may be gone without a word: another stream may reach another.
      if (held.isWaiting) this.#stream?.cancel();
      else this.#ask(held);
      held.asked(this.nowMs);
    }
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#held.size > 0 && !this.#calls.closed.aborted) {
      try {
        await this.#converse();
      } catch (error) {
        this.#fault = error;
      }
      this.#stream = undefined;
      if (this.#held.size > 0) await this.#backoff.wait(this.#calls.closed);
    }
    this.#running = false;
  }

  /** One stream, from its begin to its end. */
  async #converse(): Promise<void> {
    const stream = this.#calls.open(LEASE_METHODS.keepAlive, LONG_LIVED);
    this.#stream = stream;
    try {
      for (const all of this.#held.values()) {
        for (const held of all) {
          held.streamIsNew();
          this.#ask(held);
          held.asked(this.nowMs);
        }
      }
      for await (const { id, ttl } of stream) {
        this.#backoff.reset();
        for (const held of this.#held.get(id) ?? []) {
          if (ttl <= 0n) held.lose(new EtcdError("LEASE_NOT_FOUND"));
          else held.answered(Number(ttl));
        }
        if (this.#held.size === 0) return;
      }
    } finally {
      stream.cancel();
    }
  }

  #ask({ id }: Held): void {
    // What could not be sent ends the stream, and is said there.
    this.#stream?.send({ id }).catch(() => undefined);
  }

  #forget(held: Held): void {
    const all = this.#held.get(held.id);
    all?.delete(held);
    if (all?.size === 0) this.#held.delete(held.id);
    if (this.#held.size === 0) this.#stream?.cancel();
  }

  #close(reason: unknown): void {
    for (const all of [...this.#held.values()]) for (const held of [...all]) held.lose(reason);
  }
}

class Held implements HeldLease {
  readonly id: bigint;
  ttl: number;
  readonly #lost = new AbortController();
  /** Of the holding, however it ends. */
  readonly #over = new AbortController();
  readonly #revoke: (() => Promise<void>) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #forget: (held: Held) => void;
  readonly #stop = (): void => this.#end();
  #released: Promise<void> | undefined;
  /** When what the server has not answered yet was asked, on this stream. */
  #askedMs: number[] = [];
  #lastMs: number;
  /** By then it may have expired. */
  deadlineMs: number;

  constructor(
    { id, ttl }: { readonly id: bigint; readonly ttl: number },
    { askedMs, signal, revoke }: HoldOptions,
    forget: (held: Held) => void,
  ) {
    this.id = id;
    this.ttl = ttl;
    this.#revoke = revoke;
    this.#signal = signal;
    this.#forget = forget;
    this.#lastMs = askedMs;
    this.deadlineMs = askedMs + ttl * 1000;
    signal?.addEventListener("abort", this.#stop, { once: true });
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** For an answer on this stream. */
  get isWaiting(): boolean {
    return this.#askedMs.length > 0;
  }

  /** Until it must be asked for again, or is lost. */
  waitMs(nowMs: number): number {
    const nextMs = this.#lastMs + (this.ttl * 1000) / 3;
    return Math.max(Math.min(nextMs, this.deadlineMs) - nowMs, 0);
  }

  streamIsNew(): void {
    this.#askedMs = [];
  }

  asked(nowMs: number): void {
    this.#askedMs.push(nowMs);
    this.#lastMs = nowMs;
  }

  /** The lease has its full TTL since it was asked for, if not later. */
  answered(ttl: number): void {
    const askedMs = this.#askedMs.shift();
    if (askedMs === undefined) return;
    this.ttl = ttl;
    this.deadlineMs = Math.max(this.deadlineMs, askedMs + ttl * 1000);
  }

  lose(reason: unknown): void {
    if (this.over.aborted) return;
    this.#end();
    this.#lost.abort(reason);
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #release(): Promise<void> {
    this.#end();
    if (this.lost.aborted) return;
    try {
      await this.#revoke?.();
    } catch (error) {
      if (!(error instanceof EtcdError && error.code === "LEASE_NOT_FOUND")) throw error;
    }
  }

  #end(): void {
    this.#signal?.removeEventListener("abort", this.#stop);
    this.#over.abort();
    this.#forget(this);
  }
}
