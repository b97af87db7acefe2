import { EtcdError } from "../base/errors.ts";
import type { Lease } from "./lease.ts";
import { LeaseHeap } from "./lease-heap.ts";

/** etcd revokes at most this many at a time, so that a pile of them does not keep the log from its clients. */
export const REVOKES_PER_PASS_MAX = 500;

/** Proposed and not settled. A log that is stuck is not helped by more. */
const REVOKES_IN_FLIGHT_MAX = 1000;

export interface RevocationOptions {
  readonly revokeRetryMs: number;
  /** @see LessorOptions.proposeRevoke */
  readonly proposeRevoke: (id: bigint) => Promise<void>;
}

interface Waiter {
  readonly ended: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: EtcdError) => void;
}

/** Sees to it that what has expired is revoked. */
export class Revocations {
  readonly #options: RevocationOptions;
  /** By when to look at it again: never later than it expires. A renewal moves it only when its old time has come. */
  readonly #next = new LeaseHeap<Lease>();
  readonly #waiters = new Map<Lease, Waiter>();
  readonly #inFlight = new Set<Lease>();

  constructor(options: RevocationOptions) {
    this.#options = options;
  }

  /** Its expiry is new, and may be sooner than the old one. */
  schedule(lease: Lease): void {
    this.#next.set(lease, lease.expiryMs);
  }

  /** Proposes to revoke what has expired, the longest gone first. */
  pass(nowMs: number): void {
    for (let proposed = 0; proposed < REVOKES_PER_PASS_MAX; ) {
      const lease = this.#next.first;
      if (lease === undefined || this.#next.firstMs > nowMs) return;
      if (lease.expiryMs > nowMs) {
        this.#next.set(lease, lease.expiryMs);
        continue;
      }
      const inFlight = this.#inFlight.has(lease);
      if (!inFlight && this.#inFlight.size >= REVOKES_IN_FLIGHT_MAX) return;
      this.#next.set(lease, nowMs + this.#options.revokeRetryMs);
      if (inFlight) continue;
      void this.#revoke(lease);
      proposed++;
    }
  }

  /** @returns a promise of the lease's end. @throws EtcdError STOPPED if `stop` comes first */
  ended(lease: Lease): Promise<void> {
    let waiter = this.#waiters.get(lease);
    if (waiter === undefined) {
      waiter = newWaiter();
      this.#waiters.set(lease, waiter);
    }
    return waiter.ended;
  }

  /** The lease is no more. */
  end(lease: Lease): void {
    this.#next.delete(lease);
    this.#waiters.get(lease)?.resolve();
    this.#waiters.delete(lease);
  }

  stop(): void {
    for (const waiter of this.#waiters.values()) waiter.reject(new EtcdError("STOPPED"));
    this.#waiters.clear();
  }

  async #revoke(lease: Lease): Promise<void> {
    this.#inFlight.add(lease);
    try {
      await this.#options.proposeRevoke(lease.id);
    } catch {
      // Whoever took the proposal knows why it failed; here it is only tried again.
    } finally {
      this.#inFlight.delete(lease);
    }
  }
}

function newWaiter(): Waiter {
  let resolve: () => void = () => {};
  let reject: (error: EtcdError) => void = () => {};
  const ended = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { ended, resolve, reject };
}
