/**
 * Calls of services, over whatever connections there are: one for all listeners. It owns no socket.
 *
 * @see grpc doc/PROTOCOL-HTTP2.md
 */
import type {
  Peer,
  RequestHead,
  RequestListener,
  ServerStream,
  StreamListener,
} from "../http2/exchange.ts";
import { CallCounts } from "./call-counts.ts";
import { CallPlan, CallPlanner } from "./call-plan.ts";
import { Deadlines } from "./deadlines.ts";
import { type CallHost, CallStream, type EndedCall, type ServerCall } from "./server-call.ts";
import type { Service } from "./service.ts";
import { Code, type Status } from "./status.ts";
import { BidiStreamCall, ServerStreamCall } from "./stream-call.ts";
import { onlyTrailers } from "./trailers.ts";
import { UnaryServerCall } from "./unary-call.ts";

export interface GrpcServerOptions {
  readonly services: readonly Service[];
  /** The largest request message; etcd: `--max-request-bytes` and 512 KiB. */
  readonly maxReceiveBytes: number;
  /** The largest response message; 2^31 − 1 by default, as etcd has it. */
  readonly maxSendBytes?: number;
  /** Of messages that have not come whole, on one connection; 64 MiB by default, one message at least. */
  readonly maxUnfinishedBytes?: number;
  /** What an error of a handler stands for, other than a `GrpcError`. By default code 2 and the error's message. */
  readonly statusOf?: (error: unknown) => Status;
  /** Called at the end of every call whose handler was begun. Must not throw. Nothing is measured without it. */
  readonly onCallEnd?: (call: EndedCall) => void;
  /** With which calls end, or are refused, once `drain` was called: code 14. */
  readonly stoppedText?: string;
}

const MAX_SEND_BYTES = 2 ** 31 - 1;
const MAX_UNFINISHED_BYTES = 64 * 1024 * 1024;

export class GrpcServer implements CallHost {
  readonly counts: CallCounts;
  readonly deadlines: Deadlines = new Deadlines();
  readonly maxReceiveBytes: number;
  readonly maxSendBytes: number;
  readonly statusOf: (error: unknown) => Status;
  readonly onCallEnd: ((call: EndedCall) => void) | undefined;
  /** Answers requests that are not gRPC's with HTTP status 415, as grpc-go does. */
  readonly onRequest: RequestListener;
  readonly #planner: CallPlanner;
  readonly #maxUnfinishedBytes: number;
  readonly #unfinishedBytes = new WeakMap<Peer, number>();
  readonly #streams = new Set<ServerCall>();
  readonly #stoppedText: string;
  #calls = 0;
  #draining = false;
  #idle: (() => void)[] = [];

  constructor(options: GrpcServerOptions) {
    this.counts = new CallCounts(options.services);
    this.maxReceiveBytes = options.maxReceiveBytes;
    this.maxSendBytes = options.maxSendBytes ?? MAX_SEND_BYTES;
    this.statusOf = options.statusOf ?? unknownStatus;
    this.onCallEnd = options.onCallEnd;
    this.onRequest = this.listener();
    this.#planner = new CallPlanner(options.services, this.counts);
    this.#maxUnfinishedBytes = Math.max(
      options.maxUnfinishedBytes ?? MAX_UNFINISHED_BYTES,
      options.maxReceiveBytes,
    );
    this.#stoppedText = options.stoppedText ?? "etcdserver: server stopped";
  }

  /** How many calls have come and have not ended. */
  get calls(): number {
    return this.#calls;
  }

  /** How many of them are streams. */
  get streams(): number {
    return this.#streams.size;
  }

  /** @param others  takes the requests whose content-type is not gRPC's */
  listener(others?: RequestListener): RequestListener {
    return (stream, head) => this.#request(stream, head, others);
  }

  /** From now on new calls are refused, and the streams end. Unary calls are still answered. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    for (const call of [...this.#streams]) call.breakOff(Code.unavailable, this.#stoppedText);
  }

  /** Resolves when no call is under way. */
  idle(): Promise<void> {
    if (this.#calls === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  holds(peer: Peer, bytes: number): boolean {
    const all = (this.#unfinishedBytes.get(peer) ?? 0) + bytes;
    if (bytes > 0 && all > this.#maxUnfinishedBytes) return false;
    this.#unfinishedBytes.set(peer, all);
    return true;
  }

  streamOpened(call: ServerCall): void {
    this.#streams.add(call);
  }

  callOver(call: ServerCall): void {
    if (!(call instanceof UnaryServerCall)) this.#streams.delete(call);
    if (--this.#calls > 0 || this.#idle.length === 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #request(
    stream: ServerStream,
    head: RequestHead,
    others: RequestListener | undefined,
  ): StreamListener {
    let plan = head.memo;
    if (!(plan instanceof CallPlan)) {
      plan = this.#planner.planOf(head);
      head.memo = plan;
    }
    return this.#begin(stream, head, plan as CallPlan, others);
  }

  #begin(
    stream: ServerStream,
    head: RequestHead,
    plan: CallPlan,
    others: RequestListener | undefined,
  ): StreamListener {
    if (others !== undefined && !plan.isGrpc) return others(stream, head);
    const { method, counts, refusal } = plan;
    if (method === undefined || counts === undefined || refusal !== undefined) {
      stream.sendHead(refusal ?? [[":status", "500"]], true);
      return deaf;
    }
    if (this.#draining) {
      const { contentType } = plan;
      stream.sendHead(onlyTrailers(200, contentType, Code.unavailable, this.#stoppedText), true);
      return deaf;
    }
    this.#calls++;
    if (method.kind === "unary") {
      return new CallStream(new UnaryServerCall(stream, head, plan, counts, this, method));
    }
    if (method.kind === "serverStream") {
      return new CallStream(new ServerStreamCall(stream, head, plan, counts, this, method));
    }
    const call = new BidiStreamCall(stream, head, plan, counts, this);
    call.open(method);
    return new CallStream(call);
  }
}

/** For a request that was answered before it had come. */
const deaf: StreamListener = { data() {}, ended() {}, drained() {}, cancelled() {} };

function unknownStatus(error: unknown): Status {
  return { code: Code.unknown, message: error instanceof Error ? error.message : String(error) };
}
