/**
 * etcdserverpb.Lease. Keep-alives of a stream are answered in the order in which they came: nearly all of them at
 * once, without anything being made for them but the answer.
 *
 * @see etcd server/etcdserver/api/v3rpc/lease.go, and api.md 6
 */
import type { MessageListener, Service, StreamCall, UnaryCall } from "../../grpc/service.ts";
import { decodeLeaseGrant, decodeLeaseRevoke } from "../../proto/lease-requests.ts";
import {
  decodeEmpty,
  decodeLeaseKeepAlive,
  decodeLeaseTimeToLive,
} from "../../proto/lease-responses.ts";
import { accepted, failUndecodableMessage, understood } from "./accepted.ts";
import { replyWith } from "./reply-with.ts";
import type { ServiceContext } from "./service-context.ts";

/** Keep-alives of one stream that wait for an answer: no more are read then. */
const WAITING_MAX = 1024;

type Handle = (
  context: ServiceContext,
  call: UnaryCall,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

export function leaseService(context: ServiceContext): Service {
  const unary = (handle: Handle) => ({
    kind: "unary" as const,
    handle: (call: UnaryCall, bytes: Uint8Array, start: number, end: number): void =>
      handle(context, call, bytes, start, end),
  });
  return {
    name: "etcdserverpb.Lease",
    methods: {
      LeaseGrant: unary(grant),
      LeaseRevoke: unary(revoke),
      LeaseKeepAlive: { kind: "bidiStream", open: (call) => new KeepAlives(context, call) },
      LeaseTimeToLive: unary(timeToLive),
      LeaseLeases: unary(leases),
    },
  };
}

const grant: Handle = (context, call, bytes, start, end) => {
  const request = accepted(call, decodeLeaseGrant(bytes, start, end));
  if (request === undefined) return;
  const { member, encoder, timeout } = context;
  timeout.watch(call);
  replyWith(call, member.leaseGrant(request.ttl, request.id), ({ id, ttl }) =>
    encoder.leaseTtl(id, ttl, context.revision),
  );
};

const revoke: Handle = (context, call, bytes, start, end) => {
  const request = accepted(call, decodeLeaseRevoke(bytes, start, end));
  if (request === undefined) return;
  const { member, encoder, timeout } = context;
  timeout.watch(call);
  replyWith(call, member.leaseRevoke(request.id), () => encoder.empty(context.revision));
};

const timeToLive: Handle = (context, call, bytes, start, end) => {
  const request = understood(call, decodeLeaseTimeToLive(bytes, start, end));
  if (request === undefined) return;
  const { member, encoder } = context;
  member.assertOpen();
  const { id } = request;
  const { ttl, grantedTtl, keys } = member.lessor.timeToLive(id, request.keys);
  const response = { id, ttl, grantedTtl, keys: keys.map((key) => Buffer.from(key, "latin1")) };
  call.reply(encoder.leaseTimeToLive(response, context.revision));
};

const leases: Handle = (context, call, bytes, start, end) => {
  if (understood(call, decodeEmpty(bytes, start, end)) === undefined) return;
  const { member, encoder } = context;
  member.assertOpen();
  call.reply(encoder.leases(member.lessor.leases(), context.revision));
};

interface Waiting {
  readonly id: bigint;
  /** Undefined until it is known. */
  ttl: number | undefined;
}

class KeepAlives implements MessageListener {
  readonly #context: ServiceContext;
  readonly #call: StreamCall;
  /** In the order in which they came. */
  #waiting: Waiting[] = [];
  #isFull = false;
  #isHalfClosed = false;

  constructor(context: ServiceContext, call: StreamCall) {
    this.#context = context;
    this.#call = call;
  }

  message(bytes: Uint8Array, start: number, end: number): void {
    const id = decodeLeaseKeepAlive(bytes, start, end);
    if (typeof id === "string") {
      failUndecodableMessage(this.#call, id);
      return;
    }
    const ttl = this.#context.member.leaseKeepAliveNow(id);
    if (typeof ttl === "number" && this.#waiting.length === 0) {
      this.#answer(id, ttl);
      return;
    }
    const waiting: Waiting = { id, ttl: undefined };
    this.#waiting.push(waiting);
    if (this.#waiting.length >= WAITING_MAX) this.#call.pause();
    if (typeof ttl === "number") this.#know(waiting, ttl);
    else {
      ttl.then(
        (known) => this.#know(waiting, known),
        (error: unknown) => this.#call.failWith(error),
      );
    }
  }

  halfClosed(): void {
    this.#isHalfClosed = true;
    if (this.#waiting.length === 0) this.#call.end();
  }

  closed(): void {
    this.#waiting = [];
  }

  drained(): void {
    this.#isFull = false;
    if (this.#waiting.length < WAITING_MAX) this.#call.resume();
  }

  #know(waiting: Waiting, ttl: number): void {
    waiting.ttl = ttl;
    let known = 0;
    for (const { id, ttl } of this.#waiting) {
      if (ttl === undefined) break;
      this.#answer(id, ttl);
      known++;
    }
    if (known === 0) return;
    const wasMany = this.#waiting.length >= WAITING_MAX;
    this.#waiting.splice(0, known);
    if (wasMany && !this.#isFull && this.#waiting.length < WAITING_MAX) this.#call.resume();
    if (this.#isHalfClosed && this.#waiting.length === 0) this.#call.end();
  }

  #answer(id: bigint, ttl: number): void {
    const { encoder, revision } = this.#context;
    if (this.#call.send(encoder.leaseTtl(id, ttl, revision)) || this.#isFull) return;
    this.#isFull = true;
    this.#call.pause();
  }
}
