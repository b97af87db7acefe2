/**
 * Encodings of events that several watchers share: who has the same events has the same array (watch-event.ts), so one
 * is made for all of them. A few are kept, since a stream takes several revisions before the next stream does.
 */

import type { WatchEvent } from "../../mvcc/watch/watch-event.ts";
import { LARGE_PART_BYTES } from "../../proto/message-parts.ts";

/** Of small ones: a power of two. */
const SLOTS = 256;

interface Kept {
  readonly events: readonly WatchEvent[];
  readonly encoded: Uint8Array;
}

export class SharedEvents {
  readonly #encode: (events: readonly WatchEvent[]) => Uint8Array;
  readonly #slots: (Kept | undefined)[] = new Array<undefined>(SLOTS).fill(undefined);
  /** Large ones are not worth more than one. */
  #large: Kept | undefined;

  /** @param encode  into memory of its own */
  constructor(encode: (events: readonly WatchEvent[]) => Uint8Array) {
    this.#encode = encode;
  }

  /** @param events  of one change */
  encoded(events: readonly WatchEvent[]): Uint8Array {
    const [event] = events as readonly [WatchEvent];
    const slot = (event.modRevision * 2 + (event.prevKv === undefined ? 0 : 1)) & (SLOTS - 1);
    const kept = this.#slots[slot];
    if (kept !== undefined && kept.events === events) return kept.encoded;
    if (this.#large?.events === events) return this.#large.encoded;
    const encoded = this.#encode(events);
    if (encoded.length > LARGE_PART_BYTES) this.#large = { events, encoded };
    else this.#slots[slot] = { events, encoded };
    return encoded;
  }
}
