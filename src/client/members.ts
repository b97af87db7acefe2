/** Who belongs to a cluster, and changing it. */
import { CLUSTER_METHODS, type Member } from "../proto/tables/cluster.ts";
import type { Calls, RemoteOptions } from "./calls.ts";

/** One or several, as `http://10.0.0.1:2380`. */
export type PeerUrls = string | readonly string[];

/** Every change returns who the members are after it. */
export class RemoteMembers {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** @param options  serializable: as the member that is asked knows them, which may be out of date */
  async list(
    options: { readonly serializable?: boolean } & RemoteOptions = {},
  ): Promise<readonly Member[]> {
    const linearizable = !(options.serializable ?? false);
    return (await this.#calls.call(CLUSTER_METHODS.list, { linearizable }, options)).members;
  }

  /**
   * @param options  learner: it has no vote until it is promoted
   * @throws (rejects) EtcdError MEMBER_BAD_URLS, PEER_URL_EXIST, MEMBER_EXIST, TOO_MANY_LEARNERS, UNHEALTHY
   */
  async add(
    peerUrls: PeerUrls,
    options: { readonly learner?: boolean } & RemoteOptions = {},
  ): Promise<{ readonly member: Member | undefined; readonly members: readonly Member[] }> {
    const request = { peerUrls: [peerUrls].flat(), isLearner: options.learner ?? false };
    const { member, members } = await this.#calls.call(CLUSTER_METHODS.add, request, options);
    return { member, members };
  }

  /** @throws (rejects) EtcdError MEMBER_NOT_FOUND, MEMBER_NOT_ENOUGH_STARTED, UNHEALTHY */
  async remove(id: bigint, options: RemoteOptions = {}): Promise<readonly Member[]> {
    return (await this.#calls.call(CLUSTER_METHODS.remove, { id }, options)).members;
  }

  /** Gives a member other peer URLs. @throws (rejects) EtcdError MEMBER_NOT_FOUND, MEMBER_BAD_URLS, PEER_URL_EXIST */
  async update(
    id: bigint,
    peerUrls: PeerUrls,
    options: RemoteOptions = {},
  ): Promise<readonly Member[]> {
    const request = { id, peerUrls: [peerUrls].flat() };
    return (await this.#calls.call(CLUSTER_METHODS.update, request, options)).members;
  }

  /** Gives a learner a vote. @throws (rejects) EtcdError MEMBER_NOT_FOUND, MEMBER_NOT_LEARNER, LEARNER_NOT_READY */
  async promote(id: bigint, options: RemoteOptions = {}): Promise<readonly Member[]> {
    return (await this.#calls.call(CLUSTER_METHODS.promote, { id }, options)).members;
  }
}
