/** What becomes of a connection when time passes and nothing happens. */
import type { Http2Options } from "./limits.ts";

export type Finding = "well" | "ping" | "gone";

/** Whether a silent peer is still there. @see Http2Options.keepaliveIntervalMs */
export class SilenceVigil {
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  #heard = true;
  #heardMs = 0;
  #pingedMs: number | undefined;

  constructor(options: Pick<Http2Options, "keepaliveIntervalMs" | "keepaliveTimeoutMs">) {
    this.#intervalMs = options.keepaliveIntervalMs;
    this.#timeoutMs = options.keepaliveTimeoutMs;
  }

  /** Something has come. Called for every chunk, so it does not look at the clock. */
  heard(): void {
    this.#heard = true;
  }

  look(nowMs: number): Finding {
    if (this.#heard) {
      this.#heard = false;
      this.#heardMs = nowMs;
      this.#pingedMs = undefined;
      return "well";
    }
    if (this.#pingedMs !== undefined) {
      return nowMs - this.#pingedMs > this.#timeoutMs ? "gone" : "well";
    }
    if (this.#intervalMs === 0 || nowMs - this.#heardMs <= this.#intervalMs) return "well";
    this.#pingedMs = nowMs;
    return "ping";
  }
}

/** Whether a peer for whom too much waits takes any of it. @see Http2Options.stallTimeoutMs */
export class StallVigil {
  readonly #timeoutMs: number;
  #taken = -1;
  #sinceMs = 0;

  constructor(options: Pick<Http2Options, "stallTimeoutMs">) {
    this.#timeoutMs = options.stallTimeoutMs;
  }

  /** @param takenBytes  by the peer's side, ever */
  look(nowMs: number, tooMuchWaits: boolean, takenBytes: number): Finding {
    if (!tooMuchWaits || takenBytes !== this.#taken) {
      this.#taken = takenBytes;
      this.#sinceMs = nowMs;
      return "well";
    }
    return nowMs - this.#sinceMs > this.#timeoutMs ? "gone" : "well";
  }
}
