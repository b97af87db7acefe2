/**
 * Whether a silent server is still there: while it owes an answer, it is asked with a ping.
 *
 * @see grpc doc/keepalive.md; etcd server/embed/etcd.go grpc-keepalive-min-time
 */
import type { Clock } from "../../base/clock.ts";

/**
 * etcd breaks connections off on which pings come faster than every 5 s (unless it has sent something in between). The
 * first one may come at any time.
 */
const PINGS_APART_MS = 6000;

/** etcdctl's. */
const TIME_MS = 2000;
const TIMEOUT_MS = 6000;

/** gRPC's, for a timeout of nothing. */
const GRPC_TIMEOUT_MS = 20_000;

export interface KeepAliveOptions {
  readonly timeMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly apartMs?: number | undefined;
}

/** Of a client: what one connection learns of a server's patience holds for the next one. */
export class KeepAlive {
  /** Silence before a ping; zero or less: there are none. */
  readonly timeMs: number;
  /** Silence after it. */
  readonly timeoutMs: number;
  #apartMs: number;

  constructor(options: KeepAliveOptions) {
    const { timeMs = TIME_MS, timeoutMs = TIMEOUT_MS } = options;
    this.timeMs = timeMs;
    this.timeoutMs = timeoutMs > 0 ? timeoutMs : GRPC_TIMEOUT_MS;
    this.#apartMs = options.apartMs ?? PINGS_APART_MS;
  }

  /** From one ping to the next. */
  get apartMs(): number {
    return this.#apartMs;
  }

  /** A server said that there were too many. */
  slowDown(): void {
    this.#apartMs *= 2;
  }
}

/** What is to be known of a connection. */
export interface Watched {
  /** Ever. Any byte is a sign of life. */
  bytesRead(): number;
  /** It owes us something. */
  isBusy(): boolean;
  /** Calls back when the answer is there. */
  ping(answered: () => void): void;
  /** When the last ping went out, by the clock. Kept here, because watching stops and starts. */
  pingedMs: number;
  /** Aborts with the connection. */
  readonly signal: AbortSignal;
}

/** Returns when the connection is not busy any more (false), or the peer is dead (true). */
export async function watchPeer(peer: Watched, pace: KeepAlive, clock: Clock): Promise<boolean> {
  while (peer.isBusy() && pace.timeMs > 0) {
    const before = peer.bytesRead();
    await clock.sleep(pace.timeMs, peer.signal);
    if (!peer.isBusy() || peer.bytesRead() !== before) continue;
    if (clock.nowMs() - peer.pingedMs < pace.apartMs) continue;
    peer.pingedMs = clock.nowMs();
    if (!(await answers(peer, pace, clock))) return peer.isBusy();
  }
  return false;
}

/** Silence is counted from the last byte; the ping stays open until it is answered. */
async function answers(peer: Watched, pace: KeepAlive, clock: Clock): Promise<boolean> {
  const heard = new AbortController();
  const hear = (): void => heard.abort();
  peer.signal.addEventListener("abort", hear);
  peer.ping(hear);
  for (let before = -1; !heard.signal.aborted; ) {
    if (peer.bytesRead() === before) break;
    before = peer.bytesRead();
    await clock.sleep(pace.timeoutMs, heard.signal);
    // We may have been the ones who were asleep: what has come meanwhile is read in the next turn.
    if (peer.bytesRead() === before) await clock.sleep(0, heard.signal);
  }
  peer.signal.removeEventListener("abort", hear);
  return heard.signal.aborted;
}
