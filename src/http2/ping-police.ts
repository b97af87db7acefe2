/**
 * Whether the peer pings too often, judged as gRPC's Go implementation does: clients tune their keepalive by what it
 * allows, and slow down when they are told `too_many_pings`.
 */
import { type Http2Options, IDLE_PING_MIN_TIME_MS, PING_STRIKES_MAX } from "./limits.ts";

export class PingPolice {
  readonly #minTimeMs: number;
  readonly #withoutStream: boolean;
  #lastMs = Number.NEGATIVE_INFINITY;
  #strikes = 0;
  #spoke = false;

  constructor(options: Pick<Http2Options, "keepaliveMinTimeMs" | "keepaliveWithoutStream">) {
    this.#minTimeMs = options.keepaliveMinTimeMs;
    this.#withoutStream = options.keepaliveWithoutStream;
  }

  /** We have sent a head or data: a ping now may well measure how fast they came. */
  spoke(): void {
    this.#spoke = true;
  }

  /** @returns false: it is one too many */
  allows(nowMs: number, hasStreams: boolean): boolean {
    if (this.#minTimeMs === 0) return true;
    const minTimeMs = hasStreams || this.#withoutStream ? this.#minTimeMs : IDLE_PING_MIN_TIME_MS;
    if (this.#spoke) {
      this.#spoke = false;
      this.#strikes = 0;
    } else if (nowMs - this.#lastMs < minTimeMs) {
      this.#strikes++;
    }
    this.#lastMs = nowMs;
    return this.#strikes <= PING_STRIKES_MAX;
  }
}
