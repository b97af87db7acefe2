/**
 * A lock of a name, as etcd's clients have it: whoever's key under the name was made first holds it. The key hangs on
 * the session's lease, so a holder that is gone holds it no longer than that.
 *
 * Nobody can hold a lock for certain: a holder that sleeps too long may wake up and find it with another. Stop the work
 * when `session.lost` aborts; and let writes depend on `isHeld`.
 */
import { bytesOf, type Key } from "../../api/key-range.ts";
import { StrataError } from "../../base/errors.ts";
import { type Compare, KV_METHODS, type TxnResponse } from "../../proto/tables/kv.ts";
import type { Partially } from "../../proto/tables/message-table.ts";
import { NEVER } from "./base.ts";
import { persist } from "./persist.ts";
import { createdAt, firstCreated, keyOf } from "./requests.ts";
import type { Session } from "./session.ts";
import { waitDeletes } from "./wait-deletes.ts";

export class Mutex {
  readonly #session: Session;
  readonly #prefix: Uint8Array;
  /** The session's, under the name. */
  readonly key: Uint8Array;
  #createRevision: bigint | undefined;
  #revision = 0n;

  constructor(session: Session, name: Key) {
    this.#session = session;
    this.#prefix = Buffer.concat([bytesOf(name), Buffer.from("/")]);
    this.key = keyOf(this.#prefix, session.lease);
  }

  /** Of the store, when the lock was taken. */
  get revision(): bigint {
    return this.#revision;
  }

  /**
   * Waits until it is the session's turn. A session that has it gets it at once.
   * @throws the signal's reason, having given up its place; why the session is lost; and as every call
   */
  async lock({
    signal = NEVER,
  }: {
    readonly signal?: AbortSignal | undefined;
  } = {}): Promise<void> {
    const { base, lost } = this.#session;
    const either = AbortSignal.any([signal, lost]);
    try {
      const answer = await this.#enter(either);
      const createRevision = this.#createRevision ?? 0n;
      if (isFirst(answer, createRevision)) return;
      await waitDeletes(base, this.#prefix, createRevision - 1n, either);
      const range = { key: this.key };
      const { header, kvs } = await persist(base, either, () =>
        base.rpc.call(KV_METHODS.range, range, { signal: either }),
      );
      if (kvs[0]?.createRevision !== createRevision) throw expired();
      this.#revision = header?.revision ?? 0n;
    } catch (error) {
      await this.#leave();
      throw error;
    }
  }

  /** @returns whether the session has it now: false if another has. @throws as `lock` */
  async tryLock(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<boolean> {
    const { lost } = this.#session;
    const either = AbortSignal.any([options.signal ?? NEVER, lost]);
    try {
      const answer = await this.#enter(either);
      if (isFirst(answer, this.#createRevision ?? 0n)) return true;
    } catch (error) {
      await this.#leave();
      throw error;
    }
    await this.unlock();
    return false;
  }

  /** The next one's turn. @throws StrataError BAD_ARGUMENT if it is not locked; and as every call */
  async unlock(): Promise<void> {
    if (this.#createRevision === undefined) {
      throw new StrataError("BAD_ARGUMENT", "mutex: lock has already been released");
    }
    const { base, lost } = this.#session;
    await persist(base, lost, () =>
      base.rpc.call(KV_METHODS.deleteRange, { key: this.key }, { signal: lost }),
    );
    this.#createRevision = undefined;
  }

  /** For a transaction that is to do its work only if the lock is still held. */
  get isHeld(): Partially<Compare> {
    return createdAt(this.key, this.#createRevision ?? -1n);
  }

  /** Makes the key, if it is not there, and tells whose is the first. Twice does the same. */
  async #enter(signal: AbortSignal): Promise<TxnResponse> {
    const { base, lease } = this.#session;
    const { key } = this;
    const first = { requestRange: firstCreated(this.#prefix) };
    const request = {
      compare: [createdAt(key, 0n)],
      success: [{ requestPut: { key, lease } }, first],
      failure: [{ requestRange: { key } }, first],
    };
    const answer = await persist(base, signal, () =>
      base.rpc.call(KV_METHODS.txn, request, { signal }),
    );
    const [mine] = answer.responses;
    this.#revision = answer.header?.revision ?? 0n;
    this.#createRevision = mine?.responseRange?.kvs[0]?.createRevision ?? this.#revision;
    return answer;
  }

  /** As well as it can be done: the lease does it in the end. */
  async #leave(): Promise<void> {
    this.#createRevision = undefined;
    const { base, lost } = this.#session;
    await persist(base, lost, () =>
      base.rpc.call(KV_METHODS.deleteRange, { key: this.key }, { signal: lost }),
    ).catch(() => undefined);
  }
}

function isFirst({ responses }: TxnResponse, createRevision: bigint): boolean {
  const first = responses[1]?.responseRange?.kvs[0];
  return first === undefined || first.createRevision === createRevision;
}

function expired(): StrataError {
  return new StrataError("CANCELED", "mutex: session is expired");
}
