/**
 * Who belongs to the cluster, as the log says it: entry by entry, each with the rows that it changes in the page file.
 *
 * The rows are etcd's own, and for etcd 3.5.0 and from 3.6 on the authority; for the others the v2 store of the last
 * `.snap` file and the log behind it are (see v2-store.ts).
 *
 * @see etcd server/etcdserver/api/membership/cluster.go
 */
import {
  CLUSTER,
  CLUSTER_VERSION,
  CONF_STATE,
  DOWNGRADE,
  MEMBERS,
  MEMBERS_REMOVED,
  META,
} from "../backend/buckets.ts";
import { utf8 } from "../base/bytes.ts";
import { StrataError } from "../base/errors.ts";
import { goJson, parseObject, stringsOf } from "../base/go-json.ts";
import type { V2Put } from "../proto/v2-request.ts";
import {
  type ConfChange,
  ConfChangeType,
  decodeMemberContext,
  type MemberContext,
} from "../wal/conf-change.ts";
import type { ConfState } from "../wal/snapshot-record.ts";
import { ascending } from "./ids.ts";
import {
  encodeMember,
  encodeMemberId,
  type MemberRecord,
  REMOVED,
  shownMember,
} from "./member-record.ts";

/** What is kept of a cluster, wherever it is kept. */
export interface ClusterState {
  /** In the order of their ids. */
  readonly members: readonly MemberRecord[];
  /** Ids that no member may have again. */
  readonly removed: readonly bigint[];
  /** As in `3.4.0`: the lowest that all members speak. Undefined until they have agreed on one. */
  readonly version: string | undefined;
}

export const NO_CLUSTER: ClusterState = { members: [], removed: [], version: undefined };

export interface Attributes {
  readonly name: string;
  readonly clientUrls: readonly string[];
}

/** A row to be put, or removed if there is no value. */
export interface RowChange {
  readonly bucket: Uint8Array;
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/**
 * Why a change of the members has no effect:
 *
 * | refusal        | etcd's words                                       |
 * | -------------- | -------------------------------------------------- |
 * | id-removed     | membership: ID removed                             |
 * | id-exists      | membership: ID exists                              |
 * | id-not-found   | membership: ID not found                           |
 * | peer-url-taken | membership: peerURL exists                         |
 * | not-a-learner  | membership: can only promote a learner member      |
 * | learners-max   | membership: too many learner members in cluster    |
 */
export type Refusal =
  | "id-removed"
  | "id-exists"
  | "id-not-found"
  | "peer-url-taken"
  | "not-a-learner"
  | "learners-max";

export type Applied =
  | { readonly kind: "changed"; readonly rows: readonly RowChange[] }
  | { readonly kind: "refused"; readonly why: Refusal };

/** etcd's, of 3.4; later ones let it be set. */
const LEARNERS_MAX = 1;

const ATTRIBUTES_PATH = /^\/0\/members\/([0-9a-fA-F]{1,16})\/attributes$/;
const VERSION_PATH = "/0/version";

export class Cluster implements ClusterState {
  readonly id: bigint;
  /** This member's id. */
  readonly localId: bigint;
  readonly #members = new Map<bigint, MemberRecord>();
  readonly #removed = new Set<bigint>();
  #version: string | undefined;

  constructor(id: bigint, localId: bigint, state: ClusterState = NO_CLUSTER) {
    this.id = id;
    this.localId = localId;
    for (const member of state.members) this.#members.set(member.id, member);
    for (const removed of state.removed) this.#removed.add(removed);
    this.#version = state.version;
  }

