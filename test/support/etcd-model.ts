/**
 * An etcd of one member that cannot be wrong: every revision is a map of all keys, kept for ever. No index, no log, no
 * batches, nothing that is fast.
 *
 * It follows the newest etcd where versions differ.
 */
import {
  Alarm,
  type AlarmMember,
  type Compare,
  type DeleteAnswer,
  type DeleteRequest,
  FROM_KEY,
  type Kv,
  type LeaseTtl,
  type Op,
  type OpAnswer,
  type PutAnswer,
  type PutRequest,
  type RangeAnswer,
  type RangeRequest,
  Relation,
  SortOrder,
  SortTarget,
  Target,
  type TxnAnswer,
  type TxnRequest,
  type WatchEvent,
  type WatchRequest,
} from "../conformance/client.ts";
import { refusal } from "../conformance/errors.ts";

type Keys = ReadonlyMap<string, Kv>;

interface Lease {
  readonly ttl: number;
  expiryMs: number;
}

export interface ModelOptions {
  readonly maxTxnOps?: number;
  readonly minTtl?: number;
}

export class EtcdModel {
  /** By revision: all keys after it. The first has revision 1 and is empty. */
  readonly #states: Keys[] = [new Map(), new Map()];
  /** By revision: what it changed, in order. */
  readonly #events: WatchEvent[][] = [[], []];
  readonly #leases = new Map<bigint, Lease>();
  readonly #alarms: AlarmMember[] = [];
  readonly #maxTxnOps: number;
  readonly #minTtl: number;
  #nextLease = 1_000_000n;
  compacted = -1;
  nowMs = 0;

  constructor(options: ModelOptions = {}) {
    this.#maxTxnOps = options.maxTxnOps ?? 128;
    this.#minTtl = options.minTtl ?? 2;
  }

  get revision(): number {
    return this.#states.length - 1;
  }

  // -- key-value

