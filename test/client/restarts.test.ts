/**
 * Servers that go and come back under a client: watches lose and repeat nothing, held leases live on, reads are made
 * again, and a write is refused rather than done twice. The real etcd judges the tests.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Client, type Keys } from "../../src/client.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { type ServerKind, ServerProcess } from "../support/server-process.ts";

const FULL = process.env.STRATA_FULL === "1";
const RESTARTS = FULL ? 25 : 2;
const TIMEOUT_MS = 600_000;
/** gRPC's. */
const UNAVAILABLE = 14;

describeRestarts("strata");
describeLoss("strata");
describeWithPeers("with a real etcd", ["etcd"], () => {
  describeRestarts("etcd");
  if (FULL) describeLoss("etcd");
});

/** Takes what a watch has, as `revision key=value`. */
class Witness {
  readonly seen: string[] = [];
  readonly #controller = new AbortController();
  readonly #done: Promise<void>;
  last = 0n;

  /** @param pauses  how often it thinks about a response for a while */
  constructor(client: Client, keys: Keys, startRevision: bigint, pauses = 0) {
    const { signal } = this.#controller;
    const watch = client.watch(keys, { startRevision, signal });
    let left = pauses;
    this.#done = (async () => {
      for await (const { events } of watch) {
        for (const { type, kv } of events) {
          this.seen.push(`${kv.modRevision} ${type} ${kv.key.string()}=${kv.value.string()}`);
          this.last = kv.modRevision;
        }
        if (left-- > 0) await sleep(20);
      }
    })();
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#done;
  }
}

/** Puts, transactions and deletes, one after the other, until told to stop. */
class Writer {
  written = 0;
  refused = 0;
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(client: Client, name: string) {
    this.#done = this.#write(client, name);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #write(client: Client, name: string): Promise<void> {
    for (let i = 0; !this.#isOver; i++) {
      try {
        if (i % 7 === 6) await client.delete({ prefix: `${name}/${i % 10}` });
        else await client.put(`${name}/${i % 10}`, `${i}`);
        this.written++;
      } catch (error) {
        if ((error as { grpcStatus?: number }).grpcStatus !== UNAVAILABLE) throw error;
        this.refused++;
        await sleep(5);
      }
      if (i % 20 === 0) await sleep(1);
    }
  }
}

function describeRestarts(kind: ServerKind): void {
  test(`${kind}: ${RESTARTS} restarts under load`, { timeout: TIMEOUT_MS }, async () => {
    await using server = await ServerProcess.start({ kind });
    await using client = new Client({ endpoints: server.endpoint });
    const first = (await client.put("a/0", "first")).revision;
    const witnesses = [
      new Witness(client, { prefix: "" }, first),
      new Witness(client, { prefix: "" }, first, 50),
      new Witness(client, { prefix: "a/" }, first),
      new Witness(client, "b/3", first),
    ];
    const theirs = [/./, /./, / a\//, / b\/3=/];
    // Longer than any start takes, and shorter than the long run.
    const held = await client.lease.hold(30);
    await client.put("held", "1", { lease: held.id });
    const writers = [new Writer(client, "a"), new Writer(client, "b"), new Writer(client, "c")];
    for (let i = 0; i < RESTARTS; i++) {
      await sleep(150);
      await server.stop(i % 2 === 0 ? "SIGKILL" : "SIGTERM");
      // A read waits until the server is back.
      const read = client.get("held");
      await server.start();
      expect((await read)?.lease).toBe(held.id);
    }
    await sleep(150);
    for (const writer of writers) await writer.stop();
    for (const { written, refused } of writers) expect(written).toBeGreaterThan(refused);
    expect(held.lost.reason).toBeUndefined();
    await held.release();
    const truth = new Witness(client, { prefix: "" }, first);
    const { revision } = await client.status();
    for (const one of [truth, ...witnesses.slice(0, 2)]) {
      await expect.poll(() => one.last, { timeout: 60_000 }).toBe(revision);
    }
    for (const [i, witness] of witnesses.entries()) {
      const all = truth.seen.filter((line) => theirs[i]?.test(line));
      await expect.poll(() => witness.seen.length).toBe(all.length);
      expect(witness.seen).toEqual(all);
      await witness.stop();
    }
    expect(truth.seen.length).toBeGreaterThan(RESTARTS);
    await truth.stop();
  });
}

function describeLoss(kind: ServerKind): void {
  test(`${kind}: of several endpoints, some dead, the living one is found, again and again`, async () => {
    await using one = await ServerProcess.start({ kind });
    await using client = new Client({
      endpoints: ["127.0.0.1:1", one.endpoint, "127.0.0.1:2"],
    });
    await client.put("a", "1");
    const watch = client.watch("a");
    await watch.created;
    await one.stop("SIGKILL");
    const read = client.get("a");
    await one.start();
    expect((await read)?.value.string()).toBe("1");
    await client.put("a", "2");
    expect((await watch.next()).value?.events[0]?.kv.value.string()).toBe("2");
    await expect(client.status("127.0.0.1:1", { timeoutMs: 50 })).rejects.toMatchObject({
      code: "DEADLINE",
    });
    expect((await client.status(one.endpoint)).revision).toBe(3n);
  });

  test(`${kind}: a lease that nobody answers for is lost before others may have it`, async () => {
    await using server = await ServerProcess.start({ kind });
    await using client = new Client({ endpoints: server.endpoint });
    await using held = await client.lease.hold(2);
    const lost = new Promise((resolve) => held.lost.addEventListener("abort", resolve));
    process.kill(server.pid, "SIGSTOP");
    await lost;
    expect((held.lost.reason as { code: string }).code).toBe("DEADLINE");
  });
}
