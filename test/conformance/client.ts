/**
 * What the conformance suites speak to: etcd's requests and answers as plain data, in etcd's words. An adapter for each
 * thing that is to behave like etcd: the library, the model, a real etcd by its JSON gateway.
 *
 * Keys and values are strings of one character a byte, so that an answer can be compared as it is.
 */
export const SortOrder = { none: 0, ascend: 1, descend: 2 } as const;
export const SortTarget = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const;
export const Relation = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const;
export const Target = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const;
export const Alarm = { none: 0, noSpace: 1, corrupt: 2 } as const;

/** As a range's end: every key from `key` on. */
export const FROM_KEY = "\0";

export interface Kv {
  readonly key: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: string;
  readonly lease: bigint;
}

export interface RangeRequest {
  readonly key: string;
  /** Default "": the key alone. */
  readonly rangeEnd?: string;
  readonly limit?: number;
  readonly revision?: number;
  readonly sortOrder?: number;
  readonly sortTarget?: number;
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}

export interface RangeAnswer {
  /** The header's, as in all answers. */
  readonly revision: number;
  readonly kvs: readonly Kv[];
  readonly more: boolean;
  readonly count: number;
}

export interface PutRequest {
  readonly key: string;
  readonly value?: string;
  readonly lease?: bigint;
  readonly prevKv?: boolean;
  readonly ignoreValue?: boolean;
  readonly ignoreLease?: boolean;
}

export interface PutAnswer {
  readonly revision: number;
  readonly prevKv: Kv | undefined;
}

export interface DeleteRequest {
  readonly key: string;
  readonly rangeEnd?: string;
  readonly prevKv?: boolean;
}

export interface DeleteAnswer {
  readonly revision: number;
  readonly deleted: number;
  readonly prevKvs: readonly Kv[];
}

/** Of the last five at most one: the operand, which need not be the target's. */
export interface Compare {
  readonly key: string;
  readonly rangeEnd?: string;
  readonly target: number;
  readonly result: number;
  readonly version?: number;
  readonly createRevision?: number;
  readonly modRevision?: number;
  readonly value?: string;
  readonly lease?: bigint;
}

/** `none`: an operation with nothing set. */
export type Op =
  | { readonly range: RangeRequest }
  | { readonly put: PutRequest }
  | { readonly delete: DeleteRequest }
  | { readonly txn: TxnRequest }
  | { readonly none: true };

export interface TxnRequest {
  readonly compare?: readonly Compare[];
  readonly success?: readonly Op[];
  readonly failure?: readonly Op[];
}

export interface TxnAnswer {
  readonly revision: number;
  readonly succeeded: boolean;
  readonly responses: readonly OpAnswer[];
}

/** A transaction inside has no revision in its header. */
export type OpAnswer =
  | { readonly range: RangeAnswer }
  | { readonly put: PutAnswer }
  | { readonly delete: DeleteAnswer }
  | { readonly txn: Omit<TxnAnswer, "revision"> };

export interface WatchRequest {
  readonly key: string;
  readonly rangeEnd?: string;
  /** Default 0: what comes from now on. */
  readonly startRevision?: number;
  readonly noPut?: boolean;
  readonly noDelete?: boolean;
  readonly prevKv?: boolean;
  readonly progressNotify?: boolean;
}

export interface WatchEvent {
  readonly type: "put" | "delete";
  /** Of a delete, only key and modRevision; the others are 0 and empty. */
  readonly kv: Kv;
  readonly prevKv: Kv | undefined;
}

export type WatchAnswer =
  | { readonly kind: "events"; readonly revision: number; readonly events: readonly WatchEvent[] }
  | { readonly kind: "progress"; readonly revision: number }
  | { readonly kind: "compacted"; readonly compactRevision: number }
  /** It never began. */
  | { readonly kind: "refused"; readonly reason: string };

/** One watch on a stream of its own. */
export interface ClientWatch {
  /** The next answer after `created`; undefined if none comes within `waitMs`. */
  next(waitMs: number): Promise<WatchAnswer | undefined>;
  cancel(): Promise<void>;
}

export interface LeaseAnswer {
  readonly id: bigint;
  readonly ttl: number;
}

export interface LeaseTtl {
  /** -1: there is no such lease. */
  readonly ttl: number;
  readonly grantedTtl: number;
  /** Sorted. */
  readonly keys: readonly string[];
}

export interface AlarmMember {
  readonly memberId: bigint;
  readonly alarm: number;
}

export interface Status {
  readonly revision: number;
  readonly memberId: bigint;
  readonly dbSize: number;
  readonly dbSizeInUse: number;
  readonly leader: bigint;
  readonly raftIndex: number;
  readonly raftTerm: number;
}

/** Every call rejects with a `Refusal` for what etcd answers with an error. */
export interface EtcdClient {
  range(request: RangeRequest): Promise<RangeAnswer>;
  put(request: PutRequest): Promise<PutAnswer>;
  delete(request: DeleteRequest): Promise<DeleteAnswer>;
  txn(request: TxnRequest): Promise<TxnAnswer>;
  compact(revision: number, physical?: boolean): Promise<void>;
  watch(request: WatchRequest): Promise<ClientWatch>;
  leaseGrant(ttl: number, id?: bigint): Promise<LeaseAnswer>;
  leaseRevoke(id: bigint): Promise<void>;
  /** @returns the TTL, 0 if there is no such lease */
  leaseKeepAlive(id: bigint): Promise<number>;
  leaseTimeToLive(id: bigint, keys?: boolean): Promise<LeaseTtl>;
  leases(): Promise<readonly bigint[]>;
  alarms(alarm?: number): Promise<readonly AlarmMember[]>;
  alarm(
    action: "activate" | "deactivate",
    memberId: bigint,
    alarm: number,
  ): Promise<readonly AlarmMember[]>;
  status(): Promise<Status>;
  close(): Promise<void>;
}

/** An error that etcd answers with: its gRPC code, and its text to the letter. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
  readonly grpcCode: number;

  constructor(grpcCode: number, text: string) {
    super(text);
    this.grpcCode = grpcCode;
  }
}

/** What a suite asks of an adapter's surroundings. */
export interface Subject {
  readonly name: string;
  /** Whose rules it follows where they differ: those of 3.4.23, or the newest. */
  readonly rules: "3.4" | "newest";
  /** How long nothing must come for "nothing comes" to be believed. */
  readonly quietMs: number;
  start(options?: SubjectOptions): Promise<Running>;
}

export interface SubjectOptions {
  readonly quotaBytes?: number;
  readonly maxTxnOps?: number;
  readonly maxRequestBytes?: number;
  readonly progressIntervalMs?: number;
}

export interface Running {
  readonly client: EtcdClient;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Stops it and starts it again on the same data; undefined if it has none. The client is another one then. */
  readonly restart: (() => Promise<EtcdClient>) | undefined;
  stop(): Promise<void>;
}
