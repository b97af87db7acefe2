import { expect, test } from "vitest";
import { settled } from "../../../test/support/fake-watch-server.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { LEASE_KEEP_ALIVE_REQUEST, LEASE_KEEP_ALIVE_RESPONSE } from "../../proto/tables/lease.ts";
import { decode, encode } from "../../proto/tables/message-table.ts";
import { Rpc } from "../rpc.ts";
import { GrpcStatus, RpcError } from "../status.ts";
import type { MessageStream, Transport } from "../transport/transport.ts";
import { keepAliveOnce } from "./keep-alive-once.ts";
import { KeepAlives } from "./keep-alives.ts";

/** Answers each request at once with the lease's TTL, 0 if it is not there. */
class LeaseServer implements Transport {
  readonly clock = new ManualClock();
  readonly ttls = new Map<bigint, bigint>();
  /** `when: id` */
  readonly asked: string[] = [];
  streams = 0;
  isDown = false;
  isMute = false;
  #cut: () => void = () => undefined;

  unary(): Promise<Uint8Array> {
    return Promise.reject(new Error("only keep-alives"));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  cut(): void {
    this.#cut();
  }

  stream(): MessageStream {
    this.streams++;
    const answers: Uint8Array[] = [];
    let wake = (): void => undefined;
    let ending: "cut" | "canceled" | undefined = this.isDown ? "cut" : undefined;
    const end = (how: "cut" | "canceled"): void => {
      ending ??= how;
      wake();
    };
    this.#cut = () => end("cut");
    const ask = (message: Uint8Array): void => {
      const { id } = decode(LEASE_KEEP_ALIVE_REQUEST, message);
      this.asked.push(`${this.clock.nowMs()}: ${id}`);
      if (this.isMute) return;
      answers.push(encode(LEASE_KEEP_ALIVE_RESPONSE, { id, ttl: this.ttls.get(id) ?? 0n }));
      wake();
    };
    return {
      send: (message) => {
        if (ending === undefined) ask(message);
        return Promise.resolve();
      },
      end: () => undefined,
      cancel: () => end("canceled"),
      async *[Symbol.asyncIterator]() {
        for (;;) {
          const answer = answers.shift();
          if (ending === "cut") throw new RpcError(GrpcStatus.unavailable, "connection lost");
          if (answer !== undefined) yield answer;
          else if (ending === "canceled") return;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      },
    };
  }
}

function rig(): { server: LeaseServer; keepAlives: KeepAlives; clock: ManualClock } {
  const server = new LeaseServer();
  const { clock } = server;
  return { server, clock, keepAlives: new KeepAlives(new Rpc(server), { clock, random: () => 0 }) };
}

test("leases share a stream, each asked for three times in its life", async () => {
  const { server, keepAlives, clock } = rig();
  server.ttls.set(1n, 9n).set(2n, 30n);
  const first = keepAlives.keep(1n);
  const second = keepAlives.keep(2n);
  await clock.advance(10_000);
  expect(server.asked).toEqual(["0: 1", "0: 2", "3000: 1", "6000: 1", "9000: 1", "10000: 2"]);
  expect(server.streams).toBe(1);
  expect((await first.next()).value?.ttl).toBe(9n);
  expect([first.lost.aborted, second.lost.aborted]).toEqual([false, false]);
  first.release();
  await clock.advance(30_000);
  expect(server.asked.slice(6)).toEqual(["20000: 2", "30000: 2", "40000: 2"]);
  await keepAlives.close();
  expect(clock.sleeping).toBe(0);
});

test("a lease that is wanted twice is asked for once, until nobody wants it", async () => {
  const { server, keepAlives, clock } = rig();
  server.ttls.set(1n, 9n);
  const controller = new AbortController();
  const first = keepAlives.keep(1n, controller);
  const second = keepAlives.keep(1n);
  await clock.advance(3000);
  controller.abort();
  await clock.advance(3000);
  expect(server.asked).toEqual(["0: 1", "3000: 1", "6000: 1"]);
  expect([first.lost.aborted, second.lost.aborted]).toEqual([false, false]);
  await second.return?.();
  await clock.advance(30_000);
  expect(server.asked.length).toBe(3);
});

test("a lease that the server does not know is lost, and the iteration ends; the others stay", async () => {
  const { server, keepAlives, clock } = rig();
  server.ttls.set(1n, 9n).set(2n, 9n);
  const gone = keepAlives.keep(1n);
  const kept = keepAlives.keep(2n);
  await clock.advance(1000);
  server.ttls.delete(1n);
  await clock.advance(2000);
  const ttls: bigint[] = [];
  for await (const { ttl } of gone) ttls.push(ttl);
  expect(ttls).toEqual([9n]);
  expect(gone.lost.reason).toMatchObject({ code: "LEASE_NOT_FOUND" });
  await clock.advance(9000);
  expect(kept.lost.aborted).toBe(false);
  await keepAlives.close();
});

test("through a short loss of the server a lease is kept, asked for again at once when it is back", async () => {
  const { server, keepAlives, clock } = rig();
  server.ttls.set(1n, 9n);
  const kept = keepAlives.keep(1n);
  await clock.advance(3500);
  server.isDown = true;
  server.cut();
  await clock.advance(7000);
  expect(kept.lost.aborted).toBe(false);
  server.isDown = false;
  await clock.advance(1000);
  expect(kept.lost.aborted).toBe(false);
  expect(server.streams).toBeGreaterThan(5);
  await clock.advance(60_000);
  expect(kept.lost.aborted).toBe(false);
  await keepAlives.close();
});

test("a lease is lost when its life is over since the last request that was answered", async () => {
  const { server, keepAlives, clock } = rig();
  server.ttls.set(1n, 9n);
  const kept = keepAlives.keep(1n);
  await clock.advance(3000);
  server.isMute = true;
  await clock.advance(8999);
  expect(kept.lost.aborted).toBe(false);
  await clock.advance(1);
  expect(kept.lost.reason).toMatchObject({
    code: "DEADLINE",
    message: "lease 0000000000000001 was not renewed in time",
  });
  expect(await kept.next()).toMatchObject({ value: { ttl: 9n } });
  expect(await kept.next()).toMatchObject({ value: { ttl: 9n } });
  expect(await kept.next()).toEqual({ done: true, value: undefined });
});

test("without a first answer in time it is lost; a grant tells how long that is", async () => {
  const { server, keepAlives, clock } = rig();
  server.isDown = true;
  const unknown = keepAlives.keep(1n);
  const granted = keepAlives.keep(2n, { grant: { ttlSeconds: 20n, sentMs: clock.nowMs() - 1000 } });
  await clock.advance(5000);
  expect([unknown.lost.aborted, granted.lost.aborted]).toEqual([true, false]);
  expect(unknown.lost.reason).toMatchObject({ cause: { details: "connection lost" } });
  await clock.advance(13_999);
  expect(granted.lost.aborted).toBe(false);
  await clock.advance(1);
  expect(granted.lost.aborted).toBe(true);
  await settled();
  expect(clock.sleeping).toBe(0);
});

test("after the last lease another begins anew", async () => {
  const { server, keepAlives, clock } = rig();
  server.ttls.set(1n, 9n);
  for (let i = 1; i <= 3; i++) {
    const kept = keepAlives.keep(1n);
    expect((await kept.next()).value?.ttl).toBe(9n);
    kept.release();
    const again = keepAlives.keep(1n);
    expect((await again.next()).value?.ttl).toBe(9n);
    await again.return?.();
    await settled();
    expect(server.asked.length).toBe(i * 2);
  }
  await keepAlives.close();
  expect(await keepAlives.keep(1n).next()).toEqual({ done: true, value: undefined });
  expect(clock.sleeping).toBe(0);
});

test("once: the answer, or that there is no such lease; again when the connection broke", async () => {
  const { server, clock } = rig();
  server.ttls.set(1n, 9n);
  const rpc = new Rpc(server);
  expect((await keepAliveOnce(rpc, 1n)).ttl).toBe(9n);
  await expect(keepAliveOnce(rpc, 2n)).rejects.toMatchObject({ code: "LEASE_NOT_FOUND" });
  server.isDown = true;
  const later = keepAliveOnce(rpc, 1n, {}, clock);
  await settled();
  server.isDown = false;
  await clock.advance(100);
  expect((await later).id).toBe(1n);
  server.isDown = true;
  const controller = new AbortController();
  const never = keepAliveOnce(rpc, 1n, { signal: controller.signal }, clock);
  await settled();
  controller.abort(new Error("enough"));
  await expect(never).rejects.toThrow("enough");
});
