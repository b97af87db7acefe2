/** What the real etcdctl does with a server for longer than one request: locks, elections, mirrors, snapshots, loads. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { KV } from "../../src/proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { bytes } from "../conformance/server-client.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { Etcdctl, type RunningEtcdctl } from "../support/etcdctl-process.ts";
import { JUDGED, type ServerKind, ServerProcess } from "../support/server-process.ts";
import { WireClient } from "../support/wire-client.ts";

const WAIT_MS = 30_000;

async function started(
  kind: ServerKind = JUDGED,
  flags: readonly string[] = [],
): Promise<{ server: ServerProcess; etcdctl: Etcdctl }> {
  const server = await ServerProcess.start({ kind, flags });
  onTestFinished(() => void server.stop("SIGKILL"));
  return { server, etcdctl: new Etcdctl(server) };
}

/** Asks until the answer is as wanted. */
async function until(wanted: string, ask: () => Promise<string>): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  let answer = await ask();
  while (answer !== wanted && Date.now() < deadline) {
    await sleep(50);
    answer = await ask();
  }
  expect(answer).toBe(wanted);
}

describeWithPeers(`etcdctl at work on ${JUDGED}`, ["etcd", "etcdctl"], () => {
  test("lock: one has it, the next one waits; a command runs while it is held", async () => {
    const { etcdctl } = await started();
    const first = etcdctl.start("lock", "mutex");
    await first.says("mutex/");
    const second = etcdctl.start("lock", "mutex");
    await sleep(500);
    expect(second.stdout).toBe("");
    const held = first.stdout.trim();
    expect(await etcdctl.out("get", "--prefix", "mutex", "--keys-only")).toContain(held);
    await first.end("SIGINT");
    await second.says("mutex/");
    expect(second.stdout.trim()).not.toBe(held);
    await second.end("SIGINT");
    expect(await etcdctl.out("lock", "mutex", "--", "sh", "-c", "echo key $ETCD_LOCK_KEY")).toMatch(
      /^key mutex\/[0-9a-f]+\n$/,
    );
    expect(await etcdctl.out("get", "--prefix", "mutex")).toBe("");
    const failed = await etcdctl.run(["lock", "mutex", "--", "sh", "-c", "exit 7"]);
    expect(failed.code).not.toBe(0);
  });

  test("a lock whose holder is killed is free once its lease has run out", async () => {
    const { etcdctl } = await started();
    const first = etcdctl.start("lock", "mutex", "--ttl=2");
    await first.says("mutex/");
    const second = etcdctl.start("lock", "mutex", "--ttl=2");
    await first.end("SIGKILL");
    await second.says("mutex/");
    await second.end("SIGINT");
    expect(await etcdctl.out("get", "--prefix", "mutex")).toBe("");
  });

  test("elect: one leads, observers are told, the next one follows", async () => {
    const { etcdctl } = await started();
    const observer = etcdctl.start("elect", "--listen", "post");
    const first = etcdctl.start("elect", "post", "p1");
    await first.says("p1");
    await observer.says("p1");
    const second = etcdctl.start("elect", "post", "p2");
    await sleep(500);
    expect(second.stdout).toBe("");
    await first.end("SIGINT");
    await second.says("p2");
    await observer.says("p2");
    await second.end("SIGINT");
    await observer.end("SIGINT");
    expect(await etcdctl.out("get", "--prefix", "post")).toBe("");
  });

  for (const to of [JUDGED, "etcd"] as const) {
    test(`make-mirror to ${to}: what was there, what comes, and what goes`, async () => {
      const from = await started();
      const other = await started(to);
      for (let i = 0; i < 20; i++) await from.etcdctl.out("put", `app/k${i}`, `v${i}`);
      await from.etcdctl.out("put", "elsewhere", "x");
      const mirror: RunningEtcdctl = from.etcdctl.start(
        ...["make-mirror", "--prefix", "app/", "--dest-prefix", "copy/", other.server.endpoint],
      );
      const all = (): Promise<string> => other.etcdctl.out("get", "--prefix", "", "--keys-only");
      const keys = Array.from({ length: 20 }, (_, i) => `copy/k${i}`).sort();
      await until(keys.map((key) => `${key}\n\n`).join(""), all);
      await from.etcdctl.out("put", "app/k3", "changed");
      await from.etcdctl.out("del", "app/k0");
      await from.etcdctl.out("put", "app/late", "new");
      await until("copy/late\nnew\n", () => other.etcdctl.out("get", "copy/late"));
      await until("copy/k3\nchanged\n", () => other.etcdctl.out("get", "copy/k3"));
      expect(await other.etcdctl.out("get", "copy/k0")).toBe("");
      await mirror.end("SIGINT");
    });
  }

  test("an answer of many megabytes, while the client pings to measure how fast it comes", async () => {
    const { etcdctl, server } = await started();
    const wire = new WireClient(server.endpoint);
    const value = bytes("x".repeat(200_000));
    for (let i = 0; i < 60; i++) {
      await wire.call(KV.method.put, { key: bytes(`large${i}`), value });
    }
    wire.close();
    const all = await etcdctl.out("get", "--prefix", "large", "--print-value-only");
    expect(all.length).toBe(60 * 200_001);
  });

  test("a saved snapshot is restored by the real etcdctl, and a real etcd serves it", async () => {
    const { etcdctl, server } = await started();
    for (let i = 0; i < 50; i++) await etcdctl.out("put", `k${i}`, "v".repeat(1000));
    await etcdctl.out("del", "k7");
    const lease = (await etcdctl.out("lease", "grant", "3600")).split(" ")[1] ?? "";
    await etcdctl.out("put", `--lease=${lease}`, "leased", "x");
    await etcdctl.out("compact", "20");
    await etcdctl.out("snapshot", "save", "backup.db");
    const wanted = await etcdctl.out("get", "--prefix", "", "-w", "fields");
    await etcdctl.out("snapshot", "restore", "backup.db", "--data-dir", `${server.cwd}/back`);
    const flags = ["--data-dir", `${server.cwd}/back`];
    const peers = ["--initial-advertise-peer-urls", "http://localhost:2380"];
    const cluster = ["--initial-cluster", "default=http://localhost:2380"];
    const real = await started("etcd", [...flags, ...peers, ...cluster]);
    const got = await real.etcdctl.out("get", "--prefix", "", "-w", "fields");
    const changing = /"(?:ClusterID|MemberID|RaftTerm)" : \d+\n/g;
    expect(got.replace(changing, "")).toBe(wanted.replace(changing, ""));
    expect(await real.etcdctl.out("lease", "timetolive", lease, "--keys")).toContain("[leased]");
  });

  if (process.env.STRATA_FULL) {
    test("check perf --load=s", { timeout: 200_000 }, async () => {
      const { etcdctl } = await started();
      const { code, stdout, stderr } = await etcdctl.run(["check", "perf", "--load=s"]);
      process.stderr.write(`${stdout.split("\r").at(-1)}${stderr}\n`);
      expect(stdout).toContain("PASS: Throughput");
      expect(stdout).toContain("PASS: Slowest request took");
      expect(stdout).toContain("PASS: Stddev is");
      expect(stdout).toMatch(/\nPASS\n?$/);
      expect(code).toBe(0);
    });

    test("check datascale --load=s", { timeout: 200_000 }, async () => {
      const { etcdctl } = await started();
      const { code, stdout, stderr } = await etcdctl.run(["check", "datascale", "--load=s"]);
      process.stderr.write(`${stdout.split("\r").at(-1)}${stderr}\n`);
      expect([code, stdout]).toEqual([0, expect.stringContaining("PASS")]);
    });
  }
});
