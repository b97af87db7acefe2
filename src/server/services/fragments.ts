/** A WatchResponse that is larger than its client wants one to be, cut between events. */
import type { WatchEvent } from "../../mvcc/watch/watch-event.ts";
import { varintBytes } from "../../proto/protobuf.ts";

/** Header, watch id and mark, at most: four numbers of 64 bits, tags and lengths. */
const ENVELOPE_BYTES_MAX = 80;

/**
 * @param bytesMax  of a response; one event is never cut, however large it is
 * @param send  is told whether more of the same response follow. @returns whether there is room for more
 * @returns what the last `send` did
 */
export function sendFragments(
  events: readonly WatchEvent[],
  bytesMax: number,
  send: (events: readonly WatchEvent[], isFragment: boolean) => boolean,
): boolean {
  let from = 0;
  let bytes = ENVELOPE_BYTES_MAX;
  for (let i = 0; i < events.length; i++) {
    const more = eventBytes(events[i] as WatchEvent);
    if (i > from && bytes + more >= bytesMax) {
      send(events.slice(from, i), true);
      from = i;
      bytes = ENVELOPE_BYTES_MAX;
    }
    bytes += more;
  }
  return send(from === 0 ? events : events.slice(from), false);
}

/** As a field of the response. */
function eventBytes({ type, kv, prevKv }: WatchEvent): number {
  const inside =
    (type === "delete" ? 2 : 0) + fieldBytes(kv.length) + (prevKv ? fieldBytes(prevKv.length) : 0);
  return fieldBytes(inside);
}

function fieldBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}
