/** What is asked of a member, ours or a real etcd, and what it says: the same for both, so that they can take turns. */

export type Change =
  | {
      readonly kind: "put";
      readonly key: string;
      readonly value: string;
      /** In decimal, as all ids here; none: without a lease. */
      readonly lease?: string | undefined;
    }
  /** A key, or those from it up to `end`. */
  | { readonly kind: "delete"; readonly key: string; readonly end?: string | undefined };

export type Action =
  | Change
  | {
      readonly kind: "txn";
      /** Whether this key is there decides between the two. */
      readonly ifThere: string;
      readonly success: readonly Change[];
      readonly failure: readonly Change[];
    }
  | { readonly kind: "grant"; readonly id: string; readonly ttl: number }
  | { readonly kind: "revoke" | "keepAlive"; readonly id: string }
  | { readonly kind: "compact"; readonly revision: number }
  | { readonly kind: "raiseAlarm" | "disarm"; readonly member: string };

/**
 * `refused`: in etcd's words, and nothing has changed. `lost`: nobody knows whether it came about; the member has gone.
 */
export type Outcome =
  | {
      readonly kind: "done";
      /** Of the change, where the answer tells it, and whether there was one. */
      readonly revision?: number;
      readonly changed?: boolean;
    }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "lost" };

/** A key as it is, or as a put made it. */
export interface Row {
  readonly key: string;
  readonly value: string;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
  /** "0": none. */
  readonly lease: string;
}

export type HistoryEvent = Row | { readonly deleted: string };

export interface Revision {
  readonly main: number;
  readonly events: HistoryEvent[];
}

export interface LeaseState {
  readonly id: string;
  readonly ttl: number;
  readonly grantedTtl: number;
  /** In the order of their names. */
  readonly keys: readonly string[];
}

export interface State {
  readonly revision: number;
  /** -1: never. */
  readonly compacted: number;
  readonly member: string;
  readonly cluster: string;
  /** `<member> <type>` */
  readonly alarms: readonly string[];
  readonly rows: readonly Row[];
  readonly leases: readonly LeaseState[];
}

export interface HashKv {
  readonly hash: number;
  readonly revision: number;
  readonly compacted: number;
}

/** A member that runs. */
export interface RunningMember {
  readonly kind: "strata" | "etcd";
  /** Never rejects: a member that has gone has lost it. */
  act(action: Action): Promise<Outcome>;
  state(): Promise<State>;
  history(from: number): Promise<Revision[]>;
  /** @param revision  default: the current one */
  hash(revision?: number): Promise<HashKv>;
  /** Cleanly, or as a crash would. Requests that are under way are lost, or come back as they may. */
  end(how: "clean" | "kill"): Promise<void>;
}

/** Long work beside the load. */
export type Upkeep =
  | { readonly kind: "defragment" }
  | { readonly kind: "saveSnapshot"; readonly path: string }
  /** Answered when what it gives up is gone from the disk. */
  | { readonly kind: "compact"; readonly revision: number }
  /** Of the jobs that can be cancelled, one. */
  | { readonly kind: "cancel"; readonly nth: number };

export interface Maintained {
  readonly outcome: "done" | "refused" | "cancelled";
  readonly why: string;
}
