/** A real etcd takes our lease rows over: it reads them, and why `handoverCheckpoint` is needed before that. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { SystemFile } from "../../native-free/file.ts";
import { LEASE } from "../../src/backend/buckets.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { LeaseLog } from "../support/lease-log.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RealEtcd } from "../support/real-etcd.ts";

const TTL = 60;
const ID = 0x1234n;

async function ttlOf(etcd: RealEtcd): Promise<number> {
  const { stdout } = await etcd.etcdctl("lease", "timetolive", ID.toString(16), "-w", "json");
  return (JSON.parse(stdout) as { ttl: number }).ttl;
}

/** What a keepalive leaves of a lease in an etcd whose database has our rows. */
async function renewedIn(final: "finalCheckpoint" | "handoverCheckpoint", ...flags: string[]) {
  const dataDir = scratchFolder("strata-lease-etcd-");
  const first = await RealEtcd.start({ dataDir, flags });
  await first.call("/v3/lease/grant", { ID: String(ID), TTL: String(TTL) });
  await first.stop();

  const clock = new ManualClock();
  const log = new LeaseLog(clock);
  log.start();
  log.lessor.applyGrant({ id: ID, ttl: TTL }, log);
  await clock.advance(40_000);
  log.stopCleanly((lessor) => lessor[final]());
  const file = PageFile.open(new SystemFile(join(dataDir, "member", "snap", "db"), "write"));
  file.update((tx) => {
    for (const { key, value } of log.rows.values()) tx.bucket(LEASE)?.put(key, value);
  });
  file.close();

  await using etcd = await RealEtcd.start({ dataDir, flags });
  const before = await ttlOf(etcd);
  const { stdout } = await etcd.etcdctl("lease", "keep-alive", ID.toString(16), "--once");
  expect(stdout).toContain(`TTL(${TTL})`);
  return { before, after: await ttlOf(etcd) };
}

describeWithPeers("our leases in a real etcd", ["etcd", "etcdctl"], () => {
  test("one with checkpoints goes on where we stopped, and renews to the full TTL", async () => {
    const { before, after } = await renewedIn(
      "finalCheckpoint",
      "--experimental-enable-lease-checkpoint",
    );
    expect(before).toBeGreaterThanOrEqual(18);
    expect(before).toBeLessThanOrEqual(21);
    expect(after).toBeGreaterThanOrEqual(TTL - 2);
  });

  test("one without says it renewed to the full TTL, and did not", async () => {
    const { after } = await renewedIn("finalCheckpoint");
    expect(after).toBeLessThanOrEqual(21);
  });

  test("after a handover it does", async () => {
    const { before, after } = await renewedIn("handoverCheckpoint");
    expect(Math.min(before, after)).toBeGreaterThanOrEqual(TTL - 2);
  });
});
