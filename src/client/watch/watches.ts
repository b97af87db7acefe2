/**
 * Many watches on one stream, which is opened again when it breaks: with its connection, or with its server. Every
 * watch is made again then from the revision after the last one it has handed over, so its consumer notices nothing:
 * nothing is lost, and nothing comes twice. The facts that this rests on:
 *
 * - A watch without a start revision is bound to the revision in the answer that it is made.
 * - Events of one revision come in one response, but for fragments, which are joined here (`ResponseJoiner`).
 * - Progress of one watch comes in order with its events, so it moves the watch on. Progress that was asked for is
 *   sent to all watches past their events by etcd 3.4 and early 3.5 (etcd issue 15220): it moves none.
 *
 * A consumer that does not take: 4 MiB wait for it (about; one response more at most), then the server is told to
 * cancel the watch, and it is made again where it stopped when half of that is taken. Other watches on the stream do
 * not wait for it. If what it would have seen is compacted meanwhile, it is canceled, as a slow watch in the server.
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import { EtcdError } from "../../base/errors.ts";
import { systemRandom } from "../../base/random.ts";
import type { Partially } from "../../proto/tables/message-table.ts";
import { WATCH_METHODS, type WatchRequest, type WatchResponse } from "../../proto/tables/watch.ts";
import { Backoff } from "../backoff.ts";
import { mayComeBack } from "../comes-back.ts";
import type { Rpc, RpcStream } from "../rpc.ts";
import type { CallSettings } from "../transport/transport.ts";
import { ClientWatch, type Watch, type WatchAsk } from "./watch.ts";

export interface WatchesOptions {
  /**
   * A member that has lost its leader ends the watches (EtcdError NO_LEADER) instead of keeping silent. Default: false:
   * they wait for the leader's return.
   */
  readonly requireLeader?: boolean | undefined;
  /** Asked for before each stream: metadata may change, and the endpoint. */
  readonly settings?: (() => CallSettings | Promise<CallSettings>) | undefined;
  /** What may wait for the consumer of one watch, in bytes. Default: 4 MiB. */
  readonly bufferBytesMax?: number | undefined;
  readonly clock?: Clock | undefined;
  /** 0 <= x < 1 */
  readonly random?: (() => number) | undefined;
}

const BUFFER_BYTES_MAX: number = 4 * 1024 * 1024;

/** The watch id of an answer to all watches, and of a watch that was refused. */
const NO_WATCH = -1n;

export class Watches {
  readonly #rpc: Rpc;
  readonly #settings: () => CallSettings | Promise<CallSettings>;
  readonly #requireLeader: boolean;
  readonly #bufferBytesMax: number;
  readonly #backoff: Backoff;
  /** In the order they were opened. */
  readonly #watches = new Set<ClientWatch>();
  readonly #closing = new AbortController();
  #stream: OpenStream | undefined;
  /** Ends the wait before the next stream. */
  #idle = new AbortController();
  #serving: Promise<void> | undefined;

  constructor(rpc: Rpc, options: WatchesOptions = {}) {
    this.#rpc = rpc;
    this.#settings = options.settings ?? (() => ({}));
    this.#bufferBytesMax = options.bufferBytesMax ?? BUFFER_BYTES_MAX;
    this.#requireLeader = options.requireLeader ?? false;
    this.#backoff = new Backoff(options.clock ?? systemClock, options.random ?? systemRandom);
  }

