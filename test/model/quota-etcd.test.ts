/** What a database that is full has acknowledged is there for whoever takes it over after a kill. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nextTurn } from "../../src/base/turn.ts";
import { compare, op, Strata, type Txn } from "../../src/index.ts";
import { AlarmType } from "../../src/proto/messages.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { EtcdMember } from "../support/etcd-member.ts";

const KEY = "compact_rev_key";
const HOUR_MS = 3_600_000;
const QUOTA = { quotaMode: "allocatable", quotaBytes: 512 * 1024, selfMaintain: false } as const;

function compactors(version: number, revision: string): Txn {
  return {
    compare: [compare.version(KEY, "=", version)],
    success: [op.put(KEY, revision)],
    failure: [op.get(KEY)],
  };
}

/** Its puts, until one is refused because of the alarm. */
async function fillUp(store: Strata): Promise<void> {
  const isAlarmed = (): boolean => store.member.alarms.has(AlarmType.noSpace);
  for (let i = 0; i < 1000 && !isAlarmed(); i++) {
    const put = store.put(`k${i % 7}`, "x".repeat(i < 30 ? 15_000 : 1000));
    await put.catch((error: unknown) => expect(error).toMatchObject({ code: "NO_SPACE" }));
    await nextTurn();
  }
  expect(store.status().alarms).toHaveLength(1);
}

describeWithPeers("a full database that is killed", ["etcd"], () => {
  test("the compactor's txn under the alarm is there for strata and for etcd, at the same revision", async () => {
    const dir = join(scratchFolder("quota"), "data");
    // All that matters is in the log alone.
    const store = await Strata.open({ dir }, { ...QUOTA, batchIntervalMs: HOUR_MS });
    await store.txn(compactors(0, "1"));
    await fillUp(store);
    expect((await store.txn(compactors(1, "1234"))).succeeded).toBe(true);
    expect((await store.txn(compactors(1, "1235"))).succeeded).toBe(false);
    // etcd 3.4 would do these, did it find them in the log: it reckons what is inside another at nothing.
    const inner: Txn = { success: [op.txn({ success: [op.put("inner", "x")] })] };
    await expect(store.txn(inner)).rejects.toMatchObject({ code: "NO_SPACE" });
    store.member.setQuota(0);
    await expect(store.txn(inner)).rejects.toMatchObject({ code: "NO_SPACE" });
    store.member.setQuota(QUOTA.quotaBytes);
    await store.delete("k3");
    expect((await store.txn(compactors(2, "1236"))).succeeded).toBe(true);
    const { revision, alarms } = store.status();
    const { hash } = await store.hashKv();
    const copies = [0, 1].map((i) => join(scratchFolder("quota"), `copy${i}`));
    for (const copy of copies) cpSync(dir, copy, { recursive: true });
    await store.member.abandon();

    const [ours = "", theirs = ""] = copies;
    const again = await Strata.open({ dir: ours }, { selfMaintain: false, quotaBytes: 4096 });
    expect((await again.get(KEY))?.value.string()).toBe("1236");
    expect(again.status()).toMatchObject({ revision, alarms });
    expect((await again.hashKv()).hash).toBe(hash);
    await again.close();
    // Its own quota, which it has passed long since, is no reason to do anything else.
    await using etcd = await EtcdMember.start(theirs, ["--quota-backend-bytes=4096"]);
    const state = await etcd.state();
    expect(state.revision).toBe(Number(revision));
    expect(state.alarms).toEqual(alarms.map(({ memberId, alarm }) => `${memberId} ${alarm}`));
    expect(await etcd.hash()).toMatchObject({ hash });
  });
});
