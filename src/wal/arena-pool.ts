/**
 * Arenas for records, used again: each has gigabytes of address space behind it, and a log or a reader needs one at a
 * time.
 */
import { type Crc32cArena, createCrc32cArena } from "../../native-free/crc32c.ts";

export const ARENA_BYTES: number = 1024 * 1024;

/** More are left to the garbage collector. */
const KEPT_MAX = 4;

const idle: Crc32cArena[] = [];

/** An arena of ARENA_BYTES, with anything in it. */
export function borrowArena(): Crc32cArena {
  return idle.pop() ?? createCrc32cArena(ARENA_BYTES);
}

/** The caller does not use it any more. */
export function giveBackArena(arena: Crc32cArena): void {
  if (idle.length < KEPT_MAX) idle.push(arena);
}
