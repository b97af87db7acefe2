/**
 * The library as a client. Where its own calls cannot say what a request over the wire could (an enum that nobody knows,
 * an empty key with an end), the request goes to the member below it, as a server would send it.
 */
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { latin1 } from "../../src/base/bytes.ts";
import { EtcdError, StrataError } from "../../src/base/errors.ts";
import type { OpResponse, RangeOptions, Keys as StrataKeys } from "../../src/index.ts";
import {
  KeyValue,
  Strata,
  type StrataOptions,
  type StrataPlace,
  type Watch,
} from "../../src/index.ts";
import type * as proto from "../../src/proto/messages.ts";
import { AlarmAction, CompareTarget } from "../../src/proto/messages.ts";
import { ManualClock } from "../support/manual-clock.ts";
import {
  type AlarmMember,
  type ClientWatch,
  type Compare,
  type DeleteAnswer,
  type DeleteRequest,
  type EtcdClient,
  type Kv,
  type LeaseAnswer,
  type LeaseTtl,
  type Op,
  type OpAnswer,
  type PutAnswer,
  type PutRequest,
  type RangeAnswer,
  type RangeRequest,
  Refusal,
  type Running,
  type Status,
  type Subject,
  type SubjectOptions,
  type TxnAnswer,
  type TxnRequest,
  type WatchAnswer,
  type WatchRequest,
} from "./client.ts";

export class LibraryClient implements EtcdClient {
  readonly store: Strata;

  constructor(store: Strata) {
    this.store = store;
  }

  async range(request: RangeRequest): Promise<RangeAnswer> {
    return refusing(async () => {
      const options = rangeOptions(request);
      if (request.key === "" || options === undefined) {
        const { kvs, more, count } = this.store.member.range(rangeMessage(request));
        const { revision } = this.store.status();
        const all = kvs.map((record) => kvOf(new KeyValue(record)));
        return { revision: Number(revision), kvs: all, more, count };
      }
      const keys = keysOf(request);
      if (request.countOnly) {
        const count = await this.store.count(keys, { revision: request.revision ?? 0 });
        return { revision: Number(this.store.status().revision), kvs: [], more: false, count };
      }
      const { revision, kvs, more, count } = await this.store.rangeAll(keys, options);
      return { revision: Number(revision), kvs: kvs.map(kvOf), more, count };
    });
  }

  async put(request: PutRequest): Promise<PutAnswer> {
    return refusing(async () => {
      const { key, value = "", ...options } = request;
      const { revision, prevKv } = await this.store.put(bytes(key), bytes(value), options);
      return { revision: Number(revision), prevKv: prevKv && kvOf(prevKv) };
    });
  }

  async delete(request: DeleteRequest): Promise<DeleteAnswer> {
    return refusing(async () => {
      if (request.key === "") {
        await this.store.member.deleteRange(deleteMessage(request));
        throw new Error("an empty key was taken");
      }
      const answer = await this.store.delete(keysOf(request), { prevKv: request.prevKv });
      const { revision, deleted, prevKvs } = answer;
      return { revision: Number(revision), deleted, prevKvs: prevKvs.map(kvOf) };
    });
  }

  async txn(request: TxnRequest): Promise<TxnAnswer> {
    return refusing(async () => {
      const { compare, success, failure } = txnMessage(request);
      const answer = await this.store.txn({ compare, success, failure });
      const { revision, succeeded, responses } = answer;
      return { revision: Number(revision), succeeded, responses: responses.map(opAnswer) };
    });
  }

  async compact(revision: number, physical = false): Promise<void> {
    await refusing(() => this.store.compact(revision, { physical }));
  }

  async watch(request: WatchRequest): Promise<ClientWatch> {
    const { startRevision, noPut, noDelete, prevKv, progressNotify } = request;
    const options = { startRevision, noPut, noDelete, prevKv, progressNotify };
    // What a server makes of an empty key.
    const keys = keysOf({ ...request, key: request.key === "" ? "\0" : request.key });
    try {
      return new LibraryWatch(this.store.watch(keys, options));
    } catch (error) {
      if (!(error instanceof StrataError) || error.code !== "BAD_ARGUMENT") throw error;
      return new RefusedWatch(error.message);
    }
  }

  async leaseGrant(ttl: number, id = 0n): Promise<LeaseAnswer> {
    return refusing(() => this.store.lease.grant(ttl, { id }));
  }

  async leaseRevoke(id: bigint): Promise<void> {
    await refusing(() => this.store.lease.revoke(id));
  }

  async leaseKeepAlive(id: bigint): Promise<number> {
    try {
      return await this.store.lease.keepAlive(id);
    } catch (error) {
      if (error instanceof EtcdError && error.code === "LEASE_NOT_FOUND") return 0;
      throw error;
    }
  }