  get members(): readonly MemberRecord[] {
    return ascending(this.#members.keys()).map((id) => this.#members.get(id) as MemberRecord);
  }

  get removed(): readonly bigint[] {
    return ascending(this.#removed);
  }

  get version(): string | undefined {
    return this.#version;
  }

  member(id: bigint): MemberRecord | undefined {
    return this.#members.get(id);
  }

  isRemoved(id: bigint): boolean {
    return this.#removed.has(id);
  }

  /** Raft's view: who votes, and who only learns. */
  confState(): ConfState {
    const idsOf = (isLearner: boolean): bigint[] =>
      this.members.filter((member) => member.isLearner === isLearner).map(({ id }) => id);
    return {
      voters: idsOf(false),
      learners: idsOf(true),
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    };
  }

  /** Every row, for a file that has none. */
  rows(): RowChange[] {
    const rows = this.members.map(memberRow);
    for (const id of this.removed) {
      rows.push({ bucket: MEMBERS_REMOVED, key: encodeMemberId(id), value: REMOVED });
    }
    if (this.#version !== undefined) rows.push(versionRow(this.#version));
    return rows;
  }

  /**
   * Whether a change may be made now: asked before it is logged, and again when it is applied.
   * @throws StrataError CORRUPT  its context says nothing about its member
   */
  refusal(change: ConfChange): Refusal | undefined {
    const { nodeId } = change;
    const member = this.#members.get(nodeId);
    if (this.#removed.has(nodeId)) return "id-removed";
    if (change.type === ConfChangeType.removeNode) return member ? undefined : "id-not-found";
    const context = contextOf(change);
    if (change.type === ConfChangeType.updateNode) {
      if (member === undefined) return "id-not-found";
      return this.#urlTaken(context.peerUrls, nodeId) ? "peer-url-taken" : undefined;
    }
    if (context.isPromote) {
      if (member === undefined) return "id-not-found";
      return member.isLearner ? undefined : "not-a-learner";
    }
    if (member !== undefined) return "id-exists";
    if (this.#urlTaken(context.peerUrls, nodeId)) return "peer-url-taken";
    const isLearner = context.isLearner && change.type === ConfChangeType.addLearnerNode;
    const learners = this.members.filter((each) => each.isLearner).length;
    return isLearner && learners >= LEARNERS_MAX ? "learners-max" : undefined;
  }

  /**
   * Applies an entry of type confChange; one that is refused changes nothing.
   * @throws StrataError CORRUPT  as `refusal`
   */
  applyConfChange(change: ConfChange): Applied {
    const why = this.refusal(change);
    if (why !== undefined) return { kind: "refused", why };
    if (change.type === ConfChangeType.removeNode) {
      const key = encodeMemberId(change.nodeId);
      this.#members.delete(change.nodeId);
      this.#removed.add(change.nodeId);
      return changed(
        { bucket: MEMBERS, key, value: undefined },
        { bucket: MEMBERS_REMOVED, key, value: REMOVED },
        confStateRow(this.confState()),
      );
    }
    const { id, peerUrls, isLearner, isPromote, name, clientUrls } = contextOf(change);
    const before = this.#members.get(id);
    let member: MemberRecord;
    if (before === undefined) {
      const attributes = { name: name ?? "", clientUrls: clientUrls ?? [] };
      member = { id, peerUrls, isLearner: isLearner === true, ...attributes };
    } else {
      // An update is of the URLs alone. (etcd 3.4 makes a learner's entry that of a voter by it, against raft's view.)
      member = isPromote ? { ...before, isLearner: false } : { ...before, peerUrls };
    }
    this.#members.set(id, member);
    return changed(memberRow(member), confStateRow(this.confState()));
  }

  /**
   * A request of the v2 API: a member's name and URLs, or the cluster's version.
   * @returns the rows; undefined for a path that is none of the cluster's
   * @throws StrataError CORRUPT  as `setAttributes`, and for attributes that are no JSON
   */
  applyV2Put({ path, value }: V2Put): RowChange[] | undefined {
    if (path === VERSION_PATH) return this.setVersion(value);
    const id = ATTRIBUTES_PATH.exec(path)?.[1];
    if (id === undefined) return undefined;
    const json = parseObject(value);
    if (json === undefined)
      throw new StrataError("CORRUPT", `attributes of ${id} that are no JSON`);
    const { name, clientURLs } = json;
    return this.setAttributes(BigInt(`0x${id}`), {
      name: typeof name === "string" ? name : "",
      clientUrls: stringsOf(clientURLs),
    });
  }

  /**
   * Overwrites them, as etcd does but for 3.5.1 to 3.5.19, which keep the first.
   * @returns nothing to write for a member that is gone
   * @throws StrataError CORRUPT  nobody has ever had that id
   */
  setAttributes(id: bigint, { name, clientUrls }: Attributes): RowChange[] {
    const before = this.#members.get(id);
    if (before !== undefined) {
      const member = { ...before, name, clientUrls };
      this.#members.set(id, member);
      return [memberRow(member)];
    }
    if (this.#removed.has(id)) return [];
    throw new StrataError("CORRUPT", `attributes of ${shownMember(id)}, which is no member`);
  }

  setVersion(version: string): RowChange[] {
    this.#version = version;
    return [versionRow(version)];
  }

  /** A downgrade that begins or ends: only for etcd from 3.5 on to read, who logs it. */
  setDowngrade(enabled: boolean, version: string): RowChange[] {
    const json = `{"target-version":${goJson(enabled ? version : "")},"enabled":${enabled}}`;
    return [{ bucket: CLUSTER, key: DOWNGRADE, value: utf8(json) }];
  }

  #urlTaken(peerUrls: readonly string[], by: bigint): boolean {
    for (const member of this.#members.values()) {
      if (member.id !== by && member.peerUrls.some((url) => peerUrls.includes(url))) return true;
    }
    return false;
  }
}

/** JSON of raft's ConfState, which etcd from 3.5 on keeps in `meta`. */
export function confStateRow(state: ConfState): RowChange {
  const parts: string[] = [];
  const add = (name: string, ids: readonly bigint[]): void => {
    if (ids.length > 0) parts.push(`"${name}":[${ids.join(",")}]`);
  };
  add("voters", state.voters);
  add("learners", state.learners);
  add("voters_outgoing", state.votersOutgoing);
  add("learners_next", state.learnersNext);
  parts.push(`"auto_leave":${state.autoLeave}`);
  return { bucket: META, key: CONF_STATE, value: utf8(`{${parts.join(",")}}`) };
}

/** What the log says of a member under `/0/members/<id>/attributes`, and the v2 store keeps there. */
export function attributesJson({ name, clientUrls }: Attributes): string {
  const parts: string[] = [];
  if (name !== "") parts.push(`"name":${goJson(name)}`);
  if (clientUrls.length > 0) parts.push(`"clientURLs":${goJson(clientUrls)}`);
  return `{${parts.join(",")}}`;
}

export function attributesPut(requestId: bigint, memberId: bigint, attributes: Attributes): V2Put {
  const path = `/0/members/${shownMember(memberId)}/attributes`;
  return { id: requestId, path, value: attributesJson(attributes) };
}

export function versionPut(requestId: bigint, version: string): V2Put {
  return { id: requestId, path: VERSION_PATH, value: version };
}

function changed(...rows: RowChange[]): Applied {
  return { kind: "changed", rows };
}

function memberRow(member: MemberRecord): RowChange {
  return { bucket: MEMBERS, key: encodeMemberId(member.id), value: encodeMember(member) };
}

function versionRow(version: string): RowChange {
  return { bucket: CLUSTER, key: CLUSTER_VERSION, value: utf8(version) };
}

function contextOf(change: ConfChange): MemberContext {
  const context = decodeMemberContext(change.context);
  const what = typeof context === "string" ? context : undefined;
  if (typeof context === "string" || context.id !== change.nodeId) {
    const id = shownMember(change.nodeId);
    throw new StrataError("CORRUPT", `a change of ${id}: ${what ?? "its context is of another"}`);
  }
  return context;
}
