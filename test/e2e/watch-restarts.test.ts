/** `etcdctl watch` while its server goes and comes back: what it prints is the history, nothing lost, nothing twice. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Client, StrataError } from "../../src/client.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { Etcdctl, type RunningEtcdctl } from "../support/etcdctl-process.ts";
import { type ServerKind, ServerProcess } from "../support/server-process.ts";

const FULL = process.env.STRATA_FULL === "1";
const RESTARTS = FULL ? 20 : 2;

describeRestarts("strata");
describeWithPeers("watch with a real etcd", ["etcd"], () => describeRestarts("etcd"));

function describeRestarts(kind: ServerKind): void {
  test(`${kind}: watch, through ${RESTARTS} restarts`, { timeout: 600_000 }, async () => {
    await using server = await ServerProcess.start({ kind });
    const { endpoint } = server;
    const etcdctl = new Etcdctl({ cwd: server.cwd, endpoint, client: "ours" });
    await using client = new Client({ endpoints: endpoint });
    const fromTheStart = etcdctl.start("watch", "--prefix", "--rev=2", "");
    const fromNow = etcdctl.start("watch", "--prefix", "");
    const interactive = etcdctl.start("watch", "-i");
    interactive.write("watch --prefix --rev=2 k1\nwatch --rev=2 nothing\n");
    for (let i = 0; fromNow.stdout === ""; i++) await client.put("begin", `${i}`);
    const writer = new Writer(client);
    for (let i = 0; i < RESTARTS; i++) {
      await writer.more(50);
      await server.stop(i % 2 === 0 ? "SIGKILL" : "SIGTERM");
      await server.start();
    }
    await writer.more(50);
    await writer.stop();
    await client.put("k1-end", "");
    const end = "PUT\nk1-end\n\n";
    const truth = etcdctl.start("watch", "--prefix", "--rev=2", "");
    for (const one of [truth, fromTheStart, fromNow, interactive]) await one.says(end);
    const history = truth.stdout;
    expect(fromTheStart.stdout).toBe(history);
    const first = fromNow.stdout.slice(0, fromNow.stdout.indexOf("\nPUT") + 1);
    expect(first).toMatch(/^PUT\nbegin\n\d+\n$/);
    expect(fromNow.stdout).toBe(history.slice(history.indexOf(first)));
    const ofK1 = history.match(/(?:PUT|DELETE)\nk1.*\n.*\n/g) ?? [];
    expect(ofK1.length).toBeGreaterThan(10);
    expect(interactive.stdout).toBe(ofK1.join(""));
    const all: RunningEtcdctl[] = [fromTheStart, fromNow, truth];
    const ends = await Promise.all(all.map((one) => one.end("SIGINT")));
    expect(ends.map(({ stderr }) => stderr)).toEqual(["", "", ""]);
    expect(await interactive.end()).toMatchObject({ code: 3 });
  });
}

/** Puts and deletes of a few keys, one after the other, until told to stop. Each value comes once. */
class Writer {
  written = 0;
  readonly #done: Promise<void>;
  /** Only ever rejects. */
  readonly #failed: Promise<never>;
  #isOver = false;

  constructor(client: Client) {
    this.#done = this.#write(client);
    this.#failed = this.#done.then(() => new Promise<never>(() => undefined));
    this.#failed.catch(() => undefined);
  }

  /** Until so many more were written. */
  async more(count: number): Promise<void> {
    const wanted = this.written + count;
    while (this.written < wanted) await Promise.race([sleep(5), this.#failed]);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #write(client: Client): Promise<void> {
    for (let i = 0; !this.#isOver; i++) {
      try {
        if (i % 7 === 6) await client.delete({ prefix: `k${i % 10}` });
        else await client.put(`k${i % 10}`, `${i}`);
        this.written++;
      } catch (error) {
        if (!(error instanceof StrataError)) throw error;
        await sleep(5);
      }
      if (i % 20 === 0) await sleep(1);
    }
  }
}
