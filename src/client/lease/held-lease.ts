/** A lease that is kept alive as long as it is held. */
import { EtcdError } from "../../base/errors.ts";
import type { KeptLease } from "./kept-lease.ts";

export interface HeldLease extends AsyncDisposable {
  readonly id: bigint;
  /** Seconds, as the server has granted it. */
  readonly ttl: number;
  /**
   * Aborts when the lease is kept alive no more without having been released. Its reason says why: EtcdError
   * LEASE_NOT_FOUND (it expired, or somebody revoked it); StrataError DEADLINE (no server has answered for so long that
   * it may have expired), CLOSED (the client was closed).
   */
  readonly lost: AbortSignal;
  /**
   * Ends the holding. A lease that `hold` has granted is revoked, and its keys go with it; another one is left to itself.
   * @throws (rejects) as `revoke`, but not for a lease that is gone already
   */
  release(): Promise<void>;
}

interface HeldParts {
  readonly kept: KeptLease;
  readonly ttl: number;
  /** What `release` does besides. */
  readonly revoke: (() => Promise<void>) | undefined;
}

export class RemoteHeldLease implements HeldLease {
  readonly ttl: number;
  readonly #parts: HeldParts;
  #released: Promise<void> | undefined;

  constructor(parts: HeldParts) {
    this.ttl = parts.ttl;
    this.#parts = parts;
  }

  get id(): bigint {
    return this.#parts.kept.id;
  }

  get lost(): AbortSignal {
    return this.#parts.kept.lost;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #release(): Promise<void> {
    const { kept, revoke } = this.#parts;
    kept.release();
    if (this.lost.aborted) return;
    try {
      await revoke?.();
    } catch (error) {
      if (!(error instanceof EtcdError && error.code === "LEASE_NOT_FOUND")) throw error;
    }
  }
}
