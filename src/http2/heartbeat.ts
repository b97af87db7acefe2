/** One timer for the time limits of all connections, however many there are; none while there is none. */

export interface Beating {
  /** @param nowMs  on the clock of `performance.now()` */
  beat(nowMs: number): void;
}

class Heartbeat {
  readonly #periodMs: number;
  readonly #members = new Set<Beating>();
  #timer: NodeJS.Timeout | undefined;

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  add(member: Beating): void {
    this.#members.add(member);
    this.#timer ??= setInterval(() => {
      const nowMs = performance.now();
      for (const each of this.#members) each.beat(nowMs);
    }, this.#periodMs).unref();
  }

  remove(member: Beating): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Servers in one process mostly have the same period. */
const heartbeats = new Map<number, Heartbeat>();

export function heartbeatOf(periodMs: number): Heartbeat {
  const found = heartbeats.get(periodMs) ?? new Heartbeat(periodMs);
  heartbeats.set(periodMs, found);
  return found;
}