  async leaseTimeToLive(id: bigint, keys = false): Promise<LeaseTtl> {
    const found = await this.store.lease.timeToLive(id, { keys });
    if (found === undefined) return { ttl: -1, grantedTtl: 0, keys: [] };
    return {
      ttl: found.ttl,
      grantedTtl: found.grantedTtl,
      keys: found.keys.map((key) => latin1(key)).sort(),
    };
  }

  async leases(): Promise<readonly bigint[]> {
    return this.store.lease.list();
  }

  async alarms(alarm = 0): Promise<readonly AlarmMember[]> {
    return this.store.member.alarm(AlarmAction.get, 0n, alarm);
  }

  async alarm(
    action: "activate" | "deactivate",
    memberId: bigint,
    alarm: number,
  ): Promise<readonly AlarmMember[]> {
    return this.store.member.alarm(AlarmAction[action], memberId, alarm);
  }

  async status(): Promise<Status> {
    const { revision, memberId, sizeBytes, inUseBytes, raftIndex, raftTerm } = this.store.status();
    return {
      revision: Number(revision),
      memberId,
      leader: memberId,
      dbSize: sizeBytes,
      dbSizeInUse: inUseBytes,
      raftIndex,
      raftTerm,
    };
  }

  async close(): Promise<void> {
    await this.store.close();
  }
}

export class LibraryWatch implements ClientWatch {
  readonly #watch: Watch;
  #asked: Promise<WatchAnswer | undefined> | undefined;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  async next(waitMs: number): Promise<WatchAnswer | undefined> {
    this.#asked ??= this.#take();
    const answer = await within(this.#asked, waitMs);
    if (answer !== "late") this.#asked = undefined;
    return answer === "late" ? undefined : answer;
  }

  async cancel(): Promise<void> {
    await this.#watch.return?.();
  }

  async #take(): Promise<WatchAnswer | undefined> {
    try {
      const { value, done } = await this.#watch.next();
      if (done) return undefined;
      const revision = Number(value.revision);
      if (value.events.length === 0) return { kind: "progress", revision };
      const events = value.events.map(({ type, kv, prevKv }) => ({
        type,
        kv: kvOf(kv),
        prevKv: prevKv && kvOf(prevKv),
      }));
      return { kind: "events", revision, events };
    } catch (error) {
      const { compactRevision } = this.#watch;
      if (compactRevision === undefined) throw error;
      return { kind: "compacted", compactRevision: Number(compactRevision) };
    }
  }
}

export class RefusedWatch implements ClientWatch {
  #reason: string | undefined;

  constructor(reason: string) {
    this.#reason = reason;
  }

  async next(): Promise<WatchAnswer | undefined> {
    const reason = this.#reason;
    this.#reason = undefined;
    return reason === undefined ? undefined : { kind: "refused", reason };
  }

  async cancel(): Promise<void> {}
}

/** `"late"` if it is not there in time; 0: after everything that is ready has run. */
export async function within<T>(work: Promise<T>, waitMs: number): Promise<T | "late"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), waitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export async function refusing<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof EtcdError) throw new Refusal(error.grpcStatus, error.message);
    throw error;
  }
}

// -- between the two

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

export function kvOf(kv: KeyValue): Kv {
  return {
    key: latin1(kv.key),
    createRevision: Number(kv.createRevision),
    modRevision: Number(kv.modRevision),
    version: Number(kv.version),
    value: latin1(kv.value),
    lease: kv.lease,
  };
}

export function keysOf({ key, rangeEnd = "" }: { key: string; rangeEnd?: string }): StrataKeys {
  if (rangeEnd === "") return bytes(key);
  return rangeEnd === "\0" ? { start: bytes(key) } : { start: bytes(key), end: bytes(rangeEnd) };
}

const SORTS = ["key", "version", "create", "mod", "value"] as const;
const ORDERS = [undefined, "ascend", "descend"] as const;

/** Undefined if the library has no words for it. */
export function rangeOptions(request: RangeRequest): RangeOptions | undefined {
  const { sortOrder = 0, sortTarget = 0 } = request;
  const sortBy = SORTS[sortTarget];
  if (sortBy === undefined || sortOrder < 0 || sortOrder > 2) return undefined;
  const { revision, limit, keysOnly, minModRevision, maxModRevision } = request;
  const { minCreateRevision, maxCreateRevision } = request;
  return {
    ...{ revision, limit, keysOnly, minModRevision, maxModRevision },
    ...{ minCreateRevision, maxCreateRevision, sortBy, order: ORDERS[sortOrder] },
  };
}

