import { expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { KeepAlive, watchPeer } from "./keep-alive.ts";

/** A connection that a test plays. */
class Peer {
  readonly clock: ManualClock = new ManualClock();
  readonly #gone = new AbortController();
  readonly signal: AbortSignal = this.#gone.signal;
  pingedMs = Number.NEGATIVE_INFINITY;
  bytes = 0;
  busy = true;
  answers = true;
  /** When they came. */
  readonly pings: number[] = [];

  bytesRead(): number {
    return this.bytes;
  }

  isBusy(): boolean {
    return this.busy;
  }

  ping(answered: () => void): void {
    this.pings.push(this.clock.nowMs());
    if (!this.answers) return;
    this.bytes += 17;
    answered();
  }

  lose(): void {
    this.busy = false;
    this.#gone.abort();
  }
}

const pace = (): KeepAlive => new KeepAlive({});

test("a silent peer is asked after 2 s, and then every 6 s, as often as etcd puts up with", async () => {
  const peer = new Peer();
  const watching = watchPeer(peer, pace(), peer.clock);
  await peer.clock.advance(30_000);
  expect(peer.pings).toEqual([2000, 8000, 14_000, 20_000, 26_000]);
  peer.busy = false;
  await peer.clock.advance(2000);
  expect(await watching).toBe(false);
});

test("a peer that sends is not asked", async () => {
  const peer = new Peer();
  void watchPeer(peer, pace(), peer.clock);
  for (let at = 0; at < 20; at++) {
    peer.bytes++;
    await peer.clock.advance(1000);
  }
  expect(peer.pings).toEqual([]);
  peer.lose();
});

test("no answer for 6 s: it is dead; any byte is an answer", async () => {
  const dead = new Peer();
  dead.answers = false;
  const watching = watchPeer(dead, pace(), dead.clock);
  await dead.clock.advance(8000);
  expect(await watching).toBe(true);

  const busy = new Peer();
  busy.answers = false;
  let isDead: boolean | undefined;
  void watchPeer(busy, pace(), busy.clock).then((verdict) => {
    isDead = verdict;
  });
  await busy.clock.advance(5000);
  busy.bytes++;
  await busy.clock.advance(8999);
  expect(isDead).toBeUndefined();
  // Nothing more since then, and the ping is still open: it is not asked twice.
  await busy.clock.advance(1);
  expect(isDead).toBe(true);
  expect(busy.pings).toEqual([2000]);
});

test("a connection that is lost meanwhile is not called dead, and nobody sleeps on", async () => {
  for (const afterMs of [1000, 3000]) {
    const peer = new Peer();
    peer.answers = false;
    const watching = watchPeer(peer, pace(), peer.clock);
    await peer.clock.advance(afterMs);
    peer.lose();
    expect(await watching).toBe(false);
    expect(peer.clock.sleeping).toBe(0);
  }
});

test("after a complaint, pings come half as often; the last one counts when watching begins again", async () => {
  const peer = new Peer();
  const slower = pace();
  slower.slowDown();
  const first = watchPeer(peer, slower, peer.clock);
  await peer.clock.advance(3000);
  peer.busy = false;
  await peer.clock.advance(2000);
  await first;
  peer.busy = true;
  void watchPeer(peer, slower, peer.clock);
  await peer.clock.advance(20_000);
  expect(peer.pings[0]).toBe(2000);
  expect(peer.pings[1]).toBeGreaterThanOrEqual(14_000);
  peer.lose();
});

test("a time of nothing: nobody is asked", async () => {
  const peer = new Peer();
  expect(await watchPeer(peer, new KeepAlive({ timeMs: 0 }), peer.clock)).toBe(false);
  expect(new KeepAlive({ timeoutMs: 0 }).timeoutMs).toBe(20_000);
});
