/** One lease as the running server has it. Seconds are TTLs, milliseconds are the clock's. */
export class Lease {
  readonly id: bigint;
  /** Seconds, as granted and raised to the minimum. */
  readonly ttl: number;
  /** Its place in tables by number; another lease's once this one is revoked. */
  readonly slot: number;
  /** Seconds left as the last checkpoint told, and as the row has it; 0: none since it was granted or renewed. */
  remainingTtl: number;
  /** On the clock; Infinity until the lessor is promoted. */
  expiryMs: number = Number.POSITIVE_INFINITY;
  revoked = false;
  /** A regular checkpoint of it was proposed and has neither been applied nor failed. */
  checkpointing = false;
  /** It was renewed, and the checkpoint with 0 that says so has not been applied. */
  owesClear = false;
  /** One key is by far the usual case, and a set is dear. */
  #keys: Set<string> | string | undefined;

  constructor(id: bigint, ttl: number, slot: number, remainingTtl: number) {
    this.id = id;
    this.ttl = ttl;
    this.slot = slot;
    this.remainingTtl = remainingTtl;
  }

  /** Seconds that it would get after a restart. */
  get storedTtl(): number {
    return this.remainingTtl > 0 ? this.remainingTtl : this.ttl;
  }

  /** Whole seconds left, rounded up, so that a lease never gets less than it was promised; at least 1. */
  secondsLeft(nowMs: number): number {
    return Math.max(1, Math.ceil((this.expiryMs - nowMs) / 1000));
  }

  addKey(key: string): void {
    if (this.#keys === undefined) this.#keys = key;
    else if (typeof this.#keys === "string") this.#keys = new Set([this.#keys, key]);
    else this.#keys.add(key);
  }

  /** Of a key that it has. */
  dropKey(key: string): void {
    if (typeof this.#keys === "string") this.#keys = undefined;
    else this.#keys?.delete(key);
  }

  /** In byte order, as latin1 strings sort by code unit. */
  sortedKeys(): string[] {
    if (this.#keys === undefined) return [];
    return typeof this.#keys === "string" ? [this.#keys] : [...this.#keys].sort();
  }
}
