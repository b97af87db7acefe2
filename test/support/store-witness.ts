/**
 * Knows what a store was asked to do and what it answered, over any number of its lives, and says of the store that
 * comes back whether that is all there: every acknowledged operation at its revision, every other wholly or not at all,
 * and no revision less than before.
 */
import type { KeyValue, Strata } from "../../src/index.ts";
import { type Ack, type KeyChange, LEASED, opOfValue, type StoreOp } from "./store-ops.ts";

/** A key at a revision. */
interface Held {
  readonly value: string;
  readonly revision: number;
  readonly create: number;
  readonly version: number;
}

type State = Map<string, Held>;

export interface Found {
  /** Operations that were not acknowledged, and are there. */
  readonly phantoms: number;
  readonly revision: number;
}

export class StoreWitness {
  readonly #ops = new Map<number, StoreOp>();
  /** Deletes that no revision was found to be, by their key. */
  readonly #deletes = new Map<string, Set<number>>();
  readonly #acks = new Map<number, Ack>();
  /** Those that a store once had, and at which revision. */
  readonly #seen = new Map<number, number>();
  /** What a store once had, by revision. */
  readonly #history = new Map<number, readonly KeyChange[]>();
  /** Refused for good: they must not be there. */
  readonly #refused = new Set<number>();
  #revision = 1;
  #compacted = -1;

  /** Before it is performed. */
  asked(op: StoreOp): void {
    this.#ops.set(op.id, op);
    if (op.kind !== "delete") return;
    const deletes = this.#deletes.get(op.key);
    if (deletes === undefined) this.#deletes.set(op.key, new Set([op.id]));
    else deletes.add(op.id);
  }

  acknowledged(ack: Ack): void {
    this.#acks.set(ack.id, ack);
  }

  /** The store answered that it has changed nothing. */
  refused(id: number): void {
    this.#refused.add(id);
  }

