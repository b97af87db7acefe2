/** An election won, as a client hands it out: with a session of its own, which ends with it. */
import type { Key } from "../../api/key-range.ts";
import { compare } from "../../api/txn-builder.ts";
import type { Compare } from "../../proto/messages.ts";
import type { ConcurrencyBase } from "./base.ts";
import { Election } from "./election.ts";
import { endSession, type LockOptions } from "./held-lock.ts";
import { Session } from "./session.ts";
import { untilAborted } from "./waiting.ts";

/** Nobody leads for certain: stop when `lost` aborts, and let writes depend on `isLeader`. */
export interface Leadership extends AsyncDisposable {
  readonly key: Uint8Array;
  /** The lease that it hangs on. */
  readonly lease: bigint;
  /** Aborts when another may lead. @see HeldLease */
  readonly lost: AbortSignal;
  /** For a transaction that is to do its work only as the leader. */
  readonly isLeader: Compare;
  /** Tells observers another value. @throws (rejects) StrataError BAD_ARGUMENT `election: not leader` */
  proclaim(value: Key): Promise<void>;
  /** The next one's turn. Twice is harmless. */
  resign(): Promise<void>;
}

export async function campaign(
  base: ConcurrencyBase,
  name: Key,
  value: Key,
  { ttl, signal }: LockOptions,
): Promise<Leadership> {
  return untilAborted(signal, async (waiting) => {
    const session = await Session.open(base, { ttlSeconds: ttl, signal: waiting.signal });
    waiting.undo(() => session.close());
    const election = new Election(session, name);
    await election.campaign(value, { signal: waiting.signal });
    return new SessionLeadership(session, election);
  });
}

class SessionLeadership implements Leadership {
  readonly key: Uint8Array;
  readonly isLeader: Compare;
  readonly #session: Session;
  readonly #election: Election;
  #resigned: Promise<void> | undefined;

  constructor(session: Session, election: Election) {
    this.#session = session;
    this.#election = election;
    this.key = election.key;
    this.isLeader = compare.createRevision(election.key, "=", election.createRevision ?? -1n);
  }

  get lease(): bigint {
    return this.#session.lease;
  }

  get lost(): AbortSignal {
    return this.#session.lost;
  }

  async proclaim(value: Key): Promise<void> {
    await this.#election.proclaim(value);
  }

  /** Its key hangs on the session, and goes with it. */
  resign(): Promise<void> {
    this.#resigned ??= endSession(this.#session);
    return this.#resigned;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resign();
  }
}
