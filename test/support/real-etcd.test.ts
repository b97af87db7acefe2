import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cleanUpAtEnd, cleanUpNow, scratchFolder } from "./cleanup.ts";
import { describeWithPeers } from "./describe-with-peers.ts";
import { goldenPath, goldenStatus } from "./golden.ts";
import { judgeCheck } from "./judge.ts";
import { etcdctl, loadEtcd, RealEtcd } from "./real-etcd.ts";

describeWithPeers("a real etcd", ["etcd", "etcdctl"], () => {
  test("starts, puts, gets, survives a kill, and stops", async () => {
    const etcd = await RealEtcd.start();
    expect(etcd.clientUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(etcd.pid).toBeGreaterThan(1);
    expect(await etcd.etcdctl("put", "a", "1")).toMatchObject({ code: 0, stdout: "OK\n" });
    await etcd.stop("SIGKILL");
    expect(etcd.running).toBe(false);

    await using again = await RealEtcd.start({ dataDir: etcd.dataDir });
    expect(await again.etcdctl("get", "a", "--print-value-only")).toMatchObject({ stdout: "1\n" });
    await again.stop();
    expect((await again.etcdctl("get", "a", "--command-timeout=300ms")).code).not.toBe(0);
    expect(again.stderr).toContain("received signal");
  });

  test("takes flags and variables, but not those of whoever runs the tests", async () => {
    process.env.ETCD_QUOTA_BACKEND_BYTES = "nonsense";
    try {
      await using etcd = await RealEtcd.start({
        name: "other",
        flags: ["--max-txn-ops", "2"],
        env: { ETCD_SNAPSHOT_COUNT: "77" },
      });
      const puts = [0, 1, 2].map((i) => ({ request_put: { key: btoa(`${i}`), value: "" } }));
      await expect(etcd.call("/v3/kv/txn", { success: puts })).rejects.toThrow(
        "too many operations",
      );
      expect(etcd.stderr).toMatch(/"snapshot-count":77\b/);
      expect((await etcd.etcdctl("member", "list")).stdout).toContain(", other, ");
    } finally {
      delete process.env.ETCD_QUOTA_BACKEND_BYTES;
    }
  });

  test("that cannot start says why, and is gone", async () => {
    await expect(RealEtcd.start({ flags: ["--no-such-flag"] })).rejects.toThrow(/no-such-flag/);
  });

  test.each([1, 100])("loads many keys, %i to a transaction", async (batch) => {
    await using etcd = await RealEtcd.start();
    const count = 1050;
    await loadEtcd(etcd, {
      count,
      batch,
      key: (i) => `key-${i}`,
      value: (i) => Uint8Array.of(0xff, i & 0xff),
    });
    const counted = await etcd.call("/v3/kv/range", {
      key: btoa("key-"),
      range_end: btoa("key."),
      count_only: true,
    });
    expect(counted).toMatchObject({ count: String(count) });
    const last = await etcd.call("/v3/kv/range", { key: btoa("key-1049") });
    expect(last).toMatchObject({
      kvs: [{ value: Buffer.of(0xff, 1049 & 0xff).toString("base64") }],
    });
  });

  test("has an etcdctl that reads files", async () => {
    const file = goldenPath("full.snapshot.db");
    const status = await etcdctl("snapshot", "status", file, "-w", "json");
    expect(JSON.parse(status.stdout)).toEqual(goldenStatus("full.snapshot.db"));
  });
});

describeWithPeers("a real etcd before the judge", ["etcd", "etcdctl", "go-bbolt"], () => {
  test("leaves a page file that checks clean", async () => {
    const etcd = await RealEtcd.start();
    await loadEtcd(etcd, { count: 300, key: (i) => `k${i}`, value: (i) => "v".repeat(i) });
    await etcd.stop();
    const file = join(etcd.dataDir, "member/snap/db");
    expect(judgeCheck(file)).toEqual({ ok: true, errors: [] });
  });
});

test("what is registered goes at the end, once, the latest first", () => {
  const order: string[] = [];
  cleanUpAtEnd(() => order.push("first"));
  const now = cleanUpAtEnd(() => order.push("by hand"));
  cleanUpAtEnd(() => order.push("last"));
  const folder = scratchFolder("cleanup");
  now();
  expect(existsSync(folder)).toBe(true);
  cleanUpNow();
  cleanUpNow();
  expect(order).toEqual(["by hand", "last", "first"]);
  expect(existsSync(folder)).toBe(false);
});
