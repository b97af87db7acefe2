/** A real etcd starts on a data dir of ours in each of the states that it can be in, and we on what it leaves. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FINISHED_COMPACT_REV, META } from "../../src/backend/buckets.ts";
import type { StrataOptions } from "../../src/index.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { run } from "../support/built-cli.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { EtcdMember } from "../support/etcd-member.ts";
import type { Action, RunningMember } from "../support/member-actions.ts";
import { MemberModel } from "../support/member-model.ts";
import { StrataProcess } from "../support/strata-process.ts";

async function act(member: RunningMember, model: MemberModel, action: Action): Promise<void> {
  const issued = model.issue(action);
  const outcome = await member.act(issued.action);
  expect(outcome.kind).toBe("done");
  model.answered(issued, outcome);
}

async function look(member: RunningMember, model: MemberModel): Promise<void> {
  model.follow(await member.history(Math.max(model.revision + 1, model.compacted)));
  model.check(await member.state());
  model.checkHash(await member.hash());
}

async function puts(
  member: RunningMember,
  model: MemberModel,
  count: number,
  valueBytes = 20,
): Promise<void> {
  const one = (i: number): Promise<void> =>
    act(member, model, { kind: "put", key: `k${i % 50}`, value: `${i} `.padEnd(valueBytes, "x") });
  for (let i = 0; i < count; i += 50) {
    await Promise.all(Array.from({ length: Math.min(50, count - i) }, (_, j) => one(i + j)));
  }
}

/** etcd looks, writes, and ends; strata looks, writes, and ends; etcd looks again. */
async function handOn(dir: string, model: MemberModel, options: StrataOptions = {}): Promise<void> {
  {
    await using etcd = await EtcdMember.start(dir);
    await look(etcd, model);
    await puts(etcd, model, 60);
    await look(etcd, model);
    expect(etcd.etcd.stderr).not.toMatch(/panic|"level":"(fatal|error)"/);
    await etcd.end("clean");
  }
  {
    await using strata = await StrataProcess.start(dir, options);
    await look(strata, model);
    await puts(strata, model, 60);
    await look(strata, model);
    await strata.end("clean");
  }
  await using etcd = await EtcdMember.start(dir);
  await look(etcd, model);
}

function filesIn(dir: string, suffix: string): string[] {
  return readdirSync(dir).filter((name) => name.endsWith(suffix));
}

describeWithPeers("etcd starts on our data dir", ["etcd", "etcdctl"], () => {
  // Each has a folder and processes of its own, and waits for them most of the time.
  test.concurrent.each(["clean", "kill"] as const)(
    "that nothing was ever written to, ended: %s",
    async (how) => {
      const dir = join(scratchFolder("ours"), "data");
      const model = new MemberModel();
      {
        await using strata = await StrataProcess.start(dir);
        await look(strata, model);
        await strata.end(how);
      }
      await handOn(dir, model);
    },
  );

  test.concurrent("after many snapshots, and segments that were given up", async () => {
    const dir = join(scratchFolder("ours"), "data");
    const options = { snapshotCount: 100, segmentBytes: 16 * 1024, batchIntervalMs: 5 };
    const model = new MemberModel();
    {
      await using strata = await StrataProcess.start(dir, options);
      for (let i = 0; i < 8; i++) {
        await puts(strata, model, 500);
        await look(strata, model);
      }
      await strata.end("kill");
    }
    const segments = filesIn(join(dir, "member/wal"), ".wal");
    expect(segments).not.toContain(`${"0".repeat(16)}-${"0".repeat(16)}.wal`);
    expect(segments.length).toBeLessThan(40);
    // Six, if the kill came between a snapshot and the end of the oldest one.
    expect([5, 6]).toContain(filesIn(join(dir, "member/snap"), ".snap").length);
    await handOn(dir, model, options);
  });

  test.concurrent("after strata-defrag", async () => {
    const dir = join(scratchFolder("ours"), "data");
    const model = new MemberModel();
    {
      await using strata = await StrataProcess.start(dir);
      await look(strata, model);
      await puts(strata, model, 1000, 2000);
      await look(strata, model);
      await act(strata, model, { kind: "compact", revision: model.revision - 10 });
      await puts(strata, model, 10);
      await strata.end("clean");
    }
    const db = join(dir, "member/snap/db");
    const before = statSync(db).size;
    const { code, stderr } = await run("strata-defrag", ["--data-dir", dir, "--force"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(statSync(db).size).toBeLessThan(before);
    await handOn(dir, model);
  });

  test.concurrent("with segments of 1 MB, laid out as they fill", async () => {
    const dir = join(scratchFolder("ours"), "data");
    const options = { segmentBytes: 1_000_000 };
    const model = new MemberModel();
    {
      await using strata = await StrataProcess.start(dir, options);
      await puts(strata, model, 600, 8000);
      await look(strata, model);
      await strata.end("kill");
    }
    expect(filesIn(join(dir, "member/wal"), ".wal").length).toBeGreaterThan(3);
    await handOn(dir, model, options);
  });

  const moments = process.env.STRATA_FULL ? [1, 30, 60, 100, 200, 400] : [60];
  test.concurrent.each(moments)("after a kill %i ms into a compaction", async (afterMs) => {
    const dir = join(scratchFolder("ours"), "data");
    const options = { compactionBatchLimit: 20, compactionSleepMs: 10, batchIntervalMs: 5 };
    const model = new MemberModel();
    {
      await using strata = await StrataProcess.start(dir, options);
      await puts(strata, model, 2000);
      await look(strata, model);
      for (const key of ["k1", "k2", "k3"]) await act(strata, model, { kind: "delete", key });
      await look(strata, model);
      // At a tombstone, which a strata keeps and this etcd does not.
      await act(strata, model, { kind: "compact", revision: model.revision - 1 });
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await strata.end("kill");
    }
    const file = openPageFile(join(dir, "member/snap/db"));
    expect(file.view((tx) => tx.bucket(META)?.get(FINISHED_COMPACT_REV))).toBeUndefined();
    file.close();
    await handOn(dir, model, options);
  });
});
