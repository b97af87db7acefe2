/** Leases of a server: as the store's own, and holding one, which only a client needs. */
import type { LeaseStatus } from "../../api/responses.ts";
import { int64, wholeNumber } from "../../api/whole-number.ts";
import { systemClock } from "../../base/clock.ts";
import { LEASE_METHODS } from "../../proto/tables/lease.ts";
import type { Calls, EndpointOptions, RemoteOptions } from "../calls.ts";
import { type HeldLease, RemoteHeldLease } from "./held-lease.ts";
import { keepAliveOnce } from "./keep-alive-once.ts";
import type { KeepAlives } from "./keep-alives.ts";

export class RemoteLeases {
  readonly #calls: Calls;
  readonly #keepAlives: KeepAlives;

  constructor(calls: Calls, keepAlives: KeepAlives) {
    this.#calls = calls;
    this.#keepAlives = keepAlives;
  }

  /**
   * @param ttl  whole seconds; less than the server's minimum is raised to it
   * @param options  id: of the caller's choice, not 0n; else the server chooses one
   * @throws (rejects) EtcdError LEASE_EXIST, LEASE_TTL_TOO_LARGE, NO_SPACE
   */
  async grant(
    ttl: number,
    options: { readonly id?: bigint } & RemoteOptions = {},
  ): Promise<{ readonly id: bigint; readonly ttl: number }> {
    const request = {
      ttl: BigInt(wholeNumber(ttl, "ttl")),
      id: int64(options.id ?? 0n, "a lease"),
    };
    const answer = await this.#calls.call(LEASE_METHODS.grant, request, options);
    return { id: answer.id, ttl: Number(answer.ttl) };
  }

  /** Deletes its keys, all as one revision. @throws (rejects) EtcdError LEASE_NOT_FOUND */
  async revoke(id: bigint, options: RemoteOptions = {}): Promise<void> {
    await this.#calls.call(LEASE_METHODS.revoke, { id: int64(id, "a lease") }, options);
  }

  /**
   * Gives a lease its full TTL again, once.
   * @returns the TTL in seconds. @throws (rejects) EtcdError LEASE_NOT_FOUND, also if it has expired
   */
  async keepAlive(id: bigint, options: RemoteOptions = {}): Promise<number> {
    const settings = this.#calls.settings(options);
    const { rpc } = this.#calls;
    const answer = keepAliveOnce(rpc, int64(id, "a lease"), settings);
    return Number((await this.#calls.truly(answer)).ttl);
  }

  /**
   * Keeps a lease alive until it is released: with its TTL in seconds (a number), a new one; with its id (a bigint), one
   * that is there. The promise resolves when it has been kept alive for the first time.
   *
   *     await using lease = await client.lease.hold(10);
   *     await client.put("/members/a", "up", { lease: lease.id });
   *     await work({ signal: lease.lost }); // aborts if the lease is lost
   *
   * @param options  signal: ends the holding, too; the lease is then left to itself. timeoutMs: until the promise resolves
   * @throws (rejects) as `grant` and `keepAlive`
   */
  async hold(ttlOrId: number | bigint, options: RemoteOptions = {}): Promise<HeldLease> {
    const isNew = typeof ttlOrId === "number";
    const sentMs = systemClock.nowMs();
    const { id, ttl } = isNew
      ? await this.grant(ttlOrId, options)
      : { id: ttlOrId, ttl: await this.keepAlive(ttlOrId, options) };
    this.#calls.assertOpen();
    options.signal?.throwIfAborted();
    const grant = { ttlSeconds: BigInt(ttl), sentMs };
    const { signal } = options;
    const kept = this.#keepAlives.keep(id, { signal, grant });
    const revoke = isNew ? (): Promise<void> => this.revoke(id) : undefined;
    return new RemoteHeldLease({ kept, ttl, revoke });
  }

  /** @returns undefined if there is no such lease. `keys` is empty unless asked for */
  async timeToLive(
    id: bigint,
    options: { readonly keys?: boolean } & RemoteOptions = {},
  ): Promise<LeaseStatus | undefined> {
    const request = { id: int64(id, "a lease"), keys: options.keys ?? false };
    const answer = await this.#calls.call(LEASE_METHODS.timeToLive, request, options);
    if (answer.grantedTtl === 0n) return undefined;
    const { ttl, grantedTtl, keys } = answer;
    return { id, ttl: Number(ttl), grantedTtl: Number(grantedTtl), keys };
  }

  /** Their ids. */
  async list(options: EndpointOptions = {}): Promise<bigint[]> {
    const { leases } = await this.#calls.call(LEASE_METHODS.leases, {}, options);
    return leases.map(({ id }) => id);
  }
}
