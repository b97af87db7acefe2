/**
 * What a log entry does to the store, its leases, alarms and members. The only writer of all of them: it runs when the
 * entry is on the disk, and again, from the same bytes, when a start replays the log.
 *
 * @see etcd server/etcdserver/apply
 */
import type { AlarmMember } from "../alarm/alarm-record.ts";
import type { AlarmStore } from "../alarm/alarm-store.ts";
import type { Backend } from "../backend/backend.ts";
import { costOf } from "../backend/quota.ts";
import { EtcdError } from "../base/errors.ts";
import type { Lessor } from "../lease/lessor.ts";
import {
  type Cluster,
  confStateRow,
  type Applied as MembershipChange,
  type RowChange,
} from "../membership/cluster.ts";
import type { Store } from "../mvcc/store.ts";
import {
  applyDeleteRange,
  applyPut,
  applyTxn,
  type DeleteRangeResult,
  type PutResult,
  type TxnResult,
} from "../mvcc/txn.ts";
import type { AlarmRequest, LeaseGrantRequest, Request } from "../proto/messages.ts";
import type { V2Put } from "../proto/v2-request.ts";
import type { ConfChange } from "../wal/conf-change.ts";

/** What a request is answered with, by its kind. */
export interface Answers {
  readonly put: PutResult;
  readonly deleteRange: DeleteRangeResult;
  readonly txn: TxnResult;
  /** The revision that everything below is given up of. */
  readonly compaction: number;
  /** The TTL granted, in seconds. */
  readonly leaseGrant: number;
  readonly leaseRevoke: undefined;
  readonly leaseCheckpoint: undefined;
  readonly alarm: readonly AlarmMember[];
}

export type RequestOf<K extends keyof Answers> = Request & { readonly kind: K };

export interface ApplierParts {
  readonly backend: Backend;
  readonly store: Store;
  readonly lessor: Lessor;
  readonly alarms: AlarmStore;
  readonly cluster: Cluster;
}

export interface ApplierHost {
  /** A compaction was scheduled. */
  compacting(revision: number): void;
  /**
   * Whether a request of that cost fits the quota. It decides what is answered and nothing else: a replay of the log
   * comes to the same whatever the quota is by then.
   */
  fits(cost: number): boolean;
  /** A request did not fit. */
  outOfSpace(cost: number): void;
}

export class Applier {
  readonly #parts: ApplierParts;
  readonly #host: ApplierHost;

  constructor(parts: ApplierParts, host: ApplierHost) {
    this.#parts = parts;
    this.#host = host;
  }

  /**
   * @throws EtcdError what the request is answered with instead; then it has changed nothing, but for a write beyond
   *   the quota, which has
   */
  apply<K extends keyof Answers>(request: RequestOf<K>): Answers[K];
  apply(request: Request): Answers[keyof Answers] {
    const forbidden = this.#parts.alarms.forbids(request);
    if (forbidden !== undefined) throw forbidden;
    const cost = costOf(request);
    if (cost === 0) return this.#run(request);
    const fits = this.#host.fits(cost);
    const answer = this.#run(request);
    if (fits) return answer;
    this.#host.outOfSpace(cost);
    throw new EtcdError("NO_SPACE");
  }

  /**
   * A request of any kind, as the log has it.
   * @param isNew  false: its effects are in the page file, and only who the members are is taken from it
   */
  replay(request: Request, isNew: boolean): void {
    const { cluster } = this.#parts;
    try {
      if (request.kind === "clusterVersionSet") {
        this.#rows(cluster.setVersion(request.version), isNew);
      } else if (request.kind === "clusterMemberAttrSet") {
        const { memberId, name, clientUrls } = request;
        this.#rows(cluster.setAttributes(memberId, { name, clientUrls }), isNew);
      } else if (isNew && isAnswered(request)) this.apply(request);
    } catch (error) {
      // It was refused when it was first applied, too.
      if (!(error instanceof EtcdError)) throw error;
    }
  }

  /** @param isNew  as for `replay`, and so below */
  applyConfChange(change: ConfChange, isNew = true): MembershipChange {
    const applied = this.#parts.cluster.applyConfChange(change);
    if (applied.kind === "changed") this.#rows(applied.rows, isNew);
    return applied;
  }

  applyV2Put(put: V2Put, isNew = true): void {
    this.#rows(this.#parts.cluster.applyV2Put(put) ?? [], isNew);
  }

  /** Every row about the members, whatever the page file has of them: what another version may have left out. */
  putClusterRows(): void {
    const { cluster } = this.#parts;
    this.#rows([...cluster.rows(), confStateRow(cluster.confState())], true);
  }

  #run(request: Request): Answers[keyof Answers] {
    const { store, lessor, alarms, backend } = this.#parts;
    switch (request.kind) {
      case "put":
        return applyPut(store, (id) => lessor.has(id), request);
      case "deleteRange":
        return applyDeleteRange(store, request);
      case "txn":
        return applyTxn(store, (id) => lessor.has(id), request);
      case "compaction":
        store.scheduleCompaction(request.revision);
        this.#host.compacting(request.revision);
        return request.revision;
      case "leaseGrant":
        return this.#grant(request);
      case "leaseRevoke":
        this.#revoke(request.id);
        return undefined;
      case "leaseCheckpoint":
        lessor.applyCheckpoint(request.checkpoints, backend);
        return undefined;
      case "alarm":
        return alarms.apply(request satisfies AlarmRequest, backend);
      default:
        return undefined;
    }
  }

  #grant(request: LeaseGrantRequest): number {
    return this.#parts.lessor.applyGrant(request, this.#parts.backend);
  }

  /** Its keys go in one transaction, in the order of their names. */
  #revoke(id: bigint): void {
    const { lessor, store, backend } = this.#parts;
    const keys = lessor.applyRevoke(id, backend);
    if (keys.length === 0) return;
    const write = store.write();
    for (const key of keys) write.delete(key);
    write.end();
  }

  #rows(rows: readonly RowChange[], isNew: boolean): void {
    if (!isNew) return;
    const { backend } = this.#parts;
    for (const { bucket, key, value } of rows) {
      if (value === undefined) backend.deleteRow(bucket, key);
      else backend.putRow(bucket, key, value);
    }
  }
}

const ANSWERED: ReadonlySet<string> = new Set<keyof Answers>([
  "put",
  "deleteRange",
  "txn",
  "compaction",
  "leaseGrant",
  "leaseRevoke",
  "leaseCheckpoint",
  "alarm",
]);

function isAnswered(request: Request): request is Request & { readonly kind: keyof Answers } {
  return ANSWERED.has(request.kind);
}
