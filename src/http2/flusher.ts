/**
 * Writes to the sockets of all connections with something to say, once per wake-up. A tick that is asked for in a
 * microtask runs when all microtasks are done: so the replies to all that one group commit made durable leave together.
 */

export interface Flushable {
  flush(): void;
}

let dirty: Flushable[] = [];
let idle: Flushable[] = [];

/** Call it once per flush; `flush` follows in this turn of the event loop. */
export function flushSoon(connection: Flushable): void {
  if (dirty.push(connection) === 1) process.nextTick(flushAll);
}

function flushAll(): void {
  const now = dirty;
  dirty = idle;
  for (const connection of now) connection.flush();
  now.length = 0;
  idle = now;
}