function rangeMessage(request: RangeRequest): proto.RangeRequest {
  return {
    kind: "range",
    key: bytes(request.key),
    rangeEnd: bytes(request.rangeEnd ?? ""),
    limit: request.limit ?? 0,
    revision: request.revision ?? 0,
    sortOrder: request.sortOrder ?? 0,
    sortTarget: request.sortTarget ?? 0,
    serializable: request.serializable ?? false,
    keysOnly: request.keysOnly ?? false,
    countOnly: request.countOnly ?? false,
    minModRevision: request.minModRevision ?? 0,
    maxModRevision: request.maxModRevision ?? 0,
    minCreateRevision: request.minCreateRevision ?? 0,
    maxCreateRevision: request.maxCreateRevision ?? 0,
  };
}

function putMessage(request: PutRequest): proto.PutRequest {
  return {
    kind: "put",
    key: bytes(request.key),
    value: bytes(request.value ?? ""),
    lease: request.lease ?? 0n,
    prevKv: request.prevKv ?? false,
    ignoreValue: request.ignoreValue ?? false,
    ignoreLease: request.ignoreLease ?? false,
  };
}

function deleteMessage({
  key,
  rangeEnd = "",
  prevKv = false,
}: DeleteRequest): proto.DeleteRangeRequest {
  return { kind: "deleteRange", key: bytes(key), rangeEnd: bytes(rangeEnd), prevKv };
}

function opMessage(op: Op): proto.RequestOp {
  if ("range" in op) return rangeMessage(op.range);
  if ("put" in op) return putMessage(op.put);
  if ("delete" in op) return deleteMessage(op.delete);
  if ("txn" in op) return txnMessage(op.txn);
  return { kind: "none" };
}

export function txnMessage({
  compare = [],
  success = [],
  failure = [],
}: TxnRequest): proto.TxnRequest {
  return {
    kind: "txn",
    compare: compare.map(compareMessage),
    success: success.map(opMessage),
    failure: failure.map(opMessage),
  };
}

function compareMessage(compare: Compare): proto.Compare {
  const { key, rangeEnd = "", target, result } = compare;
  return {
    key: bytes(key),
    rangeEnd: bytes(rangeEnd),
    target,
    result,
    operand: operandOf(compare),
  };
}

function operandOf(compare: Compare): proto.Compare["operand"] {
  const { version, createRevision, modRevision, value, lease } = compare;
  if (version !== undefined) return { target: CompareTarget.version, number: version };
  if (createRevision !== undefined) return { target: CompareTarget.create, number: createRevision };
  if (modRevision !== undefined) return { target: CompareTarget.mod, number: modRevision };
  if (value !== undefined) return { target: CompareTarget.value, value: bytes(value) };
  if (lease !== undefined) return { target: CompareTarget.lease, lease };
  return undefined;
}

export function opAnswer(response: OpResponse): OpAnswer {
  switch (response.kind) {
    case "range": {
      const { revision, kvs, more, count } = response;
      return { range: { revision: Number(revision), kvs: kvs.map(kvOf), more, count } };
    }
    case "put": {
      const { revision, prevKv } = response;
      return { put: { revision: Number(revision), prevKv: prevKv && kvOf(prevKv) } };
    }
    case "delete": {
      const { revision, deleted, prevKvs } = response;
      return { delete: { revision: Number(revision), deleted, prevKvs: prevKvs.map(kvOf) } };
    }
    case "txn": {
      const { succeeded, responses } = response;
      return { txn: { succeeded, responses: responses.map(opAnswer) } };
    }
  }
}

// -- the subject

export interface LibraryPlace {
  readonly name: string;
  /** @returns where it is opened, and opened again */
  readonly place: () => StrataPlace;
}

/** A store on a manual clock, wherever it is; as etcd, it looks after itself only when told to. */
export function librarySubject(name: string, place: () => StrataPlace): Subject {
  return {
    name,
    rules: "newest",
    measures: true,
    quietMs: 30,
    async start(options: SubjectOptions = {}): Promise<Running> {
      const clock = new ManualClock(1_700_000_000_000);
      const { progressIntervalMs, ...rest } = options;
      const all: StrataOptions = {
        ...rest,
        clock,
        log: () => undefined,
        selfMaintain: false,
        ...(progressIntervalMs !== undefined && { watchProgressIntervalMs: progressIntervalMs }),
      };
      const at = place();
      let store = await Strata.open(at, all);
      return {
        client: new LibraryClient(store),
        pass: (ms) => clock.advance(ms),
        restart: async () => {
          await store.close();
          store = await Strata.open(at, all);
          return new LibraryClient(store);
        },
        stop: () => store.close(),
      };
    },
  };
}

export const memoryDisk = (): StrataPlace => ({ disk: new MemoryTree() });
