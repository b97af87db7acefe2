/** What the services of one member share. */
import type { Member } from "../../engine/member.ts";
import { ResponseEncoder } from "../../proto/response-encoder.ts";
import { RequestTimeout } from "./request-timeout.ts";
import { SharedEvents } from "./shared-events.ts";
import { Turns } from "./turns.ts";
import { WatchSender } from "./watch-sender.ts";

export interface ServiceOptions {
  /** Of a change: default REQUEST_TIMEOUT_MS. */
  readonly requestTimeoutMs?: number;
  /** As --max-request-bytes, the member's. Default: 1.5 MiB. */
  readonly maxRequestBytes?: number;
  /** As --snapshot-max-duration. Default: 0, no end. */
  readonly snapshotMaxMs?: number;
}

const REQUEST_BYTES_MAX: number = 1536 * 1024;
/** What etcd allows a message beyond the request in it. */
const OVERHEAD_BYTES: number = 512 * 1024;

export class ServiceContext {
  readonly member: Member;
  readonly encoder: ResponseEncoder;
  readonly timeout: RequestTimeout;
  readonly turns: Turns = new Turns();
  readonly watchSender: WatchSender = new WatchSender();
  readonly sharedEvents: SharedEvents;
  /** Of a watch that wants its responses cut. */
  readonly watchResponseBytesMax: number;
  /** How long a snapshot may be sent; 0: no end. */
  readonly snapshotMaxMs: number;

  constructor(member: Member, options: ServiceOptions = {}) {
    this.member = member;
    const encoder = new ResponseEncoder({
      clusterId: member.cluster.id,
      memberId: member.cluster.localId,
      raftTerm: member.term,
    });
    this.encoder = encoder;
    this.sharedEvents = new SharedEvents((events) => encoder.events(events));
    this.snapshotMaxMs = options.snapshotMaxMs ?? 0;
    this.timeout = new RequestTimeout(options.requestTimeoutMs);
    this.watchResponseBytesMax = (options.maxRequestBytes ?? REQUEST_BYTES_MAX) + OVERHEAD_BYTES;
  }

  /** Of a response that is about no other. */
  get revision(): number {
    return this.member.store.currentRevision;
  }

  close(): void {
    this.timeout.close();
  }
}
