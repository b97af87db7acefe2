/**
 * Calls of a service's methods without a wire: what a handler answers is kept, message by message, and its room for
 * responses is the test's to take away.
 */
import type {
  MessageListener,
  Method,
  Service,
  StreamCall,
  UnaryCall,
} from "../../src/grpc/service.ts";
import { Code, type Status } from "../../src/grpc/status.ts";
import type { Peer } from "../../src/http2/exchange.ts";
import { statusOf } from "../../src/server/status-of.ts";

export interface FakeCallOptions {
  /** In lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
  /** The peer does not read, from the beginning. */
  readonly full?: boolean;
}

const PEER: Peer = { remoteAddress: "127.0.0.1:1", certificateCommonName: undefined };
const OK: Status = { code: Code.ok, message: "" };

export class FakeCall implements UnaryCall, StreamCall {
  readonly path: string;
  readonly peer: Peer = PEER;
  readonly deadlineMs: number | undefined;
  /** The response messages, each whole. */
  readonly messages: Buffer[] = [];
  /** In how many parts each was given. */
  readonly parts: number[] = [];
  paused = false;
  /** Set by the test: `send` returns false then, and `bufferedBytes` counts. */
  #full = false;
  #buffered = 0;
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #controller = new AbortController();
  #status: Status | undefined;
  #listener: MessageListener | undefined;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor(path: string, { metadata = {}, deadlineMs, full = false }: FakeCallOptions = {}) {
    this.path = path;
    this.#metadata = metadata;
    this.deadlineMs = deadlineMs;
    this.#full = full;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get ended(): boolean {
    return this.#status !== undefined;
  }

  get status(): Status | undefined {
    return this.#status;
  }

  get bufferedBytes(): number {
    return this.#buffered;
  }

  metadata(name: string): string | undefined {
    return this.#metadata[name];
  }

  fail(code: number, message: string): void {
    this.#end({ code, message });
  }

  failWith(error: unknown): void {
    this.#end(statusOf(error));
  }

  reply(...parts: readonly Uint8Array[]): void {
    if (this.ended) return;
    this.#keep(parts);
    this.#end(OK);
  }

  send(...parts: readonly Uint8Array[]): boolean {
    if (this.ended) return true;
    this.#keep(parts);
    if (this.#full) this.#buffered += parts.reduce((sum, { length }) => sum + length, 0);
    return !this.#full;
  }

  async drained(): Promise<void> {
    while (this.#full && !this.ended) await this.#changed();
  }

  written(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {
    this.#end(OK);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  // What follows is the test's side.

  /** The peer stops to read, or has read everything. */
  setFull(full: boolean): void {
    this.#full = full;
    if (full) return;
    this.#buffered = 0;
    this.#wake();
    this.#listener?.drained();
  }

  attach(listener: MessageListener): void {
    this.#listener = listener;
  }

  write(bytes: Uint8Array): void {
    this.#listener?.message(bytes, 0, bytes.length);
  }

  halfClose(): void {
    this.#listener?.halfClosed();
  }

  /** The client goes away. */
  cancel(): void {
    if (this.ended) return;
    this.#controller.abort();
    this.#end({ code: Code.canceled, message: "context canceled" });
  }

  /** The next response message; waits for it. @throws if the call ends first */
  async next(): Promise<Buffer> {
    while (this.#taken === this.messages.length) {
      if (this.ended) throw new Error(`the call ended: ${JSON.stringify(this.#status)}`);
      await this.#changed();
    }
    return this.messages[this.#taken++] as Buffer;
  }

  async whenEnded(): Promise<Status> {
    while (this.#status === undefined) await this.#changed();
    return this.#status;
  }

  #keep(parts: readonly Uint8Array[]): void {
    this.messages.push(Buffer.concat(parts));
    this.parts.push(parts.length);
    this.#wake();
  }

  #end(status: Status): void {
    if (this.ended) return;
    this.#status = status;
    this.#wake();
    this.#listener?.closed();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

export interface Answer {
  readonly code: number;
  readonly message: string;
  readonly messages: readonly Buffer[];
}

/** Calls a method that takes one request, and waits for its end. */
export async function callFake(
  service: Service,
  method: string,
  request: Uint8Array,
  options?: FakeCallOptions,
): Promise<Answer> {
  const call = startFake(service, method, request, options);
  const { code, message } = await call.whenEnded();
  return { code, message, messages: call.messages };
}

/** As `callFake`, and does not wait. */
export function startFake(
  service: Service,
  method: string,
  request: Uint8Array,
  options?: FakeCallOptions,
): FakeCall {
  const call = new FakeCall(`/${service.name}/${method}`, options);
  const found = methodOf(service, method);
  if (found.kind === "bidiStream") throw new Error(`${method} takes a stream`);
  try {
    const done = found.handle(call, request, 0, request.length);
    if (done !== undefined) done.catch((error: unknown) => call.failWith(error));
  } catch (error) {
    call.failWith(error);
  }
  return call;
}

/** Opens a stream: `write` requests, take answers with `next`. */
export function openFake(service: Service, method: string, options?: FakeCallOptions): FakeCall {
  const call = new FakeCall(`/${service.name}/${method}`, options);
  const found = methodOf(service, method);
  if (found.kind !== "bidiStream") throw new Error(`${method} takes one request`);
  call.attach(found.open(call));
  return call;
}

function methodOf(service: Service, method: string): Method {
  const found = service.methods[method];
  if (found === undefined) throw new Error(`no method ${method} in ${service.name}`);
  return found;
}