  /** One that knows the same, for one of several outcomes. */
  clone(): StoreWitness {
    const other = new StoreWitness();
    for (const op of this.#ops.values()) other.#ops.set(op.id, op);
    for (const [key, ids] of this.#deletes) other.#deletes.set(key, new Set(ids));
    for (const ack of this.#acks.values()) other.#acks.set(ack.id, ack);
    for (const [id, revision] of this.#seen) other.#seen.set(id, revision);
    for (const [revision, changes] of this.#history) other.#history.set(revision, changes);
    for (const id of this.#refused) other.#refused.add(id);
    other.#revision = this.#revision;
    other.#compacted = this.#compacted;
    return other;
  }

  get acks(): number {
    return this.#acks.size;
  }

  /**
   * Looks at everything that the store has.
   * @throws Error at the first thing that is not as it must be
   */
  async mustHold(store: Strata): Promise<Found> {
    const status = store.status();
    const revision = Number(status.revision);
    const compacted = Number(status.compactedRevision);
    if (revision < this.#revision) fail(`revision ${revision} after ${this.#revision}`);
    if (compacted < this.#compacted) fail(`compacted at ${compacted} after ${this.#compacted}`);
    this.#mustReachAcks(revision, compacted);

    const base = compacted >= 1 ? await stateAt(store, compacted) : new Map<string, Held>();
    this.#mustKnowBase(base, compacted);
    const before = this.#seen.size;
    const events = await historyOf(store, Math.max(compacted, 1) + 1, revision);
    const state = new Map(base);
    for (let at = Math.max(compacted, 1) + 1; at <= revision; at++) {
      const changes = events.get(at);
      if (changes === undefined) throw new Error(`revision ${at} of ${revision} has no events`);
      this.#mustBeOne(at, changes, state);
      apply(state, at, changes);
      if (at % 97 === 0) mustBeSame(await stateAt(store, at), state, `as of revision ${at}`);
    }
    mustBeSame(await stateAt(store, revision), state, "now");
    await mustAnswerGets(store, state);
    this.#mustHaveAcked(compacted, base);
    await this.#mustHaveLeases(store, state);
    this.#revision = revision;
    this.#compacted = compacted;
    this.#forgetUnseen();
    const phantoms = [...this.#seen.keys()].slice(before).filter((id) => !this.#acks.has(id));
    return { phantoms: phantoms.length, revision };
  }

  /**
   * What a store that has failed must still answer to: every acknowledged write is read, and nothing of what it
   * refused. It is not looked at as closely as one that was opened again.
   */
  async mustRead(store: Strata): Promise<void> {
    const revision = Number(store.status().revision);
    const compacted = Number(store.status().compactedRevision);
    this.#mustReachAcks(revision, compacted);
    const state = await stateAt(store, revision);
    await mustAnswerGets(store, state);
    const last = new Map<string, { revision: number; value: string | undefined }>();
    for (const { id, revision: at, deleted } of this.#acks.values()) {
      const op = this.#ops.get(id);
      for (const { key, value } of changesOf(op)) {
        if (op?.kind === "delete" && deleted === 0) continue;
        if ((last.get(key)?.revision ?? 0) < at) last.set(key, { revision: at, value });
      }
    }
    for (const [key, { revision: at, value }] of last) {
      if (key.startsWith(LEASED)) continue; // Its lease may have taken it.
      const found = state.get(key);
      if (found !== undefined && found.revision > at) {
        fail(`${key} is of revision ${found.revision}, which nobody acknowledged after ${at}`);
      }
      if (found?.value !== value) fail(`${key} of revision ${at} is not read any more`);
    }
  }

  #mustReachAcks(revision: number, compacted: number): void {
    for (const { id, revision: at } of this.#acks.values()) {
      if (at > revision) fail(`op ${id} was acknowledged at ${at}, the store is at ${revision}`);
      if (this.#ops.get(id)?.kind === "compact" && at > compacted) {
        fail(`a compaction at ${at} was acknowledged, the store has ${compacted}`);
      }
    }
  }

  /** What is left of the history before a compaction is of operations that were asked for. */
  #mustKnowBase(base: State, compacted: number): void {
    for (const [key, { value, revision }] of base) {
      if (revision > compacted) fail(`${key} as of ${compacted} is of ${revision}`);
      const id = opOfValue(value);
      const change = changesOf(this.#ops.get(id)).find((one) => one.key === key);
      if (change?.value !== value)
        fail(`${key} has a value that nobody put: ${value.slice(0, 40)}`);
      this.#mustBeAt(id, revision);
    }
  }

  /** An operation is at one revision, in every life, and at the one that was acknowledged. */
  #mustBeAt(id: number, revision: number): void {
    if (this.#refused.has(id)) fail(`op ${id} was refused, and is there at ${revision}`);
    const seen = this.#seen.get(id);
    if (seen !== undefined && seen !== revision) fail(`op ${id} is at ${seen} and at ${revision}`);
    const ack = this.#acks.get(id);
    if (ack !== undefined && ack.revision !== revision) {
      fail(`op ${id} was acknowledged at ${ack.revision}, and is at ${revision}`);
    }
    this.#seen.set(id, revision);
  }

  /** A revision is one operation, whole: what it does to the state before it. */
  #mustBeOne(revision: number, changes: readonly KeyChange[], before: State): void {
    const known = this.#history.get(revision);
    if (known !== undefined) {
      if (!sameChanges(known, changes)) fail(`revision ${revision} is not what it was`);
      return;
    }
    this.#history.set(revision, changes);
    const put = changes.find(({ value }) => value !== undefined);
    if (put === undefined) {
      this.#mustBeDelete(revision, changes, before);
      return;
    }
    const id = opOfValue(put.value as string);
    const op = this.#ops.get(id);
    const expected = changesOf(op).filter(
      ({ key, value }) => value !== undefined || before.has(key),
    );
    if (!sameChanges(changes, expected)) {
      fail(`revision ${revision} has ${show(changes)} of op ${id}, which is ${show(expected)}`);
    }
    this.#mustBeAt(id, revision);
  }

  #mustBeDelete(revision: number, changes: readonly KeyChange[], before: State): void {
    const [first] = changes;
    const key = first?.key ?? "";
    for (const change of changes) {
      if (!before.has(change.key)) fail(`revision ${revision} deletes ${change.key}, not there`);
    }
    if (key.startsWith(LEASED)) {
      const prefix = key.slice(0, key.lastIndexOf("/") + 1);
      const all = [...before.keys()].filter((one) => one.startsWith(prefix));
      if (all.length !== changes.length || !changes.every((one) => one.key.startsWith(prefix))) {
        fail(`revision ${revision} ends a part of a lease: ${show(changes)}`);
      }
      return;
    }
    if (changes.length !== 1) fail(`revision ${revision} deletes several: ${show(changes)}`);
    const deletes = this.#deletes.get(key) ?? new Set();
    let found: number | undefined;
    for (const id of deletes) {
      const ack = this.#acks.get(id);
      if (ack === undefined && !this.#refused.has(id)) found ??= id;
      else if (ack?.revision === revision && ack.deleted === 1) {
        found = id;
        break;
      }
    }
    if (found === undefined) throw new Error(`revision ${revision} deletes ${key}: nobody did`);
    deletes.delete(found);
    this.#seen.set(found, revision);
  }

  #mustHaveAcked(compacted: number, base: State): void {
    for (const { id, revision, deleted } of this.#acks.values()) {
      const op = this.#ops.get(id);
      if (op?.kind === "delete" && deleted === 0) continue;
      const changes = changesOf(op);
      if (changes.length === 0) continue;
      if (this.#seen.get(id) === revision) continue;
      if (revision > compacted) fail(`op ${id}, acknowledged at ${revision}, is lost`);
      // Its revision is given up; what came after it must be there instead.
      for (const { key } of changes) {
        const held = base.get(key);
        if (held !== undefined && held.revision < revision) {
          fail(`${key} is of ${held.revision}, op ${id} was acknowledged at ${revision}`);
        }
      }
    }
  }

  /** Whoever performed them is dead, and they are not there: they never will be. */
  #forgetUnseen(): void {
    for (const [id, { kind }] of this.#ops) {
      if (kind !== "put" && kind !== "txn" && kind !== "delete") continue;
      if (this.#acks.has(id) || this.#seen.has(id)) continue;
      this.#ops.delete(id);
    }
    for (const deletes of this.#deletes.values()) {
      for (const id of deletes) if (!this.#ops.has(id)) deletes.delete(id);
    }
  }

  async #mustHaveLeases(store: Strata, state: State): Promise<void> {
    const ended = new Set<string>();
    for (const op of this.#ops.values()) if (op.kind === "revoke") ended.add(op.lease);
    const there = new Set((await store.lease.list()).map(String));
    for (const op of this.#ops.values()) {
      const acked = this.#acks.has(op.id);
      if (op.kind === "revoke" && acked && there.has(op.lease)) fail(`lease ${op.lease} is back`);
      if (op.kind !== "grant") continue;
      const lives = op.ttl > 60 && !ended.has(op.lease);
      if (acked && lives && !there.has(op.lease)) fail(`lease ${op.lease} is lost`);
      if (!there.has(op.lease)) continue;
      const status = await store.lease.timeToLive(BigInt(op.lease), { keys: true });
      if (status?.grantedTtl !== op.ttl) fail(`lease ${op.lease} has ${status?.grantedTtl} s`);
      const keys = status?.keys.map((key) => Buffer.from(key).toString()).sort() ?? [];
      const prefix = `${LEASED}${op.lease}/`;
      const held = [...state.keys()].filter((key) => key.startsWith(prefix)).sort();
      if (keys.join() !== held.join()) fail(`lease ${op.lease} has ${keys}, and not ${held}`);
    }
    for (const key of state.keys()) {
      const lease = key.startsWith(LEASED) ? key.split("/")[1] : undefined;
      if (lease !== undefined && !there.has(lease)) fail(`${key} has outlived its lease`);
    }
  }
}

function fail(what: string): never {
  throw new Error(what);
}

function show(changes: readonly KeyChange[]): string {
  return changes.map(({ key, value }) => `${key}=${value?.slice(0, 12) ?? "-"}`).join(" ");
}

function changesOf(op: StoreOp | undefined): readonly KeyChange[] {
  if (op?.kind === "txn") return op.changes;
  if (op?.kind === "put") return [op];
  if (op?.kind === "delete") return [{ key: op.key, value: undefined }];
  return [];
}

function sameChanges(a: readonly KeyChange[], b: readonly KeyChange[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ key, value }, i) => key === b[i]?.key && value === b[i]?.value)
  );
}

function apply(state: State, revision: number, changes: readonly KeyChange[]): void {
  for (const { key, value } of changes) {
    const old = state.get(key);
    if (value === undefined) state.delete(key);
    else {
      const { create, version } = old ?? { create: revision, version: 0 };
      state.set(key, { value, revision, create, version: version + 1 });
    }
  }
}

function heldOf(kv: KeyValue): Held {
  return {
    value: kv.value.string(),
    revision: Number(kv.modRevision),
    create: Number(kv.createRevision),
    version: Number(kv.version),
  };
}

async function stateAt(store: Strata, revision: number): Promise<State> {
  const state: State = new Map();
  for await (const kv of store.range({ prefix: "" }, { revision })) {
    state.set(kv.key.string(), heldOf(kv));
  }
  return state;
}

function mustBeSame(found: State, expected: State, when: string): void {
  if (found.size !== expected.size) fail(`${when}: ${found.size} keys, not ${expected.size}`);
  for (const [key, one] of expected) {
    const there = found.get(key);
    if (JSON.stringify(there) === JSON.stringify(one)) continue;
    fail(`${when}: ${key} is ${JSON.stringify(there)}, not ${JSON.stringify(one)}`);
  }
}

async function mustAnswerGets(store: Strata, state: State): Promise<void> {
  for (const [key, { value }] of state) {
    const found = (await store.get(key))?.value.string();
    if (found !== value) fail(`get ${key}: ${found?.slice(0, 20)}, not ${value.slice(0, 20)}`);
  }
  let count = 0;
  for (const prefix of ["k/", LEASED]) count += await store.count({ prefix });
  if (count !== state.size) fail(`${state.size} keys, counted as ${count} by their prefixes`);
}

/** Everything that a watch from a revision on tells, up to the current one. */
async function historyOf(
  store: Strata,
  from: number,
  current: number,
): Promise<Map<number, KeyChange[]>> {
  const events = new Map<number, KeyChange[]>();
  if (from > current) return events;
  for await (const batch of store.watch({ prefix: "" }, { startRevision: from })) {
    let last = 0;
    for (const { type, kv } of batch.events) {
      last = Number(kv.modRevision);
      const change = {
        key: kv.key.string(),
        value: type === "put" ? kv.value.string() : undefined,
      };
      const changes = events.get(last);
      if (changes === undefined) events.set(last, [change]);
      else changes.push(change);
    }
    if (last >= current) break;
  }
  return events;
}
