/** A lock as a client hands it out: with a session of its own, which ends with it. */
import type { Key } from "../../api/key-range.ts";
import { compare } from "../../api/txn-builder.ts";
import type { Compare } from "../../proto/messages.ts";
import type { ConcurrencyBase } from "./base.ts";
import { Mutex } from "./mutex.ts";
import { Session } from "./session.ts";
import { untilAborted, type Waiting } from "./waiting.ts";

export interface LockOptions {
  /** Seconds after which others get it, if its holder is gone without a word. Default: 60. */
  readonly ttl?: number | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** Nobody holds a lock for certain: stop when `lost` aborts, and let writes depend on `isHeld`. */
export interface HeldLock extends AsyncDisposable {
  readonly key: Uint8Array;
  /** The lease that it hangs on. */
  readonly lease: bigint;
  /** Aborts when it may be another's. @see HeldLease */
  readonly lost: AbortSignal;
  /** For a transaction that is to do its work only if the lock is still held. */
  readonly isHeld: Compare;
  /** The next one's turn. Twice is harmless. */
  release(): Promise<void>;
}

/** @returns undefined if another has it, and it is not to be waited for */
export async function takeLock(
  base: ConcurrencyBase,
  name: Key,
  { ttl, signal }: LockOptions,
  waits: boolean,
): Promise<HeldLock | undefined> {
  return untilAborted(signal, async (waiting: Waiting) => {
    const session = await Session.open(base, { ttlSeconds: ttl, signal: waiting.signal });
    waiting.undo(() => session.close());
    const mutex = new Mutex(session, name);
    if (waits) await mutex.lock({ signal: waiting.signal });
    else if (!(await mutex.tryLock({ signal: waiting.signal }))) {
      await session.close();
      return undefined;
    }
    return new SessionLock(session, mutex);
  });
}

class SessionLock implements HeldLock {
  readonly key: Uint8Array;
  readonly isHeld: Compare;
  readonly #session: Session;
  #released: Promise<void> | undefined;

  constructor(session: Session, mutex: Mutex) {
    this.#session = session;
    this.key = mutex.key;
    this.isHeld = compare.createRevision(mutex.key, "=", mutex.isHeld.createRevision ?? -1n);
  }

  get lease(): bigint {
    return this.#session.lease;
  }

  get lost(): AbortSignal {
    return this.#session.lost;
  }

  /** Its key hangs on the session, and goes with it. */
  release(): Promise<void> {
    this.#released ??= endSession(this.#session);
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

/** @throws as `Session.close`, but not for one that is gone already */
export async function endSession(session: Session): Promise<void> {
  if (session.lost.aborted) {
    session.orphan();
    return;
  }
  try {
    await session.close();
  } catch (error) {
    if ((error as { code?: string }).code !== "LEASE_NOT_FOUND") throw error;
  }
}
