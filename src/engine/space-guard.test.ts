import { describe, expect, test } from "vitest";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { openMemoryMember } from "../../test/support/memory-member.ts";
import { compare, deleteRequest, op, putRequest, txnRequest } from "../api/txn-builder.ts";
import { QUOTA_BYTES_DEFAULT, type QuotaMode } from "../backend/quota.ts";
import { AlarmAction, AlarmType, type TxnRequest } from "../proto/messages.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import type { EngineEvent } from "./log.ts";
import type { Member, MemberOptions } from "./member.ts";

const MIB = 2 ** 20;
const NO_SPACE = "etcdserver: mvcc: database space exceeded";
const FILL = "x".repeat(50_000);

const open: Member[] = [];

async function opened(options: Partial<MemberOptions>): Promise<Member> {
  const member = await openMemoryMember(options);
  open.push(member);
  return member;
}

async function closeAll(): Promise<void> {
  for (const member of open.splice(0)) await member.close();
}

/** Until it is refused. @returns how many were not */
async function fill(member: Member, keys = 1, max = 1000): Promise<number> {
  for (let i = 0; i < max; i++) {
    try {
      await member.put(putRequest(`k${i % keys}`, FILL));
    } catch (error) {
      expect(error).toMatchObject({ code: "NO_SPACE", message: NO_SPACE });
      return i;
    }
    if (i % 4 === 3) await member.backend.commit();
  }
  return max;
}

/** Until even a small one is refused. */
async function fillUp(member: Member, keys = 1): Promise<void> {
  await fill(member, keys);
  let fits = true;
  while (fits) {
    fits = await member.put(small("x".repeat(2000))).then(
      () => true,
      () => false,
    );
    await member.backend.commit();
  }
  await alarmed(member);
}

async function compactAll(member: Member): Promise<void> {
  const { currentRevision: revision } = member.store;
  await member.compact({ kind: "compaction", revision, physical: true });
}

