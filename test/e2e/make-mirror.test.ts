/** make-mirror between strata and a real etcd, while keys are written and servers die. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { op } from "../../src/api/txn-builder.ts";
import { ETCDCTL } from "../../src/cli/etcdctl.ts";
import { Client } from "../../src/client/client.ts";
import { main } from "../../src/console/main.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { MemoryIo } from "../support/memory-io.ts";
import { type Rng, rng } from "../support/rng.ts";
import { type ServerKind, ServerProcess } from "../support/server-process.ts";

const FULL = process.env.STRATA_FULL === "1";
const WRITES = FULL ? 20_000 : 100;
const TIMEOUT_MS = 30_000;

type Pairs = readonly (readonly [key: string, value: string])[];

async function pairsOf(client: Client, prefix: string): Promise<Pairs> {
  const pairs: [string, string][] = [];
  for await (const { key, value } of client.range({ prefix })) {
    pairs.push([key.string().slice(prefix.length), value.string()]);
  }
  return pairs;
}

/** Puts, deletes, and changes of several keys at once. */
async function writeAbout(client: Client, count: number, random: Rng): Promise<void> {
  for (let i = 0; i < count; i++) {
    const key = `src/${random.int(200)}`;
    const choice = random.int(10);
    if (choice < 6) await client.put(key, `${i}`.repeat(random.int(50) + 1));
    else if (choice < 8) await client.delete(key);
    else if (choice < 9) await client.delete({ start: key, end: `${key}~` });
    else {
      const success = Array.from({ length: 128 }, (_, n) => ({ key: `src/t${n}`, value: `${i}` }));
      await client.txn({ success: success.map((one) => op.put(one.key, one.value)) });
    }
  }
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + TIMEOUT_MS; Date.now() < deadline; await sleep(20)) {
    if (await holds()) return;
  }
}

async function eventuallyEqual(source: Client, destination: Client): Promise<void> {
  const wanted = await pairsOf(source, "src/");
  expect(wanted.length).toBeGreaterThan(0);
  const isEqual = async (): Promise<boolean> =>
    JSON.stringify(await pairsOf(destination, "dst/")) === JSON.stringify(wanted);
  await eventually(isEqual);
  expect(await pairsOf(destination, "dst/")).toEqual(wanted);
}

function clientOf({ endpoint }: ServerProcess): Client {
  return new Client({ endpoints: endpoint });
}

describeWithPeers("make-mirror", ["etcd"], () => {
  describe.each<[ServerKind, ServerKind]>([
    ["strata", "etcd"],
    ["etcd", "strata"],
  ])("from %s to %s", (from, to) => {
    test("copies what there is and what changes, through the death of either side", async () => {
      await using source = await ServerProcess.start({ kind: from });
      await using destination = await ServerProcess.start({ kind: to });
      await using here = clientOf(source);
      await using there = clientOf(destination);
      const random = rng(7);
      for (let i = 0; i < 1500; i += 100) {
        const puts = Array.from({ length: 100 }, (_, n) => op.put(`src/base${i + n}`, "v"));
        await here.txn({ success: puts });
      }
      await here.put("other/key", "not to be seen");
      const io = new MemoryIo({ stderrIsTerminal: true });
      const args = ["make-mirror", "--endpoints", source.endpoint, destination.endpoint];
      const running = main(ETCDCTL, [...args, "--prefix=src/", "--dest-prefix=dst/"], io);
      // It dies in the middle of it, and what is written meanwhile comes later.
      const writing = writeAbout(here, WRITES, random);
      await eventually(async () => (await there.count({ prefix: "dst/" })) > 0);
      await destination.stop("SIGKILL");
      await writing;
      await writeAbout(here, WRITES / 5, random);
      await destination.start();
      await eventuallyEqual(here, there);
      await source.stop("SIGKILL");
      await source.start();
      await writeAbout(here, WRITES / 5, random);
      await eventuallyEqual(here, there);
      io.send("SIGINT");
      expect(await running).toBe(130);
      // How much it has done, every 30 seconds.
      expect(io.stdout.text).toMatch(FULL ? /^(\d+\n)+$/ : /^$/);
      expect(io.stderr.text).toMatch(/\d+ keys mirrored \| \d+\/s \| up to revision \d+/);
      expect(await there.count({ prefix: "" })).toBe((await pairsOf(there, "dst/")).length);
    });
  });

  test("from a revision on, only what changed since; a compacted one is refused", async () => {
    await using source = await ServerProcess.start({ kind: "strata" });
    await using destination = await ServerProcess.start({ kind: "etcd" });
    await using here = clientOf(source);
    await using there = clientOf(destination);
    await here.put("old", "1");
    const { revision } = await here.put("src/new", "2");
    await here.put("src/newer", "3");
    const io = new MemoryIo();
    const args = ["make-mirror", "--endpoints", source.endpoint, destination.endpoint];
    const options = ["--rev", String(revision), "--max-txn-ops=1", "--prefix=src/"];
    const running = main(ETCDCTL, [...args, ...options, "--no-dest-prefix"], io);
    await eventually(async () => (await there.count({ prefix: "" })) === 2);
    io.send("SIGTERM");
    expect(await running).toBe(143);
    expect(await pairsOf(there, "")).toEqual([
      ["new", "2"],
      ["newer", "3"],
    ]);
    await here.compact(revision + 1n);
    const refused = new MemoryIo();
    expect(await main(ETCDCTL, [...args, "--rev=2"], refused)).toBe(1);
    const why = "etcdserver: mvcc: required revision has been compacted";
    expect(refused.stderr.text).toBe(`Error: ${why}\n`);
  });
});
