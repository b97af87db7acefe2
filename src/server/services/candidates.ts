/**
 * Who waits under a name, in the order of their coming: keys `name/<lease in hex>`, each gone with its lease. The oldest
 * of them holds the lock, or leads.
 *
 * @see etcd client/v3/concurrency
 */

import { compare, deleteRequest, op, rangeRequest, txnRequest } from "../../api/txn-builder.ts";
import { KeyValue } from "../../api/value.ts";
import { EtcdError } from "../../base/errors.ts";
import type { Member } from "../../engine/member.ts";
import { watchKeys } from "../../engine/watch.ts";
import type { TxnResult } from "../../mvcc/txn.ts";

/** Of who brings no lease. Nobody keeps it alive. */
const OWN_TTL_SECONDS = 60;

export interface Candidate {
  readonly key: Uint8Array;
  readonly lease: bigint;
  /** Of the key: it says who came first. */
  readonly createRevision: number;
}

export interface Entered extends Candidate {
  /** After it. */
  readonly revision: number;
  /** Undefined: it has come just now. Else what it said when it came. */
  readonly before: KeyValue | undefined;
}

export const prefixOf = (name: Uint8Array): Uint8Array => Buffer.concat([name, Buffer.from("/")]);

export class Candidates {
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
  }

  /** Comes, or is still there. @throws (rejects) EtcdError LEASE_NOT_FOUND, NO_SPACE, …; StrataError FAILED, CLOSED */
  async enter(name: Uint8Array, givenLease: bigint, value: Uint8Array): Promise<Entered> {
    const member = this.#member;
    const lease =
      givenLease === 0n ? (await member.leaseGrant(OWN_TTL_SECONDS, 0n)).id : givenLease;
    const key = Buffer.concat([prefixOf(name), Buffer.from(lease.toString(16))]);
    const { succeeded, revision, responses } = await member.txn(
      txnRequest({
        compare: [compare.createRevision(key, "=", 0)],
        success: [op.put(key, value, { lease })],
        failure: [op.get(key)],
      }),
    );
    const [first] = responses;
    if (succeeded || first?.kind !== "range") {
      return { key, lease, createRevision: revision, revision, before: undefined };
    }
    const before = new KeyValue(first.kvs[0] as Uint8Array);
    return { key, lease, createRevision: Number(before.createRevision), revision, before };
  }

  /** If it still is the one that it was. @returns undefined if it is not */
  async update(
    { key, lease, createRevision }: Candidate,
    value: Uint8Array,
  ): Promise<number | undefined> {
    const put = op.put(key, value, { lease });
    const { succeeded, revision } = await this.#ifThere(key, createRevision, put);
    return succeeded ? revision : undefined;
  }

  /** @returns the revision after it, whether it was there or not */
  async leave({ key, createRevision }: Omit<Candidate, "lease">): Promise<number> {
    return (await this.#ifThere(key, createRevision, op.delete(key))).revision;
  }

  /** Under a name. */
  oldest(name: Uint8Array): KeyValue | undefined {
    return this.#first({ prefix: prefixOf(name) }, { sortBy: "create", order: "ascend", limit: 1 });
  }

  /**
   * Resolves when all that came before are gone. If the call ends before, it leaves.
   * @throws (rejects) EtcdError LEASE_NOT_FOUND if its own lease has ended; the signal's reason; StrataError CLOSED
   */
  async untilOldest(name: Uint8Array, candidate: Candidate, signal: AbortSignal): Promise<void> {
    const { key, createRevision } = candidate;
    const keys = { prefix: prefixOf(name) };
    const maxCreateRevision = createRevision - 1;
    try {
      for (;;) {
        signal.throwIfAborted();
        const own = this.#first(key, {});
        if (Number(own?.createRevision) !== createRevision) throw new EtcdError("LEASE_NOT_FOUND");
        const last = { sortBy: "create", order: "descend", limit: 1, maxCreateRevision } as const;
        const before = this.#first(keys, last);
        if (before === undefined) return;
        await this.#untilOneGone([before.key, key], signal);
      }
    } catch (error) {
      if (signal.aborted) await this.leave(candidate).catch(() => undefined);
      throw error;
    }
  }

  async #untilOneGone(keys: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    const startRevision = this.#member.store.currentRevision + 1;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const gone = async (key: Uint8Array): Promise<void> => {
      try {
        for await (const { events } of watchKeys(this.#member, key, {
          startRevision,
          noPut: true,
          signal: either,
        })) {
          if (events.length > 0) return;
        }
        if (!either.aborted) this.#member.assertOpen();
      } catch (error) {
        // Whoever asks again sees what has become of it.
        if (!(error instanceof EtcdError && error.code === "COMPACTED")) throw error;
      }
    };
    const watches = keys.map(gone);
    try {
      await Promise.race(watches);
    } finally {
      over.abort();
      await Promise.allSettled(watches);
    }
  }

  #first(
    keys: Parameters<typeof rangeRequest>[0],
    options: Parameters<typeof rangeRequest>[1],
  ): KeyValue | undefined {
    const [record] = this.#member.range(rangeRequest(keys, options)).kvs;
    return record && new KeyValue(record);
  }

  #ifThere(
    key: Uint8Array,
    createRevision: number,
    then: ReturnType<typeof op.delete>,
  ): Promise<TxnResult> {
    return this.#member.txn(
      txnRequest({ compare: [compare.createRevision(key, "=", createRevision)], success: [then] }),
    );
  }
}

/** @returns the revision after it */
export async function deleteKey(member: Member, key: Uint8Array): Promise<number> {
  return (await member.deleteRange(deleteRequest(key))).revision;
}
