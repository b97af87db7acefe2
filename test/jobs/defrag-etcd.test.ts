import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { defragFile } from "../../src/jobs/defrag.ts";
import { defrag } from "../../src/jobs/defrag-work.ts";
import { JobPool } from "../../src/jobs/pool.ts";
import { ProgressWriter } from "../../src/jobs/progress.ts";
import { snapshotStatus } from "../../src/jobs/snapshot-status.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { cleanUpAtEnd, scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { peerPath } from "../support/peers.ts";
import { etcdctl, freePorts, loadEtcd, RealEtcd } from "../support/real-etcd.ts";

const pool = new JobPool();
afterAll(() => pool.close());

interface HashKv {
  readonly HashKV: { readonly hash: number; readonly header: { readonly revision: number } };
}

async function hashKv(etcd: RealEtcd): Promise<{ hash: number; revision: number }> {
  const { stdout } = await etcd.etcdctl("endpoint", "hashkv", "-w", "json");
  const [{ HashKV }] = JSON.parse(stdout) as [HashKv];
  return { hash: HashKV.hash, revision: HashKV.header.revision };
}

async function filled(dataDir: string): Promise<RealEtcd> {
  const etcd = await RealEtcd.start({ dataDir, flags: ["--snapshot-count", "50"] });
  await loadEtcd(etcd, {
    count: 6000,
    key: (i) => `/registry/pods/pod-${i % 2000}`,
    value: (i) => `value-${i}-${"x".repeat(i % 300)}`,
  });
  await etcd.etcdctl("del", "/registry/pods/pod-1", "--prefix");
  const { stdout } = await etcd.etcdctl("endpoint", "status", "-w", "json");
  const [{ Status }] = JSON.parse(stdout) as [{ Status: { header: { revision: number } } }];
  await etcd.etcdctl("compaction", String(Status.header.revision), "--physical");
  return etcd;
}

describeWithPeers("a real etcd and the page file", ["etcd", "etcdctl"], () => {
  test("serves a database that we defragmented, with every key at its revision", async () => {
    const dataDir = join(scratchFolder("defrag-etcd"), "data");
    const first = await filled(dataDir);
    const before = await hashKv(first);
    const all = await first.etcdctl("get", "", "--prefix", "-w", "json");
    await first.stop();

    const report = await defragFile(pool, dataDir);
    expect(report.sizeAfterBytes).toBeLessThan(report.sizeBeforeBytes / 2);

    const second = await RealEtcd.start({ dataDir });
    expect(await hashKv(second)).toEqual(before);
    const again = await second.etcdctl("get", "", "--prefix", "-w", "json");
    expect(JSON.parse(again.stdout).kvs).toEqual(JSON.parse(all.stdout).kvs);
    await second.etcdctl("put", "after", "defrag");
    expect((await second.etcdctl("get", "after", "--print-value-only")).stdout).toBe("defrag\n");
    await second.stop();
    // What etcd wrote into our file is read by us again, and by the real tool, alike.
    const db = join(dataDir, "member/snap/db");
    const { stdout } = await etcdctl("snapshot", "status", db, "-w", "json");
    const status = await snapshotStatus(pool, db);
    expect(JSON.parse(stdout)).toMatchObject({
      hash: status.hash,
      revision: status.revision,
      totalKey: status.rows,
      totalSize: status.sizeBytes,
    });
  });

  test("that holds the file is named: defrag refuses, status reads beside it", async () => {
    const dataDir = join(scratchFolder("held"), "data");
    const etcd = await filled(dataDir);
    const refusal = defragFile(pool, dataDir, { force: true });
    await expect(refusal).rejects.toMatchObject({ code: "LOCKED" });
    await expect(refusal).rejects.toThrow(`etcd (pid ${etcd.pid})`);
    const { reading, revision } = await snapshotStatus(pool, dataDir);
    expect(reading.mode).toBe("unlocked");
    expect(revision).toBeGreaterThan(0);
    await etcd.etcdctl("put", "still", "served");
    expect((await etcd.etcdctl("get", "still", "--print-value-only")).stdout).toBe("served\n");
  });

  test("does not get the file while we hold it, and gets it when we let go", async () => {
    const dataDir = join(scratchFolder("ours"), "data");
    const etcd = await filled(dataDir);
    await etcd.stop();
    const file = openPageFile(join(dataDir, "member/snap/db"));
    await expect(RealEtcd.start({ dataDir, readyTimeoutMs: 1500 })).rejects.toThrow(/not healthy/);
    const starting = RealEtcd.start({ dataDir });
    await sleep(700);
    expect(file.check().faults).toEqual([]);
    file.close();
    const served = await starting;
    expect((await served.etcdctl("get", "", "--prefix", "--limit", "1")).code).toBe(0);
  });

  test("that waited for the file during a defrag fails loudly instead of writing to a dead one", async () => {
    const dataDir = join(scratchFolder("waiting"), "data");
    const etcd = await filled(dataDir);
    await etcd.stop();
    const [clientPort, peerPort] = await freePorts();
    const waiting = new Waiting(dataDir, clientPort, peerPort);
    const path = join(dataDir, "member/snap/db");
    await defrag({ path, force: true }, waiting);
    expect(await waiting.end()).toMatch(/invalid database/);
    const served = await RealEtcd.start({ dataDir });
    expect((await served.etcdctl("get", "", "--prefix", "--limit", "1")).stdout).not.toBe("");
  });
});

const COPYING = 1;

/** Starts an etcd in the middle of the defrag, under its lock, and gives it the time to come to the lock. */
class Waiting extends ProgressWriter {
  readonly #flags: readonly string[];
  #stderr = "";
  #ended: Promise<void> | undefined;

  constructor(dataDir: string, clientPort: number, peerPort: number) {
    super();
    const client = `http://127.0.0.1:${clientPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    const own = [
      "--name=n1",
      `--data-dir=${dataDir}`,
      `--initial-cluster=n1=${peer}`,
      "--logger=zap",
    ];
    const listen = [`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`];
    const peers = [`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`];
    this.#flags = [...own, ...listen, ...peers];
  }

  override phase(index: number, totalBytes: number): void {
    super.phase(index, totalBytes);
    if (index !== COPYING) return;
    const child = spawn(peerPath("etcd"), this.#flags, { stdio: ["ignore", "ignore", "pipe"] });
    const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#ended = once(child, "close").then(forget);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  }

  async end(): Promise<string> {
    await this.#ended;
    return this.#stderr;
  }
}
