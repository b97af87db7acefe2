/**
 * Writes to the sockets of all connections with something to say, once per wake-up. A tick that is asked for in a
 * microtask runs when all microtasks are done: so the replies to all that one group commit made durable leave together.
 *
 * Unless they are many: then they leave in groups, and those who got theirs come back with what they want next while
 * the others are still being answered. All at once, the two sides would take turns, each idle while the other works.
 */

export interface Flushable {
  flush(): void;
}

/** A write for so many costs each of them less than a hundredth of what it took to answer him. */
const GROUP = 32;

let answers = 0;
let flushing = false;
let dirty: Flushable[] = [];
let idle: Flushable[] = [];

/** Call it once per flush; `flush` follows in this turn of the event loop. */
export function flushSoon(connection: Flushable): void {
  if (dirty.push(connection) === 1) process.nextTick(flushAll);
}

/** One more answer is whole, and waits for its flush. */
export function answered(): void {
  if (++answers >= GROUP && !flushing) flushAll();
}

function flushAll(): void {
  flushing = true;
  answers = 0;
  const now = dirty;
  dirty = idle;
  for (const connection of now) connection.flush();
  now.length = 0;
  idle = now;
  flushing = false;
}
