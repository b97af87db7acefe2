/** As etcd: fewer than it revokes in a second, so that a pile does not take all of that. */
export const EXPIRIES_PER_SECOND_MAX = 750;

/** With fewer leases nothing piles up that a second could not take. */
const SPREAD_FROM = 1000;

/**
 * Sorts by expiry, and moves some later, keeping the order, so that in no second more than 750 expire: each at least a
 * second after the 750th before it.
 */
export function spreadExpiries(leases: { expiryMs: number }[]): void {
  if (leases.length < SPREAD_FROM) return;
  leases.sort((a, b) => a.expiryMs - b.expiryMs);
  for (let i = EXPIRIES_PER_SECOND_MAX; i < leases.length; i++) {
    const lease = leases[i];
    const before = leases[i - EXPIRIES_PER_SECOND_MAX];
    if (lease === undefined || before === undefined) break;
    lease.expiryMs = Math.max(lease.expiryMs, before.expiryMs + 1000);
  }
}