async function alarmed(member: Member): Promise<void> {
  for (let i = 0; i < 50 && !member.alarms.has(AlarmType.noSpace); i++) await turn();
  expect(member.alarms.get()).toEqual([
    { memberId: member.cluster.localId, alarm: AlarmType.noSpace },
  ]);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const refused = { code: "NO_SPACE", message: NO_SPACE };
const small = (value = "v") => putRequest("small", value);

/** As Kubernetes' compactor asks. */
function compactors(version: number, revision: string, key = "compact_rev_key"): TxnRequest {
  return txnRequest({
    compare: [compare.version(key, "=", version)],
    success: [op.put(key, revision)],
    failure: [op.get(key)],
  });
}

describe.each<QuotaMode>(["size", "allocatable"])("quota mode %s", (quotaMode) => {
  test("what takes no room passes under the alarm, and nothing else", async () => {
    const member = await opened({ quotaBytes: MIB, quotaMode });
    const lease = await member.leaseGrant(600, 7n);
    await member.put({ ...small(), lease: lease.id });
    await fillUp(member, 30);

    await expect(member.put(small())).rejects.toMatchObject(refused);
    await expect(member.leaseGrant(600, 8n)).rejects.toMatchObject(refused);
    const put = op.put("small", "");
    await expect(member.txn(txnRequest({ failure: [put] }))).rejects.toMatchObject(refused);
    const inner = txnRequest({ success: [op.txn({ success: [put] })] });
    await expect(member.txn(inner)).rejects.toMatchObject(refused);

    expect((await member.txn(txnRequest({ success: [op.get("small")] }))).succeeded).toBe(true);
    expect((await member.deleteRange(deleteRequest("k0"))).deleted).toBe(1);
    const txn = txnRequest({ success: [op.delete("k1")] });
    expect((await member.txn(txn)).responses).toMatchObject([{ deleted: 1 }]);
    await member.leaseRevoke(lease.id);
    expect(member.get("small")).toBeUndefined();
    await compactAll(member);
    expect((await member.maintenance.defragment()).sizeAfterBytes).toBeLessThan(MIB);
    const { localId } = member.cluster;
    await member.alarm(AlarmAction.get, 0n, AlarmType.none);
    await member.alarm(AlarmAction.deactivate, localId, AlarmType.noSpace);
    await member.put(small());
    await closeAll();
  });

  test("under an alarm nothing is logged that will be refused, whatever room there is", async () => {
    const member = await opened({ quotaMode });
    await member.alarm(AlarmAction.activate, 5n, AlarmType.noSpace);
    const { raftIndex } = member.status();
    const inner = txnRequest({ success: [op.txn({ success: [op.put("a", "")] })] });
    await expect(member.txn(inner)).rejects.toMatchObject(refused);
    await expect(member.put(small())).rejects.toMatchObject(refused);
    expect(member.status().raftIndex).toBe(raftIndex);
    const put = member.put(small("x".repeat(2_000_000)));
    await expect(put).rejects.toMatchObject({ code: "REQUEST_TOO_LARGE" });
    await member.alarm(AlarmAction.activate, 5n, AlarmType.corrupt);
    await expect(member.put(small())).rejects.toMatchObject({ code: "CORRUPT_CLUSTER" });
    await closeAll();
  });
});

test("size: compacting does not help, and the alarm stays until it is disarmed", async () => {
  const member = await opened({ quotaBytes: MIB, quotaMode: "size" });
  await fillUp(member);
  await expect(member.txn(compactors(0, "5"))).rejects.toMatchObject(refused);
  await compactAll(member);
  const { localId } = member.cluster;
  await member.alarm(AlarmAction.deactivate, localId, AlarmType.noSpace);
  await expect(member.put(small(FILL))).rejects.toMatchObject(refused);
  await alarmed(member);
  await member.maintenance.defragment();
  await expect(member.put(small())).rejects.toMatchObject(refused);
  await member.alarm(AlarmAction.deactivate, localId, AlarmType.noSpace);
  await member.put(small());
  await closeAll();
});

test("allocatable: compacting makes room in the same file", async () => {
  const member = await opened({ quotaBytes: MIB, quotaMode: "allocatable", autoDisarm: true });
  let most = 0;
  for (let round = 0; round < 4; round++) {
    await compactAll(member);
    expect(await fill(member)).toBeGreaterThan(12);
    await compactAll(member);
    await member.put(small());
    most = Math.max(most, member.status().sizeBytes);
  }
  expect(most).toBeLessThan(2 * MIB);
  await closeAll();
});

test("allocatable: what is too large is refused alone, and raises no alarm", async () => {
  const member = await opened({ quotaBytes: MIB, quotaMode: "allocatable" });
  await member.put(putRequest("large", "x".repeat(600_000)));
  await expect(member.put(putRequest("larger", "x".repeat(600_000)))).rejects.toMatchObject(
    refused,
  );
  await member.put(small());
  expect([member.alarms.get(), member.space.refusals]).toEqual([[], 1]);
  await closeAll();
});

test("allocatable: what is buffered counts before it is committed", async () => {
  const clock = new ManualClock();
  const member = await opened({ quotaBytes: MIB, quotaMode: "allocatable", clock });
  const puts = Array.from({ length: 40 }, (_, i) => member.put(putRequest(`k${i}`, FILL)));
  const done = (await Promise.allSettled(puts)).filter(({ status }) => status === "fulfilled");
  expect(member.backend.commits).toBe(0);
  expect(done.length * FILL.length).toBeGreaterThan(0.8 * MIB);
  expect(done.length * FILL.length).toBeLessThan(MIB);
  await closeAll();
});

describe("the compactor's txn", () => {
  test("passes a full database out of a reserve, which is refilled when there is room", async () => {
    const member = await opened({ quotaBytes: MIB, quotaMode: "allocatable" });
    await member.txn(compactors(0, "1"));
    await fillUp(member, 30);
    for (const request of [
      compactors(1, "x".repeat(33)),
      compactors(1, "5", "compact_rev_key2"),
      txnRequest({ ...compactors(1, "5"), failure: [] }),
      txnRequest({
        ...compactors(1, "5"),
        success: [op.put("compact_rev_key", "5", { lease: 9n })],
      }),
      txnRequest({ ...compactors(1, "5"), compare: [compare.version("other", "=", 1)] }),
      txnRequest({ ...compactors(1, "5"), compare: [compare.version("compact_rev_key", ">", 0)] }),
    ]) {
      await expect(member.txn(request)).rejects.toMatchObject(refused);
    }
    const { currentRevision } = member.store;
    const { succeeded, revision } = await member.txn(compactors(1, "77"));
    expect([succeeded, revision]).toEqual([true, currentRevision + 1]);
    await alarmed(member);
    const lost = await member.txn(compactors(1, "78"));
    expect([lost.succeeded, lost.responses]).toMatchObject([false, [{ kvs: [{}] }]]);
    await expect(member.put(small())).rejects.toMatchObject(refused);
    let passed = 2;
    for (; passed < 1000; passed++) {
      const more = await member.txn(compactors(0, "79")).then(
        () => true,
        () => false,
      );
      if (!more) break;
    }
    expect(passed).toBe(Math.floor((64 * 1024) / (256 + 15 + 2)));
    await member.deleteRange(deleteRequest({ prefix: "k" }));
    await compactAll(member);
    const { localId } = member.cluster;
    await member.alarm(AlarmAction.deactivate, localId, AlarmType.noSpace);
    await member.txn(compactors(2, "80"));
    member.setQuota(4096);
    await member.txn(compactors(3, "81"));
    expect(member.get("compact_rev_key")).toBeDefined();
    await closeAll();
  });

  test("does not raise an alarm again that somebody is disarming", async () => {
    const member = await opened({ quotaMode: "allocatable", quotaBytes: 8192 });
    const { localId } = member.cluster;
    await member.alarm(AlarmAction.activate, localId, AlarmType.noSpace);
    const disarmed = member.alarm(AlarmAction.deactivate, localId, AlarmType.noSpace);
    expect((await member.txn(compactors(0, "5"))).succeeded).toBe(true);
    expect(await disarmed).toHaveLength(1);
    expect(member.alarms.get()).toEqual([]);
    await closeAll();
  });

  test("every alarm of its kind is there again behind it, and one of another kind keeps it out", async () => {
    const member = await opened({ quotaMode: "allocatable", quotaBytes: 8192 });
    for (const id of [5n, 6n]) {
      await member.alarm(AlarmAction.activate, id, AlarmType.noSpace);
    }
    const before = member.alarms.get();
    expect((await member.txn(compactors(0, "5"))).succeeded).toBe(true);
    expect(member.alarms.get()).toEqual(before);
    await member.alarm(AlarmAction.activate, 5n, AlarmType.corrupt);
    await expect(member.txn(compactors(1, "6"))).rejects.toMatchObject({ code: "NO_SPACE" });
    member.setQuota(0);
    await expect(member.txn(compactors(1, "6"))).rejects.toMatchObject({ code: "CORRUPT_CLUSTER" });
    await closeAll();
  });
});

test("a replay comes to the same under any flags", async () => {
  const disk = new MemoryTree();
  const first = await opened({ disk, quotaBytes: MIB, quotaMode: "allocatable", autoDisarm: true });
  await fillUp(first, 30);
  await first.txn(compactors(0, "11"));
  await first.deleteRange(deleteRequest("k3"));
  const { currentRevision } = first.store;
  const { hash } = await first.maintenance.hashKv(currentRevision);
  const alarms = first.alarms.get();
  expect(alarms).toHaveLength(1);
  await first.abandon();
  open.pop();
  for (const flags of [
    { quotaBytes: 4096, quotaMode: "size" },
    { quotaBytes: -1, quotaMode: "size" },
    { quotaBytes: 4096, quotaMode: "allocatable" },
  ] as const) {
    const again = await opened({ disk, ...flags });
    expect(again.store.currentRevision).toBe(currentRevision);
    expect((await again.maintenance.hashKv(currentRevision)).hash).toBe(hash);
    expect(again.alarms.get()).toEqual(alarms);
    await again.abandon();
    open.pop();
  }
});

describe("an alarm that lifts itself", () => {
  test.each<QuotaMode>(["size", "allocatable"])("%s: when its cause is gone", async (quotaMode) => {
    const events: EngineEvent[] = [];
    const log = (event: EngineEvent): unknown => events.push(event);
    const member = await opened({ quotaBytes: MIB, quotaMode, autoDisarm: true, log });
    await fillUp(member);
    await compactAll(member);
    if (quotaMode === "size") {
      await alarmed(member);
      await member.maintenance.defragment();
    }
    // Whoever comes next need not wait for it.
    await member.put(small());
    expect(member.alarms.get()).toEqual([]);
    const lifted = events.filter(({ message }) => message.startsWith("there is room again"));
    expect(lifted).toMatchObject([{ level: "info", fields: { "quota-bytes": MIB } }]);
    expect(lifted[0]?.fields?.refused).toBeGreaterThan(0);
    await closeAll();
  });

  test("not one that somebody has asked for", async () => {
    const said: unknown[] = [];
    const log = ({ message, fields }: EngineEvent) => said.push([message, fields?.helps]);
    const member = await opened({ autoDisarm: true, quotaMode: "allocatable", log });
    const { localId } = member.cluster;
    await member.alarm(AlarmAction.activate, localId, AlarmType.noSpace);
    await member.backend.commit();
    await expect(member.put(small())).rejects.toMatchObject(refused);
    await alarmed(member);
    expect(said.at(-1)).toEqual([
      "a write was refused because of the NOSPACE alarm, although there is room for it",
      "etcdctl alarm disarm",
    ]);
    await member.alarm(AlarmAction.deactivate, localId, AlarmType.noSpace);
    await member.put(small());
    await closeAll();
  });

  test("not with a little room, nor one that says CORRUPT; but once the quota is raised", async () => {
    const member = await opened({ quotaBytes: MIB, quotaMode: "size", autoDisarm: true });
    await fill(member);
    await alarmed(member);
    await member.alarm(AlarmAction.activate, 1n, AlarmType.corrupt);
    member.setQuota(member.status().sizeBytes + 60_000);
    await turn();
    expect(member.alarms.get()).toHaveLength(2);
    member.setQuota(4 * MIB);
    for (let i = 0; i < 50 && member.alarms.has(AlarmType.noSpace); i++) await turn();
    expect(member.alarms.get()).toEqual([{ memberId: 1n, alarm: AlarmType.corrupt }]);
    await closeAll();
  });
});

test("a refusal says once what helps in that state, and then now and then how many there were", async () => {
  const clock = new ManualClock();
  const events: EngineEvent[] = [];
  const log = (event: EngineEvent): unknown => events.push(event);
  const member = await opened({ quotaBytes: MIB, quotaMode: "size", clock, log });
  const said = (): unknown[] =>
    events
      .splice(0)
      .filter(({ message }) => message.includes("refused"))
      .map(({ fields }) => [fields?.refused, fields?.helps]);
  await fill(member);
  await alarmed(member);
  const { currentRevision } = member.store;
  expect(events.find(({ level }) => level === "warn")?.fields).toMatchObject({
    "quota-bytes": MIB,
    "file-bytes": member.status().sizeBytes,
  });
  expect(said()).toEqual([[1, `etcdctl compact ${currentRevision}`]]);
  const again = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      await expect(member.put(small())).rejects.toMatchObject(refused);
    }
  };
  await again(10);
  expect(said()).toEqual([]);
  await clock.advance(60_000);
  const compacted = compactAll(member);
  for (let i = 0; i < 20; i++) await clock.advance(1000);
  await compacted;
  await again(1);
  expect(said()).toEqual([[11, "etcdctl defrag"]]);
  await member.maintenance.defragment();
  await clock.advance(60_000);
  await again(1);
  expect(said()).toEqual([[1, "etcdctl alarm disarm"]]);
  await closeAll();
});

test("the quota of a running member can be changed", async () => {
  const events: EngineEvent[] = [];
  const member = await opened({ log: (event) => events.push(event) });
  await member.put(putRequest("k", "x".repeat(10_000)));
  member.setQuota(8192);
  expect(member.status().quotaBytes).toBe(8192);
  await member.backend.commit();
  await expect(member.put(putRequest("k", "v"))).rejects.toMatchObject(refused);
  for (const bad of [1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => member.setQuota(bad)).toThrow("a quota is a whole number of bytes");
  }
  member.setQuota(0);
  member.setQuota(QUOTA_BYTES_DEFAULT);
  member.setQuota(-7);
  expect(member.quota.bytes).toBe(Number.POSITIVE_INFINITY);
  const changes = events.filter(({ message }) => message === "the quota was changed");
  expect(changes.map(({ fields }) => Object.values(fields ?? {}))).toEqual([
    [QUOTA_BYTES_DEFAULT, 8192],
    [8192, QUOTA_BYTES_DEFAULT],
    [QUOTA_BYTES_DEFAULT, -1],
  ]);
  await closeAll();
});
