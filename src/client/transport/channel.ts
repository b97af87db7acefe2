/**
 * A connection to one of several servers that are equal: made when it is first asked for, kept as long as it lives,
 * and then made anew, to another one if that is quicker. Like the balancer of etcd's clients, but that one connects
 * to all of them.
 */
import type { Clock } from "../../base/clock.ts";
import { connectionClosing, type RpcError } from "../status.ts";
import { reconnectDelayMs } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { Gate } from "./gate.ts";
import type { Patience } from "./patience.ts";

/** What a channel needs of a connection. */
export type Reachable = Pick<
  Connection,
  "openedMs" | "isUsable" | "lost" | "observe" | "retire" | "destroy"
>;

export interface ChannelOptions<C extends Reachable> {
  /** At least one. */
  readonly endpoints: readonly string[];
  /** @throws (rejects) what is in the way */
  readonly connect: (endpoint: string, signal: AbortSignal) => Promise<C>;
  readonly clock: Clock;
  /** [0, 1) */
  readonly random: () => number;
}

/** So long the next server is not tried while the one before makes us wait. RFC 8305 has the same. */
const HEAD_START_MS = 250;

/** A connection that lived so long was a good one. */
const PROVEN_MS = 1000;

interface Server {
  readonly endpoint: string;
  /** In a row. */
  failures: number;
  /** By the clock: not tried before. */
  notBeforeMs: number;
}

export class Channel<C extends Reachable> {
  readonly #options: ChannelOptions<C>;
  readonly #servers: readonly Server[];
  readonly #gate = new Gate<C>();
  /** All that still have calls. */
  readonly #connections = new Set<C>();
  #current: C | undefined;
  /** The one to try first. */
  #first: number;
  #dialling: AbortController | undefined;
  #closed: RpcError | undefined;
  #lastFailure: unknown;

  constructor(options: ChannelOptions<C>) {
    this.#options = options;
    this.#servers = options.endpoints.map((endpoint) => ({
      endpoint,
      failures: 0,
      notBeforeMs: Number.NEGATIVE_INFINITY,
    }));
    this.#first = Math.floor(options.random() * this.#servers.length);
  }

  /** How many there are to choose from. */
  get size(): number {
    return this.#servers.length;
  }

  /** Why there is no connection, if there is none. */
  get obstacle(): unknown {
    if (this.#current?.isUsable === true) return undefined;
    if (this.#lastFailure !== undefined || this.#dialling === undefined) return this.#lastFailure;
    return new Error(`no answer yet from ${this.#options.endpoints.join(", ")}`);
  }

  /** The one there is, if there is one. */
  get connected(): C | undefined {
    return this.#current?.isUsable === true ? this.#current : undefined;
  }

  /** @throws (rejects) what ends the patience; what the channel is closed with */
  connection(patience: Patience): C | Promise<C> {
    if (this.#current?.isUsable === true) return this.#current;
    if (this.#closed !== undefined) throw this.#closed;
    const waits = this.#gate.wait(patience);
    if (this.#dialling === undefined) void this.#dial();
    return waits;
  }

  /** Tries another one first from now on: this one does not serve well. Calls on it go on. */
  leave(connection: C): void {
    if (this.#servers.length > 1) connection.retire();
  }

  close(why: RpcError): void {
    this.#closed = why;
    this.#dialling?.abort(why);
    this.#gate.shut(why);
    for (const connection of this.#connections) connection.destroy(why);
  }

  /** Until one is reached, or nobody waits any more. */
  async #dial(): Promise<void> {
    const dialling = new AbortController();
    this.#dialling = dialling;
    const attempts: Promise<void>[] = [];
    for (let turn = 0; turn < this.#servers.length && !dialling.signal.aborted; turn++) {
      const headStart = new AbortController();
      dialling.signal.addEventListener("abort", () => headStart.abort());
      attempts.push(this.#pursue((this.#first + turn) % this.#servers.length, dialling, headStart));
      if (turn + 1 === this.#servers.length) break;
      await this.#options.clock.sleep(HEAD_START_MS, headStart.signal);
    }
    await Promise.all(attempts);
    this.#dialling = undefined;
    // Somebody may have come when the last attempt had just been given up.
    if (this.#gate.waiting > 0 && this.#closed === undefined) void this.#dial();
  }

  /** Tries one server again and again. @param headStart  of it; ends when the next one should be tried, too */
  async #pursue(
    index: number,
    dialling: AbortController,
    headStart: AbortController,
  ): Promise<void> {
    const { clock, connect } = this.#options;
    const { signal } = dialling;
    const server = this.#servers[index] as Server;
    while (!signal.aborted && this.#gate.waiting > 0) {
      const waitMs = server.notBeforeMs - clock.nowMs();
      if (waitMs > 0) {
        headStart.abort();
        await clock.sleep(waitMs, signal);
        continue;
      }
      try {
        this.#welcome(index, await connect(server.endpoint, signal), dialling);
      } catch (error) {
        if (signal.aborted) return;
        this.#failed(server, error);
      }
    }
    headStart.abort();
  }

  #welcome(index: number, connection: C, dialling: AbortController): void {
    if (dialling.signal.aborted) {
      connection.destroy(connectionClosing());
      return;
    }
    const server = this.#servers[index] as Server;
    this.#current = connection;
    this.#first = index;
    this.#connections.add(connection);
    connection.observe({
      onUnusable: () => {
        if (this.#current === connection) this.#current = undefined;
        this.#first = (index + 1) % this.#servers.length;
        if (this.#options.clock.nowMs() - connection.openedMs >= PROVEN_MS) server.failures = 0;
        else this.#failed(server, connection.lost);
      },
      onGone: () => {
        this.#connections.delete(connection);
        this.#lastFailure = connection.lost?.cause ?? connection.lost;
      },
    });
    dialling.abort();
    this.#gate.open(connection);
  }

  #failed(server: Server, why: unknown): void {
    const { clock, random } = this.#options;
    this.#lastFailure = why ?? this.#lastFailure;
    server.failures++;
    server.notBeforeMs = clock.nowMs() + reconnectDelayMs(server.failures, random);
  }
}
