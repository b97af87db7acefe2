/**
 * Changes of the cluster's members, for a member that is the only voter: learners come and go, and it stays alone. Each
 * is an entry of the log, applied when it is durable, so that a real etcd finds the same members here.
 *
 * A second voter is refused where etcd would take it, and wait for it for ever: there is no raft here to bring it in.
 *
 * @see etcd server/etcdserver/server.go AddMember, RemoveMember, UpdateMember, PromoteMember
 */
import type { Clock } from "../base/clock.ts";
import { EtcdError } from "../base/errors.ts";
import type { EtcdErrorCode } from "../base/etcd-errors.ts";
import type { Cluster, Refusal } from "../membership/cluster.ts";
import { memberId } from "../membership/ids.ts";
import type { MemberRecord } from "../membership/member-record.ts";
import { peerUrlsOf } from "../membership/peer-urls.ts";
import type { RequestIds } from "../membership/request-ids.ts";
import { type ConfChange, ConfChangeType, encodeMemberContext } from "../wal/conf-change.ts";

export interface MembersHost {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly requestIds: RequestIds;
  /** Logs a change and applies it. @returns why it had no effect, undefined if it had */
  change(change: ConfChange): Promise<Refusal | undefined>;
}

const ERRORS: Readonly<Record<Refusal, EtcdErrorCode>> = {
  "id-removed": "MEMBER_NOT_FOUND",
  "id-exists": "MEMBER_EXIST",
  "id-not-found": "MEMBER_NOT_FOUND",
  "peer-url-taken": "PEER_URL_EXIST",
  "not-a-learner": "MEMBER_NOT_LEARNER",
  "learners-max": "TOO_MANY_LEARNERS",
};

export class Members {
  readonly #host: MembersHost;

  constructor(host: MembersHost) {
    this.#host = host;
  }

  /** In the order of their ids. */
  list(): readonly MemberRecord[] {
    return this.#host.cluster.members;
  }

  /**
   * @throws (rejects) EtcdError MEMBER_BAD_URLS, PEER_URL_EXIST, TOO_MANY_LEARNERS; MEMBER_NOT_ENOUGH_STARTED for a voter;
   *   StrataError FAILED, CLOSED
   */
  async add(peerUrls: readonly string[], isLearner: boolean): Promise<MemberRecord> {
    const urls = peerUrlsOf(peerUrls);
    if (urls === undefined) throw new EtcdError("MEMBER_BAD_URLS");
    // As etcd's: of the URLs and the time, without the cluster's token.
    const id = memberId(urls, "", this.#host.clock.nowMs() / 1000);
    const type = isLearner ? ConfChangeType.addLearnerNode : ConfChangeType.addNode;
    const context = encodeMemberContext({ id, peerUrls: urls, isLearner });
    const change = this.#changeOf(type, id, context);
    if (!isLearner) {
      this.#assertAllowed(change);
      throw new EtcdError("MEMBER_NOT_ENOUGH_STARTED");
    }
    await this.#make(change);
    return { id, name: "", peerUrls: urls, clientUrls: [], isLearner };
  }

  /** @throws (rejects) EtcdError MEMBER_NOT_FOUND, MEMBER_NOT_ENOUGH_STARTED for the only voter; FAILED, CLOSED */
  async remove(id: bigint): Promise<void> {
    const change = this.#changeOf(ConfChangeType.removeNode, id, undefined);
    this.#assertAllowed(change);
    if (this.#host.cluster.member(id)?.isLearner === false) {
      throw new EtcdError("MEMBER_NOT_ENOUGH_STARTED");
    }
    await this.#make(change);
  }

  /**
   * Gives a member other URLs. etcd takes any texts here and ends when it comes to use them.
   * @throws (rejects) EtcdError MEMBER_NOT_FOUND, MEMBER_BAD_URLS, PEER_URL_EXIST; FAILED, CLOSED
   */
  async update(id: bigint, peerUrls: readonly string[]): Promise<void> {
    const urls = peerUrlsOf(peerUrls);
    if (urls === undefined && this.#host.cluster.member(id) !== undefined) {
      throw new EtcdError("MEMBER_BAD_URLS");
    }
    const context = encodeMemberContext({ id, peerUrls: urls ?? [] });
    await this.#make(this.#changeOf(ConfChangeType.updateNode, id, context));
  }

  /** No learner ever follows this log. @throws EtcdError MEMBER_NOT_FOUND, MEMBER_NOT_LEARNER, LEARNER_NOT_READY */
  promote(id: bigint): never {
    const member = this.#host.cluster.member(id);
    if (member === undefined) throw new EtcdError("MEMBER_NOT_FOUND");
    throw new EtcdError(member.isLearner ? "LEARNER_NOT_READY" : "MEMBER_NOT_LEARNER");
  }

  #changeOf(type: ConfChangeType, nodeId: bigint, context: Uint8Array | undefined): ConfChange {
    return { id: this.#host.requestIds.next(), type, nodeId, context };
  }

  #assertAllowed(change: ConfChange): void {
    const why = this.#host.cluster.refusal(change);
    if (why !== undefined) throw new EtcdError(ERRORS[why]);
  }

  /** Asked again when it is applied: another change may come before it in the log. */
  async #make(change: ConfChange): Promise<void> {
    this.#assertAllowed(change);
    const why = await this.#host.change(change);
    if (why !== undefined) throw new EtcdError(ERRORS[why]);
  }
}
