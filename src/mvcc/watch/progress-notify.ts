/** Tells a stream's watchers that asked for it, now and then, how far they are, when they have heard nothing else. */
import type { Clock } from "../../base/clock.ts";
import type { WatchStream } from "./watch-stream.ts";

export interface ProgressOptions {
  readonly clock: Clock;
  /** 0 ≤ result < 1. */
  readonly random: () => number;
  readonly intervalMs: number;
}

/** Up to 10 % later each time, as etcd's: streams that began together must not all be due at once. */
const JITTER = 0.1;

/** @param signal  aborted when the stream is closed */
export async function notifyProgress(
  stream: WatchStream,
  options: ProgressOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, intervalMs } = options;
  while (true) {
    await clock.sleep(intervalMs * (1 + JITTER * random()), signal);
    if (signal.aborted) return;
    for (const watcher of stream.watchers) {
      if (watcher.progressNotify && !watcher.tookEvents) stream.progress(watcher);
      watcher.tookEvents = false;
    }
  }
}
