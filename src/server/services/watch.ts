/**
 * etcdserverpb.Watch: many watches on one stream of the hub, whose batches are sent as they come. Answers to requests
 * go out at once, and so before any event of the watch that they are about.
 *
 * @see etcd server/etcdserver/api/v3rpc/watch.go, and api.md 5
 */
import { latin1 } from "../../base/bytes.ts";
import { EtcdError } from "../../base/errors.ts";
import { ETCD_ERRORS } from "../../base/etcd-errors.ts";
import type { MessageListener, Service, StreamCall } from "../../grpc/service.ts";
import type { WatchBatch, WatchEvent } from "../../mvcc/watch/watch-event.ts";
import type { WatchStream } from "../../mvcc/watch/watch-stream.ts";
import type { Watcher } from "../../mvcc/watch/watcher.ts";
import {
  decodeWatchRequest,
  encodeWatchId,
  type WatchCreateRequest,
  type WatchNotice,
} from "../../proto/watch-messages.ts";
import { failUndecodableMessage, hasToken } from "./accepted.ts";
import { sendFragments } from "./fragments.ts";
import type { ServiceContext } from "./service-context.ts";
import type { Sendable } from "./watch-sender.ts";

/** Batches of one stream before another one has its turn. */
const BATCHES_AT_ONCE = 64;

/** Beyond this many events, a response is not written in one piece of memory. */
const EVENTS_IN_ONE_PIECE = 256;

/** etcd's watch id of no watch. */
const NO_WATCH_ID = -1n;
const NO_WATCH: Uint8Array = encodeWatchId(NO_WATCH_ID);

/**
 * What the watches of one stream may take of memory, about, while no event waits: keys may be as large as requests, and
 * a client may ask for any number. More are refused; hundreds of thousands of small ones fit.
 */
const WATCHES_BYTES_MAX: number = 256 * 1024 * 1024;
const WATCH_BYTES = 1024;

const TOKEN_REFUSED = `rpc error: code = Unauthenticated desc = ${ETCD_ERRORS.INVALID_AUTH_TOKEN[1]}`;

export function watchService(context: ServiceContext): Service {
  return {
    name: "etcdserverpb.Watch",
    methods: {
      Watch: { kind: "bidiStream", open: (call) => new Watches(context, call) },
    },
  };
}

interface Watch {
  readonly id: bigint;
  /** As a field. */
  readonly idField: Uint8Array;
  readonly watcher: Watcher;
  readonly isFragmented: boolean;
  readonly bytes: number;
}

class Watches implements MessageListener, Sendable {
  readonly #context: ServiceContext;
  readonly #call: StreamCall;
  readonly #stream: WatchStream;
  /** Those that were compacted away included, until they are cancelled: as in etcd their ids stay taken. */
  readonly #byId = new Map<bigint, Watch>();
  readonly #byWatcher = new Map<Watcher, Watch>();
  #bytes = 0;
  #nextId = 0n;
  /** The client reads too slowly: nothing is taken from the hub until it has caught up. */
  #isFull = false;
  #isQueued = false;

  constructor(context: ServiceContext, call: StreamCall) {
    this.#context = context;
    this.#call = call;
    this.#stream = context.member.watches.stream(() => this.#sendSoon());
  }

