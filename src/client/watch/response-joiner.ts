/**
 * Responses whole again: a server that was asked for fragments cuts a large one anywhere, and its events of one
 * revision must reach the consumer together. What a transaction did is never seen by halves, and a watch that is made
 * again goes on behind a whole revision.
 */
import type { Event, WatchResponse } from "../../proto/tables/watch.ts";

/** What an event takes of memory besides its bytes, about. */
const EVENT_BYTES = 256;

/** Of its events, in memory, about. */
export function responseBytes({ events }: WatchResponse): number {
  let bytes = EVENT_BYTES;
  for (const { kv, prevKv } of events) {
    bytes += EVENT_BYTES + (kv?.key.length ?? 0) + (kv?.value.length ?? 0);
    bytes += (prevKv?.key.length ?? 0) + (prevKv?.value.length ?? 0);
  }
  return bytes;
}

export function revisionOf({ kv }: Event): bigint {
  return kv?.modRevision ?? 0n;
}

export class ResponseJoiner {
  readonly #bytesMax: number;
  #events: Event[] = [];
  #bytes = 0;

  /** @param bytesMax  held of one response before its whole revisions are handed out without the rest */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** What was held of a response will not come to its end. */
  reset(): void {
    this.#events = [];
    this.#bytes = 0;
  }

  /** @returns what ends at the end of a revision, joined, if there is any by now */
  add(response: WatchResponse): WatchResponse | undefined {
    if (!response.fragment && this.#events.length === 0) return response;
    for (const event of response.events) this.#events.push(event);
    this.#bytes += responseBytes(response);
    const whole = response.fragment ? this.#wholeRevisions() : this.#events.length;
    if (whole === 0) return undefined;
    const events = this.#events.slice(0, whole);
    this.#events = this.#events.slice(whole);
    const joined = { ...response, fragment: false, events };
    this.#bytes = Math.max(0, this.#bytes - responseBytes(joined));
    return joined;
  }

  /** How many events are before the last revision, which may go on; 0 as long as it is not much. */
  #wholeRevisions(): number {
    const last = this.#events.at(-1);
    if (this.#bytes <= this.#bytesMax || last === undefined) return 0;
    let whole = this.#events.length - 1;
    while (whole > 0 && revisionOf(this.#events[whole - 1] as Event) === revisionOf(last)) whole--;
    return whole;
  }
}
