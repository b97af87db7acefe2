/**
 * Where a page that is not in the cache is read: here, where what the system has in memory costs two microseconds and
 * what it has not holds up everything else for as long as the disk takes, or beside, on a thread of libuv's pool, which
 * costs some twenty microseconds each time.
 */
export type ReadPlace = "here" | "beside";

/** A read as long as this was one of the disk; the system's memory takes a hundredth of it. */
const DISK_MS = 0.3;
/** For so long in all the disk may hold up the others, and this part of the time that passes. */
const HELD_MAX_MS = 100;
const HELD_PART = 0.05;
/** Then reads go beside for so long, and twice as long if it did not help for long. */
const PENALTY_MIN_MS = 5000;
const PENALTY_MAX_MS = 80_000;
/** Too many here again so soon after the last penalty double it. */
const SOON_MS = 30_000;
/** One beside that takes this long shows that it is not over. Shorter ones may have waited for a thread. */
const LONG_BESIDE_MS = 20;

/** Here at first, and for as long as the disk is not noticed. */
export class ReadPolicy {
  #place: ReadPlace = "here";
  /** For how long the disk has held up the others lately. */
  #heldMs = 0;
  #heldAtMs = 0;
  #penaltyMs = PENALTY_MIN_MS;
  #besideUntilMs = Number.NEGATIVE_INFINITY;

  /** Of the reads to come. */
  get place(): ReadPlace {
    return this.#place;
  }

  /** Told after each read: how long it took, and when it ended, on one clock. */
  took(place: ReadPlace, ms: number, nowMs: number): void {
    if (place === "here") this.#tookHere(ms, nowMs);
    else this.#tookBeside(ms, nowMs);
  }

  #tookHere(ms: number, nowMs: number): void {
    if (ms < DISK_MS) return;
    const drainedMs = (nowMs - this.#heldAtMs) * HELD_PART;
    this.#heldMs = Math.max(0, this.#heldMs - drainedMs) + ms;
    this.#heldAtMs = nowMs;
    if (this.#heldMs >= HELD_MAX_MS) this.#goBeside(nowMs);
  }

  #tookBeside(ms: number, nowMs: number): void {
    if (ms >= LONG_BESIDE_MS) this.#besideUntilMs = nowMs + this.#penaltyMs;
    if (nowMs < this.#besideUntilMs) return;
    this.#place = "here";
    this.#heldMs = 0;
  }

  #goBeside(nowMs: number): void {
    const soon = nowMs < this.#besideUntilMs + SOON_MS;
    this.#penaltyMs = soon ? Math.min(this.#penaltyMs * 2, PENALTY_MAX_MS) : PENALTY_MIN_MS;
    this.#besideUntilMs = nowMs + this.#penaltyMs;
    this.#place = "beside";
  }
}
