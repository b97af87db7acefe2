/**
 * What a store is put to: operations as plain data, so that whoever performs them need not be whoever judges what
 * became of them. Every value says whose it is: `<id>.<change>.` and some padding.
 */
import { op, type Strata } from "../../src/index.ts";
import type { Rng } from "./rng.ts";

export interface KeyChange {
  readonly key: string;
  /** Undefined: the key is deleted. */
  readonly value: string | undefined;
}

/** Lease ids are decimal, `back` counts revisions from the current one. */
export type StoreOp =
  | ({ readonly kind: "put"; readonly id: number; readonly lease?: string | undefined } & KeyChange)
  | { readonly kind: "delete"; readonly id: number; readonly key: string }
  /** All of it or nothing; the keys differ, and one of the changes at least is a put. */
  | { readonly kind: "txn"; readonly id: number; readonly changes: readonly KeyChange[] }
  | {
      readonly kind: "compact";
      readonly id: number;
      readonly back: number;
      readonly physical: boolean;
    }
  | { readonly kind: "grant"; readonly id: number; readonly lease: string; readonly ttl: number }
  | { readonly kind: "keepAlive" | "revoke"; readonly id: number; readonly lease: string };

/** What an operation was answered with. */
export interface Ack {
  readonly id: number;
  /** Of what it changed; of a compaction the one it was asked for; 0 for leases. */
  readonly revision: number;
  /** Keys that a delete found. */
  readonly deleted?: number | undefined;
}

export interface OpShape {
  readonly keys: number;
  readonly valueBytesMax: number;
  /** How far back a compaction keeps the history. */
  readonly compactBack: number;
  /** How many operations to one compaction. */
  readonly compactEvery: number;
}

/** Where keys with a lease are: `l/<lease>/<n>`. All others are `k/<n>`. */
export const LEASED = "l/";

/** Long enough that no test lives to see one expire, and short ones that do. */
const TTLS = [600, 600, 86_400, 2];

/** Draws operations; the same chance gives the same ones. */
export class OpSource {
  readonly #chance: Rng;
  readonly #shape: OpShape;
  #nextId: number;
  #nextLease: number;
  #leases: string[] = [];

  /** @param firstId  every operation's id, and every lease's, is at or above it */
  constructor(chance: Rng, shape: OpShape, firstId = 1) {
    this.#chance = chance;
    this.#shape = shape;
    this.#nextId = firstId;
    this.#nextLease = firstId + 1_000_000;
  }

  next(): StoreOp {
    const chance = this.#chance;
    const { compactBack, compactEvery } = this.#shape;
    const id = this.#nextId++;
    if (chance.int(compactEvery) === 0) {
      return { kind: "compact", id, back: chance.int(compactBack), physical: chance.bool(0.3) };
    }
    const kind = chance.int(100);
    if (kind < 5) {
      const lease = String(this.#nextLease++);
      this.#leases.push(lease);
      if (this.#leases.length > 8) this.#leases.shift();
      return { kind: "grant", id, lease, ttl: chance.pick(TTLS) };
    }
    const lease = this.#leases.length > 0 ? chance.pick(this.#leases) : undefined;
    if (kind < 15 && lease !== undefined) {
      const key = `${LEASED}${lease}/${chance.int(3)}`;
      return { kind: "put", id, key, value: this.#value(id, 0), lease };
    }
    if (kind < 18 && lease !== undefined) return { kind: "keepAlive", id, lease };
    if (kind < 20 && lease !== undefined) return { kind: "revoke", id, lease };
    if (kind < 35) return { kind: "delete", id, key: this.#key() };
    if (kind < 55) return { kind: "txn", id, changes: this.#changes(id) };
    return { kind: "put", id, key: this.#key(), value: this.#value(id, 0) };
  }

  #key(): string {
    return `k/${this.#chance.int(this.#shape.keys)}`;
  }

  #value(id: number, change: number): string {
    const { valueBytesMax } = this.#shape;
    const bytes = this.#chance.bool(0.1) ? this.#chance.int(valueBytesMax) : this.#chance.int(200);
    return `${id}.${change}.${"x".repeat(bytes)}`;
  }

  #changes(id: number): KeyChange[] {
    const count = 2 + this.#chance.int(6);
    const first = this.#chance.int(this.#shape.keys);
    return Array.from({ length: count }, (_, i) => {
      const key = `k/${(first + i * 7) % this.#shape.keys}`;
      const isDelete = i > 0 && this.#chance.bool(0.3);
      return { key, value: isDelete ? undefined : this.#value(id, i) };
    });
  }
}

/** Whose a value is. */
export function opOfValue(value: string): number {
  return Number(value.slice(0, value.indexOf(".")));
}

/** @throws (rejects) what the store throws */
export async function perform(store: Strata, what: StoreOp): Promise<Ack> {
  const { id } = what;
  switch (what.kind) {
    case "put": {
      const lease = what.lease === undefined ? 0n : BigInt(what.lease);
      const { revision } = await store.put(what.key, what.value ?? "", { lease });
      return { id, revision: Number(revision) };
    }
    case "delete": {
      const { revision, deleted } = await store.delete(what.key);
      return { id, revision: Number(revision), deleted };
    }
    case "txn": {
      const then = what.changes.map(({ key, value }) =>
        value === undefined ? op.delete(key) : op.put(key, value),
      );
      const { revision } = await store.txn({ success: then });
      return { id, revision: Number(revision) };
    }
    case "compact": {
      const revision = Math.max(1, Number(store.status().revision) - what.back);
      await store.compact(revision, { physical: what.physical });
      return { id, revision };
    }
    case "grant":
      await store.lease.grant(what.ttl, { id: BigInt(what.lease) });
      return { id, revision: 0 };
    case "keepAlive":
      await store.lease.keepAlive(BigInt(what.lease));
      return { id, revision: 0 };
    case "revoke":
      await store.lease.revoke(BigInt(what.lease));
      return { id, revision: 0 };
  }
}

/** What an operation may well be answered with: its lease is gone, its revision was compacted before. */
const EXPECTED: ReadonlySet<unknown> = new Set([
  "COMPACTED",
  "FUTURE",
  "LEASE_NOT_FOUND",
  "LEASE_EXIST",
]);

/** @returns undefined if the store refused it as an etcd would; then it has changed nothing */
export async function tryPerform(store: Strata, what: StoreOp): Promise<Ack | undefined> {
  try {
    return await perform(store, what);
  } catch (error) {
    if (error instanceof Error && "code" in error && EXPECTED.has(error.code)) return undefined;
    throw error;
  }
}