  /**
   * Begins at once. With `fragment`, the server may send a large response in parts; they are joined, but one of more
   * than the buffer comes in several responses, cut between revisions.
   */
  open(ask: WatchAsk, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Watch {
    const watch = new ClientWatch(ask, this, this.#bufferBytesMax);
    if (this.#closing.signal.aborted || signal?.aborted) {
      watch.end();
      return watch;
    }
    const cancel = (): void => watch.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    watch.onEnd = () => signal?.removeEventListener("abort", cancel);
    this.#watches.add(watch);
    if (this.#stream === undefined) this.#serving ??= this.#serve();
    else this.#stream.create(watch);
    return watch;
  }

  /**
   * Asks how far the server is: every watch that is made gets a response without events (`isProgress`). Without
   * watches, and while there is no stream, nobody is asked.
   */
  requestProgress(): void {
    this.#stream?.send({ progressRequest: {} });
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const watch of [...this.#watches]) watch.cancel();
    await this.#serving;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For the watch. */
  drop(watch: ClientWatch): void {
    this.#watches.delete(watch);
    this.#stream?.stop(watch);
    this.#closeIfIdle();
  }

  /** For the watch. */
  resume(watch: ClientWatch): void {
    watch.paused = false;
    this.#stream?.create(watch);
  }

  /** As long as there are watches. Never rejects. */
  async #serve(): Promise<void> {
    while (this.#watches.size > 0) {
      this.#idle = new AbortController();
      try {
        await this.#overOneStream();
      } catch (error) {
        if (this.#isFinal(error)) this.#failAll(error);
      }
      this.#stream = undefined;
      for (const watch of this.#watches) watch.unmade();
      if (this.#watches.size > 0) await this.#backoff.wait(this.#idle.signal);
    }
    this.#serving = undefined;
  }

  /** A stream without watches is closed. One that is opened meanwhile gets another stream. */
  #closeIfIdle(): void {
    if (this.#watches.size > 0) return;
    this.#idle.abort();
    this.#stream?.close();
    this.#stream = undefined;
  }

  async #overOneStream(): Promise<void> {
    const settings = await this.#settings();
    if (this.#watches.size === 0) return;
    const { metadata } = settings;
    const stream = new OpenStream(
      this.#rpc.open(WATCH_METHODS.watch, {
        ...settings,
        metadata: this.#requireLeader ? { ...metadata, hasleader: "true" } : metadata,
      }),
    );
    this.#stream = stream;
    for (const watch of this.#watches) if (!watch.paused) stream.create(watch);
    for await (const response of stream.responses) {
      if (this.#stream !== stream) return;
      this.#take(stream, response);
    }
  }

  #isFinal(error: unknown): boolean {
    const hasNoLeader = error instanceof EtcdError && error.code === "NO_LEADER";
    return !mayComeBack(error) || (this.#requireLeader && hasNoLeader);
  }

  #take(stream: OpenStream, response: WatchResponse): void {
    const { watchId } = response;
    if (response.created) {
      this.#takeCreated(stream, response);
      return;
    }
    if (watchId === NO_WATCH && !response.canceled) {
      for (const watch of stream.made) if (watch.takeProgress(response)) this.#pause(stream, watch);
      return;
    }
    const watch = stream.watchOf(watchId);
    if (watch === undefined) return; // It was told to stop, and has not heard of it yet.
    if (response.canceled || response.compactRevision !== 0n) {
      // What was compacted away keeps its number on the server until it is canceled.
      if (response.compactRevision !== 0n) stream.stop(watch);
      else stream.forget(watch);
      this.#endWith(watch, response);
    } else if (watch.take(response)) {
      this.#pause(stream, watch);
    }
  }

  #pause(stream: OpenStream, watch: ClientWatch): void {
    watch.paused = true;
    stream.stop(watch);
  }

  #takeCreated(stream: OpenStream, response: WatchResponse): void {
    const watch = stream.nextCreated();
    if (watch === undefined) return;
    this.#backoff.reset();
    if (response.canceled || response.watchId === NO_WATCH) {
      if (!watch.ended) this.#endWith(watch, { ...response, canceled: true });
      return;
    }
    if (watch.ended) stream.cancel(response.watchId);
    else stream.madeAs(watch, response);
  }

  #endWith(watch: ClientWatch, response: WatchResponse): void {
    watch.endWith(response);
    this.#watches.delete(watch);
    this.#closeIfIdle();
  }

  #failAll(error: unknown): void {
    for (const watch of this.#watches) watch.fail(error);
    this.#watches.clear();
  }
}

/** One stream, from its opening to its end, and the watches on it. */
class OpenStream {
  readonly #rpcStream: RpcStream<WatchRequest, WatchResponse>;
  /** Asked for; the server answers in this order. */
  readonly #creating: ClientWatch[] = [];
  readonly #byId = new Map<bigint, ClientWatch>();

  constructor(rpcStream: RpcStream<WatchRequest, WatchResponse>) {
    this.#rpcStream = rpcStream;
  }

  get responses(): AsyncIterable<WatchResponse> {
    return this.#rpcStream;
  }

  get made(): Iterable<ClientWatch> {
    return this.#byId.values();
  }

  watchOf(id: bigint): ClientWatch | undefined {
    return this.#byId.get(id);
  }

  send(request: Partially<WatchRequest>): void {
    this.#rpcStream.send(request).catch(() => undefined); // The iteration tells.
  }

  create(watch: ClientWatch): void {
    this.#creating.push(watch);
    this.send({ createRequest: watch.request });
  }

  nextCreated(): ClientWatch | undefined {
    return this.#creating.shift();
  }

  madeAs(watch: ClientWatch, { watchId, header }: WatchResponse): void {
    this.#byId.set(watchId, watch);
    watch.made(watchId, header);
  }

  /** No more of it; one that is not made yet is canceled when it is. */
  stop(watch: ClientWatch): void {
    const { id } = watch;
    if (id === undefined) return;
    this.forget(watch);
    this.cancel(id);
  }

  forget(watch: ClientWatch): void {
    if (watch.id !== undefined) this.#byId.delete(watch.id);
    watch.unmade();
  }

  cancel(watchId: bigint): void {
    this.send({ cancelRequest: { watchId } });
  }

  close(): void {
    this.#rpcStream.end();
    this.#rpcStream.cancel();
  }
}
