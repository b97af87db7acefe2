/** What the services of one member share. */
import type { Member } from "../../engine/member.ts";
import { ResponseEncoder } from "../../proto/response-encoder.ts";
import { RequestTimeout } from "./request-timeout.ts";
import { Turns } from "./turns.ts";

export interface ServiceOptions {
  /** Of a change: default REQUEST_TIMEOUT_MS. */
  readonly requestTimeoutMs?: number;
}

export class ServiceContext {
  readonly member: Member;
  readonly encoder: ResponseEncoder;
  readonly timeout: RequestTimeout;
  readonly turns: Turns = new Turns();

  constructor(member: Member, options: ServiceOptions = {}) {
    this.member = member;
    this.encoder = new ResponseEncoder({
      clusterId: member.cluster.id,
      memberId: member.cluster.localId,
      raftTerm: member.term,
    });
    this.timeout = new RequestTimeout(options.requestTimeoutMs);
  }

  /** Of a response that is about no other. */
  get revision(): number {
    return this.member.store.currentRevision;
  }
}
