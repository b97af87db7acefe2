/** What a command sees of its process, so that a test can hand in another one. */
import type { Readable, Writable } from "node:stream";

export interface Io {
  /** Not touched by commands that need none: a terminal that is read is a terminal that waits. */
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results, and nothing else. */
  readonly stdout: Writable & { readonly isTTY?: boolean };
  /** Errors, progress, notes. A bar is drawn only if it is a terminal. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  /**
   * Runs work that SIGINT and SIGTERM ask to stop: the signal aborts, with the signal's name as its reason, and the
   * work ends by itself, having cleaned up. A second signal ends the process as it would without us.
   */
  interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Has SIGHUP call this, instead of ending the process. @returns what undoes it */
  onHangup(called: () => void): () => void;
}
