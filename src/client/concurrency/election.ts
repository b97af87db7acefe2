/**
 * An election of a name, as etcd's clients have it: of all candidates' keys under the name, the one that was made first
 * is the leader's, and its value is what the leader proclaims.
 */
import { bytesOf, type Key, requestRange } from "../../api/key-range.ts";
import { StrataError } from "../../base/errors.ts";
import type { KeyValue } from "../../proto/tables/key-value.ts";
import { KV_METHODS, type RangeResponse } from "../../proto/tables/kv.ts";
import { type ConcurrencyBase, NEVER } from "./base.ts";
import { persist } from "./persist.ts";
import { createdAt, firstCreated, keyOf } from "./requests.ts";
import type { Session } from "./session.ts";
import { DELETE, responses, waitDeletes } from "./wait-deletes.ts";

interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** What an election looks like from outside: anyone may look. */
export class ElectionView {
  readonly #base: ConcurrencyBase;
  protected readonly prefix: Uint8Array;

  constructor(base: ConcurrencyBase, name: Key) {
    this.#base = base;
    this.prefix = Buffer.concat([bytesOf(name), Buffer.from("/")]);
  }

  /** @returns undefined if there is none. @throws the signal's reason, and as every call */
  async leader({ signal = NEVER }: Abortable = {}): Promise<KeyValue | undefined> {
    return (await this.#first(signal)).kvs[0];
  }

  /**
   * Who leads, now and whenever that changes, and what the leader proclaims. What changes quickly may be left out, but
   * not the last of it. Ends when the signal aborts.
   * @throws as every call
   */
  async *observe({ signal = NEVER }: Abortable = {}): AsyncGenerator<RangeResponse, void> {
    try {
      for (;;) {
        const found = await this.#first(signal);
        let leader = found.kvs[0] === undefined ? undefined : found;
        leader ??= await this.#firstOne((found.header?.revision ?? 0n) + 1n, signal);
        if (leader === undefined) continue;
        yield leader;
        yield* this.#proclamations(leader, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #first(signal: AbortSignal): Promise<RangeResponse> {
    const request = firstCreated(this.prefix);
    return persist(this.#base, signal, () =>
      this.#base.rpc.call(KV_METHODS.range, request, { signal }),
    );
  }

  /** Waits for a candidate where there is none. */
  async #firstOne(startRevision: bigint, signal: AbortSignal): Promise<RangeResponse | undefined> {
    const ask = { ...requestRange({ prefix: this.prefix }), startRevision };
    for await (const { header, events } of responses(this.#base, ask, signal)) {
      const kv = events.find(({ type }) => type !== DELETE)?.kv;
      if (kv !== undefined) return answerOf(header && { ...header, revision: kv.modRevision }, kv);
    }
    return undefined;
  }

  /** Until the leader's key is gone. */
  async *#proclamations(
    { header, kvs: [leader] }: RangeResponse,
    signal: AbortSignal,
  ): AsyncGenerator<RangeResponse, void> {
    if (leader === undefined) return;
    const ask = { key: leader.key, startRevision: (header?.revision ?? 0n) + 1n };
    for await (const response of responses(this.#base, ask, signal)) {
      for (const { type, kv } of response.events) {
        if (type === DELETE || kv === undefined) return;
        yield answerOf(response.header, kv);
      }
    }
  }
}

export class Election extends ElectionView {
  readonly #session: Session;
  /** The session's, under the name. */
  readonly key: Uint8Array;
  #createRevision: bigint | undefined;

  constructor(session: Session, name: Key) {
    super(session.base, name);
    this.#session = session;
    this.key = keyOf(this.prefix, session.lease);
  }

  /** Of the candidacy's key; undefined if there is none. */
  get createRevision(): bigint | undefined {
    return this.#createRevision;
  }

  /**
   * Waits until the session is the leader.
   * @throws the signal's reason, having given up the candidacy; why the session is lost; and as every call
   */
  async campaign(value: Key, { signal = NEVER }: Abortable = {}): Promise<void> {
    const { base, lost, lease } = this.#session;
    const either = AbortSignal.any([signal, lost]);
    const { key } = this;
    const proposal = bytesOf(value);
    const request = {
      compare: [createdAt(key, 0n)],
      success: [{ requestPut: { key, value: proposal, lease } }],
      failure: [{ requestRange: { key } }],
    };
    try {
      const { header, responses: answers } = await persist(base, either, () =>
        base.rpc.call(KV_METHODS.txn, request, { signal: either }),
      );
      const mine = answers[0]?.responseRange?.kvs[0];
      this.#createRevision = mine?.createRevision ?? header?.revision ?? 0n;
      if (mine !== undefined && Buffer.compare(mine.value, proposal) !== 0) {
        await this.proclaim(value, { signal });
      }
      await waitDeletes(base, this.prefix, this.#createRevision - 1n, either);
    } catch (error) {
      await this.#leave();
      throw error;
    }
  }

  /** Another value, without another election. @throws StrataError BAD_ARGUMENT `election: not leader` */
  async proclaim(value: Key, { signal = NEVER }: Abortable = {}): Promise<void> {
    const { base, lost, lease } = this.#session;
    const either = AbortSignal.any([signal, lost]);
    const { key } = this;
    const request = {
      compare: [createdAt(key, this.#createRevision ?? -1n)],
      success: [{ requestPut: { key, value: bytesOf(value), lease } }],
    };
    const { succeeded } = await persist(base, either, () =>
      base.rpc.call(KV_METHODS.txn, request, { signal: either }),
    );
    if (!succeeded) throw new StrataError("BAD_ARGUMENT", "election: not leader");
  }

  /** The next one's turn. Without a candidacy, nothing happens. @throws as every call */
  async resign(): Promise<void> {
    const createRevision = this.#createRevision;
    if (createRevision === undefined) return;
    const { base, lost } = this.#session;
    const { key } = this;
    const request = {
      compare: [createdAt(key, createRevision)],
      success: [{ requestDeleteRange: { key } }],
    };
    await persist(base, lost, () => base.rpc.call(KV_METHODS.txn, request, { signal: lost }));
    this.#createRevision = undefined;
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

function answerOf(header: RangeResponse["header"], kv: KeyValue): RangeResponse {
  return { header, kvs: [kv], more: false, count: 0n };
}
