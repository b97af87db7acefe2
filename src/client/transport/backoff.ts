/** How long to wait before the next attempt: longer each time, and not all clients at the same moment. */

const FIRST_MS = 50;
const FACTOR = 1.6;
/** A server that comes back is found within this. gRPC's own 120 s would be felt by whoever restarts one. */
const MAX_MS = 3000;
const JITTER = 0.2;

/** @param failures  in a row so far, 1 or more. @param random  [0, 1) */
export function reconnectDelayMs(failures: number, random: () => number): number {
  return jittered(Math.min(FIRST_MS * FACTOR ** (failures - 1), MAX_MS), JITTER, random);
}

/** `ms`, give or take a fraction of it. */
export function jittered(ms: number, fraction: number, random: () => number): number {
  return ms * (1 + fraction * (random() * 2 - 1));
}
