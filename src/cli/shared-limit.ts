/** One limit for all the calls of a command that makes several. */
import { type Clock, systemClock } from "../base/clock.ts";
import type { CallSettings } from "../client/transport/transport.ts";

/** @returns for each call what is left of `timeoutMs`, which begins now */
export function sharedLimit(
  { timeoutMs, ...settings }: CallSettings,
  clock: Clock = systemClock,
): () => CallSettings {
  if (timeoutMs === undefined) return () => settings;
  const end = clock.nowMs() + timeoutMs;
  return () => ({ ...settings, timeoutMs: Math.max(0, end - clock.nowMs()) });
}