  message(bytes: Uint8Array, start: number, end: number): void {
    const request = decodeWatchRequest(bytes, start, end);
    if (typeof request === "string") failUndecodableMessage(this.#call, request);
    else if (request.kind === "create") this.#create(request);
    else if (request.kind === "cancel") this.#cancel(request.watchId);
    else if (request.kind === "progress") this.#stream.progress();
  }

  /** As in etcd, the watches go on. */
  halfClosed(): void {}

  closed(): void {
    this.#stream.close();
    this.#byId.clear();
    this.#byWatcher.clear();
  }

  drained(): void {
    this.#isFull = false;
    this.#call.resume();
    this.#sendSoon();
  }

  sendSome(): boolean {
    this.#isQueued = false;
    if (this.#stream.closed && !this.#call.ended) this.#call.failWith(new EtcdError("STOPPED"));
    for (let i = 0; i < BATCHES_AT_ONCE; i++) {
      if (this.#isFull) return false;
      const batch = this.#stream.take();
      if (batch === undefined) return false;
      this.#send(batch);
    }
    this.#isQueued = true;
    return true;
  }

  /** Called in the middle of a write, too. */
  #sendSoon(): void {
    if (this.#isQueued || this.#isFull) return;
    this.#isQueued = true;
    this.#context.watchSender.add(this);
  }

  #create(request: WatchCreateRequest): void {
    const start = request.key.length === 0 ? "\0" : latin1(request.key);
    const end = latin1(request.rangeEnd);
    const bytes = WATCH_BYTES + start.length + end.length;
    const cancelReason = this.#whyNot(request, start, end, bytes);
    if (cancelReason !== undefined) {
      this.#notify({ created: true, canceled: true, cancelReason }, NO_WATCH);
      return;
    }
    const watcher = this.#begin(request, start, end);
    if (watcher === undefined) return;
    const id = this.#idFor(request.watchId);
    const idField = encodeWatchId(id);
    const watch = { id, idField, watcher, isFragmented: request.fragment, bytes };
    this.#byId.set(id, watch);
    this.#byWatcher.set(watcher, watch);
    this.#bytes += bytes;
    this.#notify({ created: true }, idField);
  }

  /** In the order of etcd's checks. */
  #whyNot(
    { startRevision, watchId }: WatchCreateRequest,
    start: string,
    end: string,
    bytes: number,
  ): string | undefined {
    if (startRevision < 0) return ETCD_ERRORS.COMPACTED[1];
    if (hasToken(this.#call)) return TOKEN_REFUSED;
    if (end !== "" && end !== "\0" && end <= start) return "mvcc: watcher range is empty";
    if (watchId !== 0n && this.#byId.has(watchId)) {
      return "mvcc: duplicate watch ID provided on the WatchStream";
    }
    if (this.#bytes + bytes > WATCHES_BYTES_MAX) return ETCD_ERRORS.TOO_MANY_REQUESTS[1];
    return undefined;
  }

  #begin(request: WatchCreateRequest, start: string, end: string): Watcher | undefined {
    const { noPut, noDelete, prevKv, progressNotify } = request;
    // A revision that no store comes to is as good as the largest one.
    const startRevision = Math.min(request.startRevision, Number.MAX_SAFE_INTEGER);
    try {
      const options = { start, end, startRevision, noPut, noDelete, prevKv, progressNotify };
      return this.#stream.watch(options);
    } catch (error) {
      this.#call.failWith(error);
      return undefined;
    }
  }

  #idFor(wanted: bigint): bigint {
    if (wanted !== 0n) return wanted;
    while (this.#byId.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  /** Of a watch that is not there, nothing is said. */
  #cancel(id: bigint): void {
    const watch = this.#byId.get(id);
    if (watch === undefined) return;
    watch.watcher.cancel();
    this.#byId.delete(id);
    this.#byWatcher.delete(watch.watcher);
    this.#bytes -= watch.bytes;
    this.#notify({ canceled: true }, watch.idField);
  }

  #notify(
    notice: WatchNotice,
    idField: Uint8Array,
    revision: number = this.#context.revision,
  ): void {
    this.#sent(this.#call.send(this.#context.encoder.watchNotice(notice, idField, revision)));
  }

  #send(batch: WatchBatch): void {
    switch (batch.kind) {
      case "events":
        this.#sendEvents(batch.watcher, batch.events, batch.revision);
        break;
      case "progress":
        this.#notify({}, this.#idFieldOf(batch.watcher), batch.revision);
        break;
      case "compacted": {
        // etcd gives no revision here.
        const { compactRevision } = batch;
        this.#notify({ canceled: true, compactRevision }, this.#idFieldOf(batch.watcher), 0);
        break;
      }
      case "failed": {
        const cancelReason = batch.error.message;
        this.#notify({ canceled: true, cancelReason }, this.#idFieldOf(batch.watcher));
        break;
      }
    }
  }

  #sendEvents(watcher: Watcher, events: readonly WatchEvent[], revision: number): void {
    const watch = this.#byWatcher.get(watcher);
    if (watch === undefined) return;
    const { encoder, sharedEvents, watchResponseBytesMax } = this.#context;
    const { idField } = watch;
    if (events.length === 1) {
      const encoded = sharedEvents.encoded(events);
      this.#sent(this.#call.send(encoder.watchEvents(encoded, idField, revision)));
    } else if (watch.isFragmented) {
      const send = (some: readonly WatchEvent[], isFragment: boolean): boolean =>
        this.#call.send(...encoder.watchParts(some, idField, revision, isFragment));
      this.#sent(sendFragments(events, watchResponseBytesMax, send));
    } else if (events.length <= EVENTS_IN_ONE_PIECE) {
      this.#sent(this.#call.send(encoder.watchEvents(encoder.events(events), idField, revision)));
    } else {
      this.#sent(this.#call.send(...encoder.watchParts(events, idField, revision, false)));
    }
  }

  #idFieldOf(watcher: Watcher | undefined): Uint8Array {
    return (watcher && this.#byWatcher.get(watcher)?.idField) ?? NO_WATCH;
  }

  #sent(hasRoom: boolean): void {
    if (hasRoom || this.#isFull || this.#call.ended) return;
    this.#isFull = true;
    // Requests have answers, too.
    this.#call.pause();
  }
}
