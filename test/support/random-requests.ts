/** Requests of every kind, mostly sensible, over a few keys that are often met again. */
import type { Compare, Op, RangeRequest, TxnRequest, WatchRequest } from "../conformance/client.ts";
import type { EtcdModel } from "./etcd-model.ts";
import type { Rng } from "./rng.ts";

export const KEYS: readonly string[] = ["\0", "a", "a\0", "ab", "b", "ba", "c", "d\xfe", "\xff"];
const ENDS: readonly string[] = [...KEYS, "\0", "\0", "", "", "", "b\0", "e"];
export const LEASES: readonly bigint[] = [1n, 2n, 3n, -4n];

export class RandomRequests {
  readonly #random: Rng;
  readonly #model: EtcdModel;

  constructor(random: Rng, model: EtcdModel) {
    this.#random = random;
    this.#model = model;
  }

  key(): string {
    return this.#random.bool(0.01) ? "" : this.#random.pick(KEYS);
  }

  value(): string {
    const random = this.#random;
    const size = random.bool(0.03) ? random.int(9000) : random.int(12);
    return random.pick(["x", "y", "\0", "\xff"]).repeat(size) + random.int(9);
  }

  lease(): bigint {
    const random = this.#random;
    if (random.bool(0.6)) return 0n;
    const known = this.#model.leases();
    return known.length === 0 || random.bool(0.1) ? random.pick(LEASES) : random.pick(known);
  }

  /** 0: now; of the past; now and then below what is compacted, or of the future. */
  revision(): number {
    const random = this.#random;
    const { revision, compacted } = this.#model;
    if (random.bool(0.5)) return 0;
    return random.pick([
      revision,
      revision + (random.bool(0.2) ? 1 : 0),
      Math.max(0, compacted),
      Math.max(0, compacted - 1),
      Math.max(1, compacted) + random.int(Math.max(1, revision - Math.max(0, compacted))),
      -1,
    ]);
  }

  range(): RangeRequest {
    const random = this.#random;
    const { revision } = this.#model;
    const filter = (): number => (random.bool(0.9) ? 0 : random.int(revision + 2) - 1);
    return {
      key: this.key(),
      rangeEnd: random.pick(ENDS),
      revision: this.revision(),
      limit: random.bool() ? 0 : random.int(6) - 1,
      sortOrder: random.bool(0.6) ? 0 : random.int(3),
      sortTarget: random.bool(0.6) ? 0 : random.int(5),
      keysOnly: random.bool(0.1),
      countOnly: random.bool(0.1),
      minModRevision: filter(),
      maxModRevision: filter(),
      minCreateRevision: filter(),
      maxCreateRevision: filter(),
    };
  }

  put(): Op & { readonly put: unknown } {
    const random = this.#random;
    const ignoreValue = random.bool(0.1);
    const ignoreLease = random.bool(0.1);
    const put = {
      key: this.key(),
      value: ignoreValue && random.bool(0.9) ? "" : this.value(),
      lease: ignoreLease && random.bool(0.9) ? 0n : this.lease(),
      prevKv: random.bool(0.3),
      ...{ ignoreValue, ignoreLease },
    };
    return { put };
  }

  delete(): Op & { readonly delete: unknown } {
    const rangeEnd = this.#random.bool(0.6) ? "" : this.#random.pick(ENDS);
    return { delete: { key: this.key(), rangeEnd, prevKv: this.#random.bool(0.3) } };
  }

  txn(depth = 0): TxnRequest {
    const random = this.#random;
    const some = <T>(make: () => T): T[] => Array.from({ length: random.int(4) }, make);
    const op = (): Op => {
      const roll = random.int(10);
      if (roll < 4) return this.put();
      if (roll < 6) return this.delete();
      if (roll < 9) return { range: this.range() };
      return depth < 2 ? { txn: this.txn(depth + 1) } : { range: this.range() };
    };
    return {
      compare: random.bool() ? [] : some(() => this.compare()),
      success: some(op),
      failure: some(op),
    };
  }

  compare(): Compare {
    const random = this.#random;
    const target = random.int(5);
    const number = random.int(this.#model.revision + 2);
    const operand = [
      { version: random.int(4) },
      { createRevision: number },
      { modRevision: number },
      { value: this.value() },
      { lease: random.pick([0n, ...LEASES]) },
    ][random.bool(0.95) ? target : random.int(5)];
    const rangeEnd = random.bool(0.7) ? "" : random.pick(ENDS);
    return { key: this.key(), rangeEnd, target, result: random.int(4), ...operand };
  }

  watch(): WatchRequest {
    const random = this.#random;
    const { revision, compacted } = this.#model;
    let [key, rangeEnd] = [random.pick(KEYS), random.pick(ENDS)];
    if (rangeEnd !== "" && rangeEnd !== "\0" && rangeEnd <= key) [key, rangeEnd] = ["\0", "\0"];
    const startRevision = random.pick([
      0,
      1,
      Math.max(0, compacted),
      Math.max(0, compacted - 1),
      1 + random.int(revision),
      revision + random.int(9),
    ]);
    const [noPut, noDelete, prevKv] = [random.bool(0.15), random.bool(0.15), random.bool()];
    return { key, rangeEnd, startRevision, noPut, noDelete, prevKv };
  }
}
