/**
 * Where a page that is not in the cache is read: here, where what the system has in memory costs two microseconds and
 * what it has not holds up everything else for as long as the disk takes, or beside, on a thread of libuv's pool, which
 * costs some twenty microseconds each time.
 */
export type ReadPlace = "here" | "beside";

/** A read as long as this was one of the disk; the system's memory takes a hundredth of it. */
const DISK_MS = 0.3;
/** So many of them in a window are too many. */
const DISK_READS_MAX = 16;
const WINDOW = 256;
/** One as long as this is one too many. */
const LONG_MS = 4;
/** For how long reads go beside after the last one that took as long there; twice as long if it did not help for long. */
const PENALTY_MIN_MS = 5000;
const PENALTY_MAX_MS = 80_000;
/** A long read here so soon after the last penalty doubles it. */
const SOON_MS = 30_000;
/** Beside, where waiting for a thread is in it. */
const LONG_BESIDE_MS = 2;

/** Here at first, and for as long as the disk is not noticed. */
export class ReadPolicy {
  #place: ReadPlace = "here";
  #windowLeft = WINDOW;
  #diskReads = 0;
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
    if (ms >= DISK_MS) this.#diskReads++;
    if (ms >= LONG_MS || this.#diskReads >= DISK_READS_MAX) this.#goBeside(nowMs);
    else if (--this.#windowLeft <= 0) this.#newWindow();
  }

  #tookBeside(ms: number, nowMs: number): void {
    if (ms >= LONG_BESIDE_MS) this.#besideUntilMs = nowMs + this.#penaltyMs;
    if (nowMs < this.#besideUntilMs) return;
    this.#place = "here";
    this.#newWindow();
  }

  #goBeside(nowMs: number): void {
    const soon = nowMs < this.#besideUntilMs + SOON_MS;
    this.#penaltyMs = soon ? Math.min(this.#penaltyMs * 2, PENALTY_MAX_MS) : PENALTY_MIN_MS;
    this.#besideUntilMs = nowMs + this.#penaltyMs;
    this.#place = "beside";
  }

  #newWindow(): void {
    this.#windowLeft = WINDOW;
    this.#diskReads = 0;
  }
}
