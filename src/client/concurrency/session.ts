/** A lease that lives as long as its holder, and what hangs on it: locks and candidacies. */
import { systemClock } from "../../base/clock.ts";
import { LEASE_METHODS } from "../../proto/tables/lease.ts";
import type { KeptLease } from "../lease/kept-lease.ts";
import { type ConcurrencyBase, NEVER } from "./base.ts";
import { persist } from "./persist.ts";

export interface SessionOptions {
  /** How long what hangs on the session stays when its holder is gone. Default: 60. */
  readonly ttlSeconds?: number | undefined;
  /** One that is there already, to take over what hangs on it. Default: a new one. */
  readonly lease?: bigint | undefined;
  /** Ends the opening; later, it orphans the session. */
  readonly signal?: AbortSignal | undefined;
}

const TTL_SECONDS = 60;

export class Session implements AsyncDisposable {
  readonly base: ConcurrencyBase;
  readonly #kept: KeptLease;
  readonly #ttlSeconds: number;

  private constructor(base: ConcurrencyBase, kept: KeptLease, ttlSeconds: number) {
    this.base = base;
    this.#kept = kept;
    this.#ttlSeconds = ttlSeconds;
  }

  /** @throws as every call */
  static async open(base: ConcurrencyBase, options: SessionOptions = {}): Promise<Session> {
    const { ttlSeconds = TTL_SECONDS, signal } = options;
    const { rpc, keepAlives, clock = systemClock } = base;
    if (options.lease !== undefined) {
      return new Session(base, keepAlives.keep(options.lease, { signal }), ttlSeconds);
    }
    const sentMs = clock.nowMs();
    const { id, ttl } = await rpc.call(
      LEASE_METHODS.grant,
      { ttl: BigInt(ttlSeconds) },
      { signal },
    );
    const kept = keepAlives.keep(id, { signal, grant: { ttlSeconds: ttl, sentMs } });
    return new Session(base, kept, ttlSeconds);
  }

  get lease(): bigint {
    return this.#kept.id;
  }

  /** Aborts when what hangs on the session may be gone, and so may be somebody else's. @see KeptLease */
  get lost(): AbortSignal {
    return this.#kept.lost;
  }

  /** No longer kept alive: what hangs on it stays until its time is over. */
  orphan(): void {
    this.#kept.release();
  }

  /** What hangs on it goes at once. @throws as every call; it goes by itself when its time is over */
  async close(): Promise<void> {
    this.orphan();
    const { base, lease } = this;
    const settings = { timeoutMs: this.#ttlSeconds * 1000 };
    await persist(base, NEVER, () => base.rpc.call(LEASE_METHODS.revoke, { id: lease }, settings));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
