/**
 * Who reads which commit of the page file, on any thread: pages that a pinned commit reaches are not used again until
 * it is let go.
 */
import type { Root } from "./storage.ts";

/** A commit that is kept readable. */
export interface Pin {
  readonly root: Root;
  /** What for, for a report: `snapshot`, `hash`, …. */
  readonly purpose: string;
  readonly sinceMs: number;
  /** Lets it go. Twice is harmless. */
  release(): void;
}

export interface PinReport {
  readonly txid: number;
  readonly purpose: string;
  /** How long it has been held. */
  readonly heldMs: number;
}

export class Pins {
  readonly #open = new Set<Pin>();

  pin(root: Root, purpose: string, nowMs: number): Pin {
    const pin: Pin = {
      root,
      purpose,
      sinceMs: nowMs,
      release: () => {
        this.#open.delete(pin);
      },
    };
    this.#open.add(pin);
    return pin;
  }

  /** Those that are held. */
  get open(): ReadonlySet<Pin> {
    return this.#open;
  }

  /** Longest held first. */
  report(nowMs: number): PinReport[] {
    return [...this.#open]
      .map(({ root, purpose, sinceMs }) => ({
        txid: root.meta.txid,
        purpose,
        heldMs: nowMs - sinceMs,
      }))
      .sort((a, b) => b.heldMs - a.heldMs);
  }
}
