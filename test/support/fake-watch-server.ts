/**
 * A server of watches by hand: it says what the test lets it say, in the pieces that the test chooses, and its streams
 * break where the test cuts them. Its answers are those of etcd.
 */
import { GrpcStatus, RpcError } from "../../src/client/status.ts";
import type {
  CallSettings,
  MessageStream,
  Transport,
} from "../../src/client/transport/transport.ts";
import { decode, encode, type Partially } from "../../src/proto/tables/message-table.ts";
import {
  type Event,
  WATCH_REQUEST,
  WATCH_RESPONSE,
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
} from "../../src/proto/tables/watch.ts";

interface ServedWatch {
  readonly id: bigint;
  readonly request: WatchCreateRequest;
  next: bigint;
}

/** Settles what was promised. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class FakeWatchServer implements Transport {
  /** By revision; 1 is the empty store. */
  readonly history: Event[][] = [[], []];
  /** Every stream that was opened, the last one last. */
  readonly streams: FakeWatchStream[] = [];
  compacted = 0n;
  /** While it is, streams end at once. */
  isDown = false;
  /** What a stream is refused with. */
  refusal: Error | undefined;

  get revision(): bigint {
    return BigInt(this.history.length - 1);
  }

  /** The present one. */
  get last(): FakeWatchStream {
    const last = this.streams.at(-1);
    if (last === undefined) throw new Error("no stream was opened");
    return last;
  }

  /** One revision with puts of these keys. */
  write(keys: readonly string[], value = "v"): bigint {
    const modRevision = this.revision + 1n;
    this.history.push(
      keys.map((key) => ({
        type: 0,
        kv: {
          key: Buffer.from(key),
          createRevision: modRevision,
          modRevision,
          version: 1n,
          value: Buffer.from(value),
          lease: 0n,
        },
        prevKv: undefined,
      })),
    );
    return modRevision;
  }

  unary(): Promise<Uint8Array> {
    return Promise.reject(new Error("only watches"));
  }

  stream(_path: string, settings?: CallSettings): FakeWatchStream {
    const stream = new FakeWatchStream(this, settings);
    this.streams.push(stream);
    if (this.refusal !== undefined) stream.cut(this.refusal);
    else if (this.isDown) stream.cut();
    return stream;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export class FakeWatchStream implements MessageStream {
  readonly settings: CallSettings | undefined;
  readonly requests: WatchRequest[] = [];
  readonly watches: Map<bigint, ServedWatch> = new Map();
  canceled = false;
  readonly #server: FakeWatchServer;
  /** Sent, and not yet with the client. */
  readonly #wire: Uint8Array[] = [];
  #ending: Error | undefined;
  #wake: () => void = () => undefined;
  #nextId = 0n;

  constructor(server: FakeWatchServer, settings: CallSettings | undefined) {
    this.#server = server;
    this.settings = settings;
  }

  get isOpen(): boolean {
    return this.#ending === undefined && !this.canceled;
  }

  get onTheWire(): number {
    return this.#wire.length;
  }

  send(message: Uint8Array): Promise<void> {
    if (!this.isOpen) return Promise.reject(new Error("closed"));
    const request = decode(WATCH_REQUEST, message);
    this.requests.push(request);
    if (request.createRequest !== undefined) this.#create(request.createRequest);
    else if (request.cancelRequest !== undefined) this.#cancel(request.cancelRequest.watchId);
    else this.say({ watchId: -1n });
    return Promise.resolve();
  }

  end(): void {}

  cancel(): void {
    this.canceled = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    try {
      while (!this.canceled) {
        const message = this.#wire.shift();
        if (message !== undefined) yield message;
        else if (this.#ending !== undefined) throw this.#ending;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.canceled = true;
    }
  }

  /** With the present revision, unless another header is given. */
  say(response: Partially<WatchResponse>): void {
    const header = { revision: this.#server.revision };
    this.#wire.push(encode(WATCH_RESPONSE, { header, ...response }));
    this.#wake();
  }

  /** The connection breaks. @param lost  messages that were on the way, the last ones first */
  cut(
    error: Error = new RpcError(GrpcStatus.unavailable, "connection lost"),
    lost: number = this.#wire.length,
  ): void {
    this.#wire.splice(Math.max(0, this.#wire.length - lost));
    this.#ending = error;
    this.#wake();
  }

  /**
   * Says what a watch has not heard.
   * @param revisions  of them at most, in one response
   * @param fragmentEvents  events in one part of it, if the watch has asked for parts
   */
  tell(id: bigint, revisions: number = Number.POSITIVE_INFINITY, fragmentEvents = 2): void {
    const watch = this.watches.get(id);
    if (watch === undefined || !this.isOpen) return;
    if (watch.next <= this.#server.compacted) {
      const { compacted } = this.#server;
      this.say({ header: {}, watchId: id, canceled: true, compactRevision: compacted + 1n });
      this.watches.delete(id);
      return;
    }
    const events: Event[] = [];
    for (let left = revisions; left > 0 && watch.next <= this.#server.revision; left--) {
      events.push(...(this.#server.history[Number(watch.next)] ?? []).filter(wants(watch.request)));
      watch.next++;
    }
    if (events.length === 0) return;
    if (!watch.request.fragment) {
      this.say({ watchId: id, events });
      return;
    }
    for (let at = 0; at < events.length; at += fragmentEvents) {
      const end = at + fragmentEvents;
      const fragment = end < events.length;
      this.say({ watchId: id, events: events.slice(at, end), fragment });
    }
  }

  /** If the watch has heard all, as etcd says it from time to time. */
  tellProgress(id: bigint): void {
    const watch = this.watches.get(id);
    if (watch !== undefined && this.isOpen && watch.next > this.#server.revision) {
      this.say({ watchId: id });
    }
  }

  #create(request: WatchCreateRequest): void {
    const id = this.#nextId++;
    const { startRevision } = request;
    const next = startRevision === 0n ? this.#server.revision + 1n : startRevision;
    this.watches.set(id, { id, request, next });
    this.say({ watchId: id, created: true });
  }

  #cancel(id: bigint): void {
    if (this.watches.delete(id)) this.say({ watchId: id, canceled: true });
  }
}

/** Of one key, or from a key up to another. */
function wants({ key, rangeEnd }: WatchCreateRequest): (event: Event) => boolean {
  const start = Buffer.from(key);
  return ({ kv }) => {
    const order = Buffer.compare(kv?.key ?? start, start);
    if (rangeEnd.length === 0) return order === 0;
    return order >= 0 && Buffer.compare(kv?.key ?? rangeEnd, rangeEnd) < 0;
  };
}
