/**
 * A client of etcd, or of strata's server. What a program does with a store in its process (`Strata`), it does with this
 * just so; what only a cluster has comes besides.
 *
 *     await using client = new Client({ endpoints: "127.0.0.1:2379" });
 *     await client.put("greeting", "hello");
 *     const kv = await client.get("greeting");
 */
import { bytesOf, type Key, type Keys } from "../api/key-range.ts";
import type {
  DeleteResponse,
  HashKvResponse,
  PutResponse,
  RangeResponse,
  TxnResponse,
} from "../api/responses.ts";
import {
  type DeleteOptions,
  deleteRequest,
  type PutOptions,
  putRequest,
  type RangeOptions,
  rangeRequest,
  type Txn,
  txnRequest,
} from "../api/txn-builder.ts";
import type { KeyValue } from "../api/value.ts";
import type { Watch, WatchOptions } from "../api/watch.ts";
import { wholeNumber } from "../api/whole-number.ts";
import { EtcdError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import {
  encodeCompaction,
  encodeDeleteRange,
  encodePut,
  encodeRange,
  encodeTxn,
} from "../proto/kv-requests.ts";
import type { RangeRequest } from "../proto/messages.ts";
import { KV_METHODS } from "../proto/tables/kv.ts";
import { MAINTENANCE_METHODS } from "../proto/tables/maintenance.ts";
import { RemoteAlarms } from "./alarms.ts";
import { RemoteAuth } from "./auth/auth.ts";
import { RemoteRoles } from "./auth/roles.ts";
import { RemoteUsers } from "./auth/users.ts";
import { Calls, type EndpointOptions, LONG_LIVED, type RemoteOptions } from "./calls.ts";
import { type ClientOptions, transportOptions } from "./client-options.ts";
import { type ConcurrencyBase, NEVER } from "./concurrency/base.ts";
import { ElectionView } from "./concurrency/election.ts";
import { type HeldLock, type LockOptions, takeLock } from "./concurrency/held-lock.ts";
import { campaign, type Leadership } from "./concurrency/leadership.ts";
import {
  readDeleteResponse,
  readPutResponse,
  readRangeResponse,
  readTxnResponse,
} from "./kv/answers.ts";
import { KeepAlives } from "./lease/keep-alives.ts";
import { RemoteLeases } from "./lease/leases.ts";
import { RemoteDowngrade } from "./maintenance/downgrade.ts";
import {
  openSnapshot,
  type RemoteSnapshot,
  type SnapshotSettings,
} from "./maintenance/snapshot.ts";
import { type EndpointStatus, endpointStatus } from "./maintenance/status.ts";
import { RemoteStrata } from "./maintenance/strata.ts";
import { RemoteMembers } from "./members.ts";
import { type MirrorProgress, mirror } from "./mirror/mirror.ts";
import { Rpc } from "./rpc.ts";
import { Http2Transport } from "./transport/http2-transport.ts";
import { keyValueOf, watchKeys } from "./watch/keys-watch.ts";
import { Watches } from "./watch/watches.ts";

/** As the server does it; besides, `serializable`. */
export interface RemoteRangeOptions extends RangeOptions, RemoteOptions {
  /** As the member that is asked knows it, without asking the others: quicker, and perhaps out of date. */
  readonly serializable?: boolean | undefined;
}

export interface RemoteMirrorOptions {
  /** Of the keys that are copied. Default: all. */
  readonly prefix?: Key | undefined;
  /** That they have there in place of it. Default: the same. */
  readonly destPrefix?: Key | undefined;
  /** Changes from it on, and nothing of what was before. Default: what there is, and then every change. */
  readonly startRevision?: bigint | number | undefined;
  /** Of one transaction there. Default: as many as come together. */
  readonly maxTxnOps?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** After each step. */
  readonly onProgress?: ((progress: MirrorProgress) => void) | undefined;
}

/** Keys of one page of `range`. */
const PAGE_KEYS = 1000;

/**
 * Errors are `StrataError`s, to be told apart by `code`. What etcd answers is an `EtcdError`, with etcd's own text; any
 * other end of a call is an `RpcError`, with gRPC's status; DEADLINE: `timeoutMs` is over; CLOSED: the client is.
 *
 * Every call takes `{ signal, timeoutMs }`. An aborted call rejects with the signal's reason; a write that was under way
 * by then may still come about. A write whose connection breaks is not sent again, because nobody knows whether the
 * server has done it: it rejects with an error whose `grpcStatus` is 14 (Unavailable). Reads are sent again by
 * themselves.
 */
export class Client {
  readonly lease: RemoteLeases;
  readonly alarms: RemoteAlarms;
  readonly members: RemoteMembers;
  readonly auth: RemoteAuth;
  readonly users: RemoteUsers;
  readonly roles: RemoteRoles;
  readonly downgrade: RemoteDowngrade;
  /** What only strata's servers have. */
  readonly strata: RemoteStrata;
  readonly #calls: Calls;
  readonly #base: ConcurrencyBase;
  readonly #endpoints: readonly string[];
  #closed: Promise<void> | undefined;

  /** Connects when the first call needs it. @throws StrataError BAD_ARGUMENT for options that no client can be made of */
  constructor(options: ClientOptions) {
    const transport = transportOptions(options);
    this.#endpoints = transport.endpoints;
    const calls = new Calls(new Rpc(new Http2Transport(transport)), options.requestTimeoutMs);
    this.#calls = calls;
    const { rpc } = calls;
    const longLived = { settings: () => LONG_LIVED };
    const watches = new Watches(rpc, longLived);
    const keepAlives = new KeepAlives(rpc, longLived);
    this.#base = { rpc, watches, keepAlives };
    this.lease = new RemoteLeases(calls, keepAlives);
    this.alarms = new RemoteAlarms(calls);
    this.members = new RemoteMembers(calls);
    this.auth = new RemoteAuth(calls);
    this.users = new RemoteUsers(calls);
    this.roles = new RemoteRoles(calls);
    this.downgrade = new RemoteDowngrade(calls);
    this.strata = new RemoteStrata(calls);
  }

  /**
   * @param value  a string stands for its UTF-8 bytes
   * @throws (rejects) EtcdError EMPTY_KEY, LEASE_NOT_FOUND, KEY_NOT_FOUND (ignoreValue or ignoreLease of a missing key),
   *   VALUE_PROVIDED, LEASE_PROVIDED, REQUEST_TOO_LARGE, NO_SPACE, CORRUPT_CLUSTER
   */
  async put(key: Key, value: Key, options: PutOptions & RemoteOptions = {}): Promise<PutResponse> {
    const request = encodePut(putRequest(key, value, options));
    return readPutResponse(await this.#calls.unary(KV_METHODS.put.path, request, options));
  }

  /**
   * One key; undefined if it is not there.
   * @throws (rejects) EtcdError EMPTY_KEY, COMPACTED, FUTURE
   */
  async get(
    key: Key,
    options: Pick<RemoteRangeOptions, "revision" | "serializable"> & RemoteOptions = {},
  ): Promise<KeyValue | undefined> {
    const { revision } = options;
    const { kvs } = await this.#read(rangeRequest(key, { revision }), options);
    return kvs[0];
  }

  /**
   * All keys of a range, as they were at one revision: that asked for, or the current one when the iteration begins.
   * They are read a page at a time, as they are asked for.
   *
   * @param options  timeoutMs: for each page
   * @throws (rejects) EtcdError EMPTY_KEY, COMPACTED (also in the middle, if a compaction overtakes it), FUTURE
   */
  async *range(keys: Keys, options: RemoteRangeOptions = {}): AsyncGenerator<KeyValue, void> {
    const request = rangeRequest(keys, options);
    if (request.sortTarget !== 0 || request.sortOrder === 2) {
      yield* (await this.#read(request, options)).kvs;
      return;
    }
    let left = request.limit > 0 ? request.limit : Number.POSITIVE_INFINITY;
    let { key, revision } = request;
    while (left > 0) {
      const limit = Math.min(left, PAGE_KEYS);
      const page = await this.#read({ ...request, key, revision, limit }, options);
      if (revision === 0) revision = Number(page.revision);
      yield* page.kvs;
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return;
      left -= page.kvs.length;
      key = Buffer.concat([last.key, Buffer.alloc(1)]);
    }
  }

  /** The same at once, with what etcd's Range says besides. */
  async rangeAll(keys: Keys, options: RemoteRangeOptions = {}): Promise<RangeResponse> {
    return this.#read(rangeRequest(keys, options), options);
  }

  /** How many keys a range has. */
  async count(
    keys: Keys,
    options: Pick<RemoteRangeOptions, "revision" | "serializable"> & RemoteOptions = {},
  ): Promise<number> {
    const { revision } = options;
    return (await this.#read(rangeRequest(keys, { revision, countOnly: true }), options)).count;
  }

  /** Deletes a key, or every key of a range. @throws (rejects) EtcdError EMPTY_KEY, CORRUPT_CLUSTER */
  async delete(keys: Keys, options: DeleteOptions & RemoteOptions = {}): Promise<DeleteResponse> {
    const request = encodeDeleteRange(deleteRequest(keys, options));
    const { path } = KV_METHODS.deleteRange;
    return readDeleteResponse(await this.#calls.unary(path, request, options));
  }

  /**
   * @throws (rejects) EtcdError TOO_MANY_OPS, DUPLICATE_KEY, and what its operations throw; then nothing of it was done
   */
  async txn(txn: Txn, options: RemoteOptions = {}): Promise<TxnResponse> {
    const request = encodeTxn(txnRequest(txn));
    return readTxnResponse(await this.#calls.unary(KV_METHODS.txn.path, request, options));
  }

  /**
   * Gives up the history below a revision.
   * @param options  physical: resolve only when it is gone from the disk, and not when reads of it begin to fail
   * @throws (rejects) EtcdError COMPACTED (it was given up before), FUTURE; StrataError BAD_ARGUMENT for what is not whole
   */
  async compact(
    revision: bigint | number,
    options: { readonly physical?: boolean } & RemoteOptions = {},
  ): Promise<void> {
    const at = wholeNumber(revision, "revision");
    const physical = options.physical ?? false;
    const request = encodeCompaction({ kind: "compaction", revision: at, physical });
    await this.#calls.unary(KV_METHODS.compact.path, request, options);
  }

  /**
   * Every change of some keys, in order, none lost and none twice, from a revision on: first what has been, then what
   * comes. Connections may break and servers start again meanwhile: it goes on where it was. All watches of a client
   * share one stream. For whoever takes slowly, 4 MiB wait here and the rest on the server; if that is given up by then,
   * the iteration throws COMPACTED.
   *
   * It begins when the server has heard of it, see `created`.
   *
   * @throws EtcdError EMPTY_KEY, COMPACTED (in the iteration), PERMISSION_DENIED (likewise); StrataError BAD_ARGUMENT for
   *   a range that cannot have keys, CLOSED
   */
  watch(
    keys: Keys,
    options: WatchOptions & { readonly signal?: AbortSignal | undefined } = {},
  ): Watch {
    this.#calls.assertOpen();
    return watchKeys(this.#base.watches, keys, options);
  }

  /**
   * etcd's HashKV: a checksum of the keys and their history up to a revision, the same in every etcd that has the same.
   * @param revision  default: the current one
   * @throws (rejects) EtcdError COMPACTED, FUTURE
   */
  async hashKv(
    revision: bigint | number = 0,
    options: EndpointOptions = {},
  ): Promise<HashKvResponse> {
    const asked = BigInt(wholeNumber(revision, "revision"));
    const { hashKv } = MAINTENANCE_METHODS;
    const answer = await this.#calls.call(hashKv, { revision: asked }, options);
    const { hash, hashRevision, compactRevision, header } = answer;
    // etcd before 3.6 does not say of which revision it is.
    const of = hashRevision || asked || (header?.revision ?? 0n);
    return { hash, revision: of, compactRevision };
  }

  /** etcd's Hash: a checksum of the whole database, leases and members included. */
  async hash(options: EndpointOptions = {}): Promise<number> {
    return (await this.#calls.call(MAINTENANCE_METHODS.hash, {}, options)).hash;
  }

  /**
   * A snapshot, byte for byte what `etcdctl snapshot save` writes: the database as it is at the call, and a checksum,
   * which is verified. Whatever takes an AsyncIterable takes it, as slowly as it likes:
   *
   *     await pipeline(await client.snapshot(), createWriteStream("backup.db"));
   *
   * @param options  timeoutMs: for all of it. Default: none
   * @throws (rejects, and in the iteration) StrataError CORRUPT if it is not what its checksum says
   */
  async snapshot(options: SnapshotSettings = {}): Promise<RemoteSnapshot> {
    this.#calls.assertOpen();
    options.signal?.throwIfAborted();
    return this.#calls.truly(openSnapshot(this.#calls.rpc, options));
  }

  /** @param endpoint  default: any of the client's */
  async status(endpoint?: string, options: RemoteOptions = {}): Promise<EndpointStatus> {
    const { status } = MAINTENANCE_METHODS;
    return endpointStatus(await this.#calls.call(status, {}, { ...options, endpoint }));
  }

  /** The server gives free space back to the disk; it answers nothing else meanwhile. @param endpoint  default: any */
  async defragment(endpoint?: string, options: RemoteOptions = {}): Promise<void> {
    await this.#calls.call(MAINTENANCE_METHODS.defragment, {}, { ...options, endpoint });
  }

  /**
   * Has the cluster led by another member. Only the leader takes the call: it is looked for among the endpoints.
   * @throws (rejects) EtcdError BAD_LEADER_TRANSFEREE; NOT_LEADER if no endpoint is the leader's
   */
  async moveLeader(id: bigint, options: RemoteOptions = {}): Promise<void> {
    const endpoint = this.#endpoints.length > 1 ? await this.#leader(options) : undefined;
    const request = { targetId: id };
    await this.#calls.call(MAINTENANCE_METHODS.moveLeader, request, { ...options, endpoint });
  }

  /**
   * Waits until nobody else has the lock of this name, and takes it. All of etcd's clients lock so (`etcdctl lock`).
   *
   *     await using lock = await client.lock("nightly-report", { ttl: 10 });
   *     await client.txn({ compare: [lock.isHeld], success: [op.put("report", "…")] });
   */
  async lock(name: Key, options: LockOptions = {}): Promise<HeldLock> {
    this.#calls.assertOpen();
    const lock = await this.#calls.truly(takeLock(this.#base, name, options, true));
    invariant(lock !== undefined, "who waits for a lock gets it");
    return lock;
  }

  /** The lock of this name, if nobody else has it; else undefined. */
  async tryLock(name: Key, options: LockOptions = {}): Promise<HeldLock | undefined> {
    this.#calls.assertOpen();
    return this.#calls.truly(takeLock(this.#base, name, options, false));
  }

  /**
   * Stands for election, and waits until it is won. All of etcd's clients elect so (`etcdctl elect`).
   * @param value  what observers are told of the leader
   */
  async elect(name: Key, value: Key, options: LockOptions = {}): Promise<Leadership> {
    this.#calls.assertOpen();
    return this.#calls.truly(campaign(this.#base, name, value, options));
  }

  /** Who leads now: the leader's key, and the value that it tells; undefined if nobody does. */
  async leader(name: Key, options: RemoteOptions = {}): Promise<KeyValue | undefined> {
    const prefix = Buffer.concat([bytesOf(name), Buffer.from("/")]);
    const first = { limit: 1, sortBy: "create", order: "ascend" } as const;
    return (await this.rangeAll({ prefix }, { ...options, ...first })).kvs[0];
  }

  /**
   * Who leads, now and whenever that changes, or what the leader tells does. What changes quickly may be left out, but not
   * the last of it. It ends as a watch does.
   */
  async *observe(name: Key, options: RemoteOptions = {}): AsyncGenerator<KeyValue, void> {
    this.#calls.assertOpen();
    const view = new ElectionView(this.#base, name);
    try {
      for await (const { kvs } of view.observe({ signal: options.signal })) {
        for (const kv of kvs) yield keyValueOf(kv);
      }
    } catch (error) {
      if (!this.#calls.closed.aborted) throw error;
    }
  }

  /**
   * Copies keys to another cluster, and then every change of them, until the signal aborts; the promise resolves then.
   * It goes on through restarts of either side.
   * @throws (rejects) EtcdError COMPACTED if history that is needed was given up; what either side refuses
   */
  async mirror(destination: Client, options: RemoteMirrorOptions = {}): Promise<void> {
    const { prefix = "", destPrefix = prefix, startRevision = 0n, maxTxnOps = 0 } = options;
    const { signal = NEVER, onProgress } = options;
    this.#calls.assertOpen();
    destination.#calls.assertOpen();
    const copied = mirror(this.#calls.rpc, destination.#calls.rpc, {
      prefix: bytesOf(prefix),
      destPrefix: bytesOf(destPrefix),
      startRevision: BigInt(wholeNumber(startRevision, "startRevision")),
      maxTxnOps: wholeNumber(maxTxnOps, "maxTxnOps"),
      signal,
      onProgress,
    });
    await this.#calls.truly(destination.#calls.truly(copied));
  }

  /** Ends what is under way: calls reject with CLOSED, watches end, held leases are left to themselves. Twice is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    // The streams first: nothing is to be opened again that the end of the connection ends.
    const { watches, keepAlives } = this.#base;
    this.#calls.end();
    const streams = [watches.close(), keepAlives.close(this.#calls.closed.reason)];
    await this.#calls.rpc.transport.close();
    await Promise.all(streams);
  }

  async #read(
    request: RangeRequest,
    options: RemoteOptions & Pick<RemoteRangeOptions, "serializable">,
  ): Promise<RangeResponse> {
    const { serializable = false } = options;
    const bytes = encodeRange({ ...request, serializable });
    return readRangeResponse(await this.#calls.unary(KV_METHODS.range.path, bytes, options));
  }

  async #leader(options: RemoteOptions): Promise<string> {
    const asked = this.#endpoints.map(async (endpoint) => {
      const { memberId, leader } = await this.status(endpoint, options);
      if (memberId !== leader) throw new EtcdError("NOT_LEADER");
      return endpoint;
    });
    try {
      return await Promise.any(asked);
    } catch (error) {
      options.signal?.throwIfAborted();
      this.#calls.assertOpen();
      throw new EtcdError("NOT_LEADER", { cause: error });
    }
  }
}