  range(request: RangeRequest): RangeAnswer {
    checkRange(request);
    return rangeOf(this.#stateAt(request.revision ?? 0), request, this.revision);
  }

  put(request: PutRequest): PutAnswer {
    checkPut(request);
    this.#assertSpace([request]);
    return this.#write((write) => {
      this.#checkPutNow(request);
      return put(write, request);
    });
  }

  delete(request: DeleteRequest): DeleteAnswer {
    if (request.key === "") throw refusal("emptyKey");
    this.#assertNotCorrupt();
    return this.#write((write) => deleteRange(write, request));
  }

  txn(request: TxnRequest): TxnAnswer {
    checkTxn(request, this.#maxTxnOps);
    checkTwice(request.success ?? []);
    checkTwice(request.failure ?? []);
    const ops = [...(request.success ?? []), ...(request.failure ?? [])];
    const reads = ops.every((op) => "range" in op);
    if (!reads) this.#assertNotCorrupt();
    this.#assertSpace(putsIn(request));
    return this.#write((write) => {
      const taken = this.#take(request);
      this.#checkTaken(taken);
      const answer = run(write, taken);
      return { revision: write.revision, ...answer };
    });
  }

  compact(revision: number): void {
    this.#assertNotCorrupt();
    if (revision <= this.compacted) throw refusal("compacted");
    if (revision > this.revision) throw refusal("future");
    this.compacted = revision;
  }

  // -- leases

  leaseGrant(ttl: number, id = 0n): { readonly id: bigint; readonly ttl: number } {
    if (ttl > 9_000_000_000) throw refusal("ttlTooLarge");
    this.#assertNotCorrupt();
    if (this.#has(Alarm.noSpace)) throw refusal("noSpace");
    if (this.#leases.has(id)) throw refusal("leaseExists");
    const chosen = id === 0n ? this.#nextLease++ : id;
    const granted = Math.max(ttl, this.#minTtl);
    this.#leases.set(chosen, { ttl: granted, expiryMs: this.nowMs + granted * 1000 });
    return { id: chosen, ttl: granted };
  }

  leaseRevoke(id: bigint): void {
    this.#assertNotCorrupt();
    if (!this.#leases.delete(id)) throw refusal("leaseNotFound");
    this.#write((write) => {
      for (const key of this.#keysOf(id)) remove(write, key);
      return { revision: write.revision };
    });
  }

  leaseKeepAlive(id: bigint): number {
    const lease = this.#leases.get(id);
    if (lease === undefined) return 0;
    lease.expiryMs = this.nowMs + lease.ttl * 1000;
    return lease.ttl;
  }

  leaseTimeToLive(id: bigint, keys: boolean): LeaseTtl {
    const lease = this.#leases.get(id);
    if (lease === undefined) return { ttl: -1, grantedTtl: 0, keys: [] };
    const ttl = Math.trunc((lease.expiryMs - this.nowMs) / 1000);
    return { ttl, grantedTtl: lease.ttl, keys: keys ? this.#keysOf(id) : [] };
  }

  leases(): bigint[] {
    const all = [...this.#leases].sort(([, a], [, b]) => a.expiryMs - b.expiryMs);
    return all.map(([id]) => id);
  }

  /** Leases that are over by now, soonest first. */
  due(): bigint[] {
    return this.leases().filter((id) => (this.#leases.get(id) as Lease).expiryMs <= this.nowMs);
  }

  /** They go, each with its keys in a revision of its own. */
  expire(): void {
    for (const id of this.due()) this.leaseRevoke(id);
  }

  /** On the model's clock; undefined if there is no such lease. */
  expiryOf(id: bigint): number | undefined {
    return this.#leases.get(id)?.expiryMs;
  }

  /** A restart may lengthen a lease. */
  setExpiry(id: bigint, expiryMs: number): void {
    (this.#leases.get(id) as Lease).expiryMs = expiryMs;
  }

  // -- alarms

  alarms(alarm: number = Alarm.none): AlarmMember[] {
    return this.#alarms.filter((one) => alarm === Alarm.none || one.alarm === alarm);
  }

  alarm(action: "activate" | "deactivate", memberId: bigint, alarm: number): AlarmMember[] {
    const at = this.#alarms.findIndex((one) => one.memberId === memberId && one.alarm === alarm);
    if (action === "deactivate") return at < 0 ? [] : this.#alarms.splice(at, 1);
    if (alarm === Alarm.none) return [];
    if (at < 0) this.#alarms.push({ memberId, alarm });
    return [{ memberId, alarm }];
  }

  // -- watches

  /** What a watch from `from` on has to see of one revision. */
  eventsOf(revision: number, request: WatchRequest): WatchEvent[] {
    const { key, rangeEnd = "", noPut = false, noDelete = false, prevKv = false } = request;
    return (this.#events[revision] ?? [])
      .filter((event) => inRange(event.kv.key, key === "" ? "\0" : key, rangeEnd))
      .filter(({ type }) => (type === "put" ? !noPut : !noDelete))
      .map((event) => (prevKv ? event : { ...event, prevKv: undefined }));
  }

  // -- inside

  #stateAt(revision: number): Keys {
    if (revision > this.revision) throw refusal("future");
    const at = revision <= 0 ? this.revision : revision;
    if (at < this.compacted) throw refusal("compacted");
    return this.#states[at] as Keys;
  }

  #now(): Keys {
    return this.#states[this.revision] as Keys;
  }

  #write<T>(work: (write: Write) => T): T {
    const before = this.#now();
    const write = new Write(before, this.revision + 1, (revision) => this.#stateAt(revision));
    const answer = work(write);
    if (write.changed.length > 0) {
      this.#states.push(write.keys);
      // Of a key that one revision changed more than once, watches see the last.
      const last = new Map(write.changed.map((event) => [event.kv.key, event]));
      const events = write.changed.filter((event) => last.get(event.kv.key) === event);
      this.#events.push(events.map((event) => ({ ...event, prevKv: before.get(event.kv.key) })));
    }
    return answer;
  }

  #keysOf(lease: bigint): string[] {
    const kvs = [...this.#now().values()].filter((kv) => kv.lease === lease);
    return kvs.map(({ key }) => key).sort();
  }

  #checkPutNow({ key, lease = 0n, ignoreValue = false, ignoreLease = false }: PutRequest): void {
    if (lease !== 0n && !this.#leases.has(lease)) throw refusal("leaseNotFound");
    if ((ignoreValue || ignoreLease) && !this.#now().has(key)) throw refusal("keyNotFound");
  }

  /** Which operations run is decided by the state before all of them, inside as well. */
  #take(request: TxnRequest): Taken {
    const succeeded = (request.compare ?? []).every((compare) => holds(this.#now(), compare));
    const ops = (succeeded ? request.success : request.failure) ?? [];
    return {
      succeeded,
      ops: ops.map((op) => ("txn" in op ? { taken: this.#take(op.txn) } : op)),
    };
  }

  #checkTaken({ ops }: Taken): void {
    for (const op of ops) {
      if ("taken" in op) this.#checkTaken(op.taken);
      else if ("put" in op) this.#checkPutNow(op.put);
      else if ("range" in op) this.#stateAt(op.range.revision ?? 0);
    }
  }

  #has(alarm: number): boolean {
    return this.#alarms.some((one) => one.alarm === alarm);
  }

  #assertNotCorrupt(): void {
    if (this.#has(Alarm.corrupt)) throw refusal("corrupt");
  }

  /** @param puts  that might be done */
  #assertSpace(puts: readonly PutRequest[]): void {
    if (puts.length === 0) return;
    this.#assertNotCorrupt();
    if (this.#has(Alarm.noSpace)) throw refusal("noSpace");
  }
}

/** A transaction under way. */
class Write {
  readonly keys: Map<string, Kv>;
  readonly main: number;
  readonly stateAt: (revision: number) => Keys;
  readonly changed: WatchEvent[] = [];

  constructor(before: Keys, main: number, stateAt: (revision: number) => Keys) {
    this.keys = new Map(before);
    this.main = main;
    this.stateAt = stateAt;
  }

  get revision(): number {
    return this.changed.length > 0 ? this.main : this.main - 1;
  }
}

/** The branch of a transaction that runs. */
interface Taken {
  readonly succeeded: boolean;
  readonly ops: readonly (Exclude<Op, { txn: TxnRequest }> | { readonly taken: Taken })[];
}

function run(write: Write, { succeeded, ops }: Taken): Omit<TxnAnswer, "revision"> {
  const responses: OpAnswer[] = [];
  for (const op of ops) {
    if ("taken" in op) responses.push({ txn: run(write, op.taken) });
    else if ("put" in op) responses.push({ put: put(write, op.put) });
    else if ("delete" in op) responses.push({ delete: deleteRange(write, op.delete) });
    else if ("range" in op) {
      const { revision = 0 } = op.range;
      const keys = revision > 0 ? write.stateAt(revision) : write.keys;
      responses.push({ range: rangeOf(keys, op.range, write.revision) });
    }
  }
  return { succeeded, responses };
}

function put(write: Write, request: PutRequest): PutAnswer {
  const { key, ignoreValue = false, ignoreLease = false, prevKv = false } = request;
  const old = write.keys.get(key);
  const kv: Kv = {
    key,
    createRevision: old?.createRevision ?? write.main,
    modRevision: write.main,
    version: (old?.version ?? 0) + 1,
    value: ignoreValue && old !== undefined ? old.value : (request.value ?? ""),
    lease: ignoreLease && old !== undefined ? old.lease : (request.lease ?? 0n),
  };
  write.keys.set(key, kv);
  write.changed.push({ type: "put", kv, prevKv: undefined });
  return { revision: write.revision, prevKv: prevKv ? old : undefined };
}

function deleteRange(write: Write, request: DeleteRequest): DeleteAnswer {
  const gone = select(write.keys, request.key, request.rangeEnd ?? "");
  for (const { key } of gone) remove(write, key);
  const prevKvs = request.prevKv ? gone : [];
  return { revision: write.revision, deleted: gone.length, prevKvs };
}

function remove(write: Write, key: string): void {
  write.keys.delete(key);
  const kv = { key, createRevision: 0, modRevision: write.main, version: 0, value: "", lease: 0n };
  write.changed.push({ type: "delete", kv, prevKv: undefined });
}

function rangeOf(keys: Keys, request: RangeRequest, revision: number): RangeAnswer {
  const { key, rangeEnd = "", limit = 0, sortOrder = 0, sortTarget = 0 } = request;
  const all = select(keys, key, rangeEnd);
  const count = all.length;
  if (request.countOnly) return { revision, kvs: [], more: false, count };
  const between = (rev: number, min = 0, max = 0): boolean =>
    (min === 0 || rev >= min) && (max === 0 || rev <= max);
  const wanted = all
    .filter((kv) => between(kv.modRevision, request.minModRevision, request.maxModRevision))
    .filter((kv) =>
      between(kv.createRevision, request.minCreateRevision, request.maxCreateRevision),
    );
  const sign = sortOrder === SortOrder.descend ? -1 : 1;
  // etcd leaves the order of ties open; here it is that of the keys.
  if (sortTarget === SortTarget.key) wanted.sort((a, b) => sign * compareText(a.key, b.key));
  else wanted.sort((a, b) => sign * byTarget(sortTarget, a, b));
  const kvs = limit > 0 ? wanted.slice(0, limit) : wanted;
  return {
    revision,
    kvs: kvs.map((kv) => (request.keysOnly ? { ...kv, value: "" } : kv)),
    more: kvs.length < wanted.length,
    count,
  };
}

function byTarget(target: number, a: Kv, b: Kv): number {
  if (target === SortTarget.version) return a.version - b.version;
  if (target === SortTarget.create) return a.createRevision - b.createRevision;
  if (target === SortTarget.mod) return a.modRevision - b.modRevision;
  if (target === SortTarget.value) return compareText(a.value, b.value);
  return 0;
}

/** Of one character a byte, so this is the order of their bytes. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function select(keys: Keys, key: string, rangeEnd: string): Kv[] {
  const found = [...keys.values()].filter((kv) => inRange(kv.key, key, rangeEnd));
  return found.sort((a, b) => compareText(a.key, b.key));
}

export function inRange(key: string, start: string, end: string): boolean {
  if (end === "") return key === start;
  return key >= start && (end === FROM_KEY || key < end);
}

/** A range without a key counts as one key that is missing. */
function holds(keys: Keys, compare: Compare): boolean {
  const found = select(keys, compare.key, compare.rangeEnd ?? "");
  if (found.length > 0) return found.every((kv) => fits(compare, kv));
  if (compare.target === Target.value) return false;
  const none = { key: "", createRevision: 0, modRevision: 0, version: 0, value: "", lease: 0n };
  return fits(compare, none);
}

function fits(compare: Compare, kv: Kv): boolean {
  const order = orderOf(compare, kv);
  if (compare.result === Relation.equal) return order === 0;
  if (compare.result === Relation.notEqual) return order !== 0;
  return compare.result === Relation.greater ? order > 0 : order < 0;
}

function orderOf(compare: Compare, kv: Kv): number {
  switch (compare.target) {
    case Target.version:
      return kv.version - (compare.version ?? 0);
    case Target.create:
      return kv.createRevision - (compare.createRevision ?? 0);
    case Target.mod:
      return kv.modRevision - (compare.modRevision ?? 0);
    case Target.value:
      return compareText(kv.value, compare.value ?? "");
    default: {
      const wanted = compare.lease ?? 0n;
      return kv.lease < wanted ? -1 : kv.lease > wanted ? 1 : 0;
    }
  }
}

// -- what is wrong with a request by itself

function checkRange({ key, sortOrder = 0, sortTarget = 0 }: RangeRequest): void {
  if (key === "") throw refusal("emptyKey");
  if (![0, 1, 2].includes(sortOrder) || ![0, 1, 2, 3, 4].includes(sortTarget)) {
    throw refusal("sortOption");
  }
}

function checkPut(request: PutRequest): void {
  if (request.key === "") throw refusal("emptyKey");
  if (request.ignoreValue && (request.value ?? "") !== "") throw refusal("valueProvided");
  if (request.ignoreLease && (request.lease ?? 0n) !== 0n) throw refusal("leaseProvided");
}

function checkTxn({ compare = [], success = [], failure = [] }: TxnRequest, max: number): void {
  const ops = Math.max(compare.length, success.length, failure.length);
  if (ops > max) throw refusal("tooManyOps");
  if (compare.some(({ key }) => key === "")) throw refusal("emptyKey");
  for (const op of [...success, ...failure]) {
    if ("range" in op) checkRange(op.range);
    else if ("put" in op) checkPut(op.put);
    else if ("delete" in op) {
      if (op.delete.key === "") throw refusal("emptyKey");
    } else if ("txn" in op) checkTxn(op.txn, max - ops);
    else throw refusal("keyNotFound");
  }
}

interface Touched {
  readonly puts: readonly string[];
  readonly deletes: readonly DeleteRequest[];
}

/**
 * A key that is put must not be put again, nor deleted, by what may run together. A delete inside a transaction inside
 * counts for the transactions after it and for the puts beside it, but not for that transaction itself.
 */
function checkTwice(ops: readonly Op[]): Touched {
  const puts: string[] = [];
  const deletes = ops.flatMap((op) => ("delete" in op ? [op.delete] : []));
  const add = (key: string, others: readonly string[]): void => {
    // For this an end of "\0" is not the end of all keys, but before all of them.
    const isDeleted = deletes.some(({ key: start, rangeEnd: end = "" }) =>
      end === "" ? key === start : key >= start && key < end,
    );
    if (isDeleted || others.includes(key)) throw refusal("duplicateKey");
    puts.push(key);
  };
  for (const op of ops) {
    if (!("txn" in op)) continue;
    const branches = [op.txn.success ?? [], op.txn.failure ?? []].map(checkTwice);
    // Only one of the two runs.
    const before = [...puts];
    for (const branch of branches) for (const key of branch.puts) add(key, before);
    for (const branch of branches) deletes.push(...branch.deletes);
  }
  for (const op of ops) if ("put" in op) add(op.put.key, puts);
  return { puts, deletes };
}

/** Those that the alarm for want of space is about. */
function putsIn({ success = [], failure = [] }: TxnRequest): PutRequest[] {
  return [...success, ...failure].flatMap((op) => {
    if ("put" in op) return [op.put];
    return "txn" in op ? putsIn(op.txn) : [];
  });
}
