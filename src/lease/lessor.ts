import { LEASE } from "../backend/buckets.ts";
import type { RowSink } from "../backend/row-sink.ts";
import type { Clock } from "../base/clock.ts";
import { EtcdError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import type { LeaseGrantRequest } from "../proto/messages.ts";
import { Checkpoints, inEntries, type LeaseCheckpoint } from "./checkpoints.ts";
import { Lease } from "./lease.ts";
import { LeaseCounts } from "./lease-counts.ts";
import { decodeLease, encodeLease, leaseKey } from "./lease-record.ts";
import { Revocations } from "./revocations.ts";
import { spreadExpiries } from "./spread-expiries.ts";

/** etcd refuses more: some 285 years. Seconds. */
export const LEASE_TTL_MAX = 9_000_000_000;

/** How often the lessor looks at its clock. */
const PASS_MS = 500;

export interface LessorOptions {
  readonly clock: Clock;
  /** Seconds, whole; shorter TTLs are raised to it. Default 2: see `minLeaseTtl`. */
  readonly minTtl?: number;
  /** 2000 or more; default 10,000. Infinity: no regular checkpoints, so a kill sets leases back as far as etcd does. */
  readonly checkpointIntervalMs?: number;
  /**
   * What the log is asked to bear; default 10,000, in ten entries. With more leases under way than fit into an
   * interval at this rate, the interval is as long as they take: 100 s for a million.
   */
  readonly checkpointsPerSecondMax?: number;
  /** When an expired lease that was not revoked is proposed again; default 7000, etcd's request timeout. */
  readonly revokeRetryMs?: number;
  /**
   * Logs the revocation of an expired lease. Settles, when it was applied or has failed, in bounded time; an error, or
   * a lease that is still there, makes the lessor try again.
   */
  readonly proposeRevoke: (id: bigint) => Promise<void>;
  /**
   * Logs the checkpoints as one entry, at most 1000 of them. Entries are logged in the order of the calls. Resolves
   * when they were applied; rejects if they never will be.
   */
  readonly proposeCheckpoint: (checkpoints: readonly LeaseCheckpoint[]) => Promise<void>;
}

/** Of a lease; seconds. */
export interface TimeToLive {
  /** Whole seconds left, rounded towards 0, below 0 while an expired lease waits to be revoked; -1: no such lease. */
  readonly ttl: number;
  /** 0: no such lease. */
  readonly grantedTtl: number;
  /** In byte order, one character per byte. */
  readonly keys: readonly string[];
}

/** The shortest TTL that etcd grants: one and a half election timeouts, in seconds rounded up. */
export function minLeaseTtl(electionTimeoutMs: number): number {
  return Math.ceil((1.5 * electionTimeoutMs) / 1000);
}

/**
 * All leases and which keys hang on them.
 *
 * What `apply…`, `attach` and `detach` do depends on the log and the minimum TTL alone, never on the clock; what they
 * write goes to the rows of the entry that is being applied. Expiry is the clock's: an expired lease is *proposed* for
 * revocation and lives, with its keys, until that is applied.
 *
 * **How long a lease lives.** Never shorter than its TTL after it was granted or after the last `keepAlive` that was
 * answered, restarts included, as seen by the clock of the running server: time while no server runs does not count.
 * Longer by up to half a second and what the log takes, and
 *
 * - after a clean stop (`finalCheckpoint` applied): by less than a second, for it is rounded up, plus `extendMs`;
 * - after a kill: by at most `checkpointIntervalMs`, plus `extendMs`, plus whatever the last checkpoint was late because
 *   the log was slow or busy (`checkpointsPerSecondMax`). A lease with a TTL above the interval is thus not set back to
 *   full unless the kill came within an interval of its grant or renewal. A server that is killed again and again
 *   before an interval has passed adds that much each time;
 * - after a restart with 1000 leases or more: by what spreads them, see `promote`.
 *
 * **How that is stored.** The row's RemainingTTL holds the seconds left at the last checkpoint, 0 for all of the TTL.
 * `keepAlive` of a lease that has one, or is about to get one, logs a checkpoint with 0 and is not answered before that
 * is applied; so no restart takes back what a client was told. Row and entry are etcd's own (3.4 and later).
 *
 * **What an etcd makes of it.** One that runs with checkpoints on does as we do. One without (its default up to 3.6)
 * reads RemainingTTL but never clears it: there each keepalive renews the lease for the *remaining* seconds only, while
 * the client is told the full TTL and comes back too late. Before such an etcd takes the directory over, apply
 * `handoverCheckpoint` in place of `finalCheckpoint`.
 *
 * @see etcd server/lease/lessor.go
 */
export class Lessor {
  readonly counts: LeaseCounts = new LeaseCounts();
  readonly #clock: Clock;
  readonly #minTtl: number;
  readonly #leases = new Map<bigint, Lease>();
  readonly #leaseOfKey = new Map<string, Lease>();
  readonly #freeSlots: number[] = [];
  readonly #revocations: Revocations;
  readonly #checkpoints: Checkpoints;
  #promoted = false;
  #stopped = false;

  constructor(options: LessorOptions) {
    const {
      clock,
      minTtl = minLeaseTtl(1000),
      checkpointIntervalMs = 10_000,
      checkpointsPerSecondMax = 10_000,
      revokeRetryMs = 7000,
      proposeRevoke,
      proposeCheckpoint,
    } = options;
    this.#clock = clock;
    this.#minTtl = minTtl;
    this.#revocations = new Revocations({
      revokeRetryMs,
      proposeRevoke: async (id) => {
        await proposeRevoke(id);
        this.counts.expired++;
      },
    });
    this.#checkpoints = new Checkpoints({
      checkpointIntervalMs,
      checkpointsPerSecondMax,
      proposeCheckpoint,
    });
  }

  get size(): number {
    return this.#leases.size;
  }

  has(id: bigint): boolean {
    return this.#leases.has(id);
  }

  /**
   * Takes a row of bucket `lease` at start, before keys are attached and before `promote`. A TTL below the minimum is
   * raised here, not in the row.
   * @returns false if it is no lease
   */
  load(key: Uint8Array, value: Uint8Array): boolean {
    const record = decodeLease(key, value);
    if (record === undefined || this.#leases.has(record.id)) return false;
    this.#add(record.id, Math.max(Number(record.ttl), this.#minTtl), Number(record.remainingTtl));
    return true;
  }

  /**
   * @returns the TTL granted, in seconds
   * @throws EtcdError LEASE_NOT_FOUND (id 0), LEASE_TTL_TOO_LARGE, LEASE_EXIST; nothing was done
   */
  applyGrant({ id, ttl }: Pick<LeaseGrantRequest, "id" | "ttl">, rows: RowSink): number {
    if (id === 0n) throw new EtcdError("LEASE_NOT_FOUND");
    if (ttl > LEASE_TTL_MAX) throw new EtcdError("LEASE_TTL_TOO_LARGE");
    if (this.#leases.has(id)) throw new EtcdError("LEASE_EXIST");
    const lease = this.#add(id, Math.max(ttl, this.#minTtl), 0);
    this.#putRow(lease, rows);
    this.counts.granted++;
    this.counts.ttls.observe(lease.ttl);
    if (this.#promoted) {
      lease.expiryMs = this.#clock.nowMs() + lease.ttl * 1000;
      this.#schedule(lease);
    }
    return lease.ttl;
  }

  /**
   * Ends a lease. Its keys are detached; the caller deletes them, in this order, in one write transaction.
   * @throws EtcdError LEASE_NOT_FOUND
   */
  applyRevoke(id: bigint, rows: RowSink): string[] {
    const lease = this.#known(id);
    const keys = lease.sortedKeys();
    for (const key of keys) this.#leaseOfKey.delete(key);
    this.#leases.delete(id);
    rows.deleteRow(LEASE, leaseKey(id));
    lease.revoked = true;
    this.counts.revoked++;
    this.#checkpoints.end(lease);
    this.#revocations.end(lease);
    this.#freeSlots.push(lease.slot);
    return keys;
  }

  /** Checkpoints of leases that are gone are passed over. When a lease expires does not change, but after a restart. */
  applyCheckpoint(checkpoints: readonly LeaseCheckpoint[], rows: RowSink): void {
    for (const { id, remainingTtl } of checkpoints) {
      const lease = this.#leases.get(id);
      if (lease === undefined) continue;
      lease.remainingTtl = remainingTtl;
      if (remainingTtl === 0) lease.owesClear = false;
      this.#putRow(lease, rows);
      if (this.#promoted) this.#checkpoints.schedule(lease);
    }
  }

  /**
   * Hangs a key on a lease, and takes it off the one it hung on.
   * @param key  one character per byte
   * @throws EtcdError LEASE_NOT_FOUND; nothing was done
   */
  attach(key: string, id: bigint): void {
    const lease = this.#known(id);
    const old = this.#leaseOfKey.get(key);
    if (old === lease) return;
    old?.dropKey(key);
    lease.addKey(key);
    this.#leaseOfKey.set(key, lease);
  }

  /** Of a key that was deleted, or put without a lease. It may hang on none. */
  detach(key: string): void {
    const lease = this.#leaseOfKey.get(key);
    if (lease === undefined) return;
    lease.dropKey(key);
    this.#leaseOfKey.delete(key);
  }

  /** @returns 0 if it hangs on none */
  leaseOf(key: string): bigint {
    return this.#leaseOfKey.get(key)?.id ?? 0n;
  }

  /**
   * Begins to let time pass: every lease expires `extendMs` after the time that was stored of it. With 1000 leases or
   * more, of those that would expire together some get later, so that no second has more than 750.
   *
   * @param extendMs  etcd adds an election timeout, for what passed while there was no leader.
   */
  promote(extendMs: number): void {
    invariant(!this.#promoted, "a lessor is promoted once");
    this.#promoted = true;
    const nowMs = this.#clock.nowMs();
    const leases = [...this.#leases.values()];
    for (const lease of leases) lease.expiryMs = nowMs + extendMs + lease.storedTtl * 1000;
    spreadExpiries(leases);
    for (const lease of leases) this.#schedule(lease);
  }

  /** Looks every 500 ms at what has expired and what is to be checkpointed, until it is told to stop. One timer. */
  async run(signal: AbortSignal): Promise<void> {
    invariant(this.#promoted, "time passes for a promoted lessor only");
    while (!signal.aborted) {
      this.pass();
      await this.#clock.sleep(PASS_MS, signal);
    }
  }

  /** One look. It waits for nothing and never throws. */
  pass(): void {
    const nowMs = this.#clock.nowMs();
    this.#revocations.pass(nowMs);
    this.#checkpoints.pass(nowMs, PASS_MS);
  }

  /**
   * Gives a lease its full TTL again, from now on. If a checkpoint was taken of it, the log must say so first; the
   * answer waits, the lease does not.
   *
   * @returns the TTL in seconds; 0 if there is no such lease, or if it has expired: then only once it is revoked
   * @throws EtcdError NO_LEADER (not promoted), STOPPED; whatever the proposal failed with: the lease may live longer
   *   than the caller can count on
   */
  async keepAlive(id: bigint): Promise<number> {
    return this.keepAliveNow(id);
  }

  /** As `keepAlive`, which nearly always need not wait. @returns a promise if it has to */
  keepAliveNow(id: bigint): number | Promise<number> {
    if (this.#stopped) throw new EtcdError("STOPPED");
    if (!this.#promoted) throw new EtcdError("NO_LEADER");
    const lease = this.#leases.get(id);
    if (lease === undefined) return 0;
    const nowMs = this.#clock.nowMs();
    if (lease.expiryMs <= nowMs) return this.#revocations.ended(lease).then(() => 0);
    const expiryMs = nowMs + lease.ttl * 1000;
    const sooner = expiryMs < lease.expiryMs; // Only a lease that `promote` extended.
    lease.expiryMs = expiryMs;
    // Otherwise its old places are early enough, and cost nothing to leave.
    if (sooner) this.#schedule(lease);
    if (lease.remainingTtl === 0 && !lease.checkpointing) {
      this.counts.renewed++;
      return lease.ttl;
    }
    lease.owesClear = true;
    return this.#checkpoints.clear(lease).then(() => {
      if (lease.revoked) return 0;
      this.counts.renewed++;
      return lease.ttl;
    });
  }

  /** Before `promote`, no time has passed. */
  timeToLive(id: bigint, withKeys: boolean): TimeToLive {
    const lease = this.#leases.get(id);
    if (lease === undefined) return { ttl: -1, grantedTtl: 0, keys: [] };
    const seconds = this.#promoted
      ? Math.trunc((lease.expiryMs - this.#clock.nowMs()) / 1000)
      : lease.storedTtl;
    const keys = withKeys ? lease.sortedKeys() : [];
    return { ttl: seconds === 0 ? 0 : seconds, grantedTtl: lease.ttl, keys };
  }

  /** Ids, soonest to expire first. Costs a sort of all of them. */
  leases(): bigint[] {
    const leases = [...this.#leases.values()];
    // Before `promote` all expiries are Infinity, and their difference is NaN.
    leases.sort((a, b) => a.expiryMs - b.expiryMs || a.storedTtl - b.storedTtl);
    return leases.map(({ id }) => id);
  }

  /**
   * For a clean stop, after `run` has ended: what is left of each lease, in seconds rounded up, where the row does not
   * say so already. A lease gets no more than its row gives it, so that no restart lengthens it; but one whose renewal
   * the log does not have yet gets what it has.
   *
   * @returns entries to be logged and applied in order, at most 1000 leases each
   */
  finalCheckpoint(): readonly (readonly LeaseCheckpoint[])[] {
    if (!this.#promoted) return [];
    const nowMs = this.#clock.nowMs();
    const checkpoints: LeaseCheckpoint[] = [];
    for (const lease of this.#leases.values()) {
      const left = lease.secondsLeft(nowMs);
      if (left < lease.storedTtl) checkpoints.push({ id: lease.id, remainingTtl: left });
      else if (lease.owesClear) {
        checkpoints.push({ id: lease.id, remainingTtl: left < lease.ttl ? left : 0 });
      }
    }
    return inEntries(checkpoints);
  }

  /**
   * In its place, for a stop after which an etcd without checkpoints takes over: no row has a RemainingTTL afterwards,
   * so every lease starts there with its full TTL.
   */
  handoverCheckpoint(): readonly (readonly LeaseCheckpoint[])[] {
    const stored = [...this.#leases.values()].filter(
      (lease) => lease.remainingTtl !== 0 || lease.checkpointing,
    );
    return inEntries(stored.map(({ id }) => ({ id, remainingTtl: 0 })));
  }

  /** Whoever still waits for an expired lease to be revoked, or comes later, is told STOPPED. */
  stop(): void {
    this.#stopped = true;
    this.#revocations.stop();
  }

  #known(id: bigint): Lease {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw new EtcdError("LEASE_NOT_FOUND");
    return lease;
  }

  #add(id: bigint, ttl: number, remainingTtl: number): Lease {
    const slot = this.#freeSlots.pop() ?? this.#leases.size;
    const lease = new Lease(id, ttl, slot, remainingTtl);
    this.#leases.set(id, lease);
    return lease;
  }

  #schedule(lease: Lease): void {
    this.#revocations.schedule(lease);
    this.#checkpoints.schedule(lease);
  }

  #putRow({ id, ttl, remainingTtl }: Lease, rows: RowSink): void {
    rows.putRow(LEASE, leaseKey(id), encodeLease(id, ttl, remainingTtl));
  }
}
