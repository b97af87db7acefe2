/**
 * A data dir that goes from strata to a real etcd and back, again and again: each runs a mixed load on what the other
 * left, and ends as it should, or is killed in the middle. Nothing that either has acknowledged may be gone, and nothing
 * may be there that nobody asked for.
 *
 * STRATA_ROUNDS=20 STRATA_SEED=7 npx vitest run test/e2e/out-and-back.test.ts
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { openPageFile } from "../../src/pagefile/open.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { EtcdMember } from "../support/etcd-member.ts";
import type { RunningMember } from "../support/member-actions.ts";
import { MemberLoad } from "../support/member-load.ts";
import { MemberModel } from "../support/member-model.ts";
import { type Rng, rng } from "../support/rng.ts";
import { StrataProcess } from "../support/strata-process.ts";

const ROUNDS = Number(process.env.STRATA_ROUNDS ?? 4);
const SEED = Number(process.env.STRATA_SEED ?? 1);
const LONG = ROUNDS > 4;

/** `load`: by a kill in the middle of it; `busy`: told to stop in the middle of it; `idle`: told to when it is over. */
type End = "load" | "busy" | "idle";

const ENDS: readonly End[] = ["load", "idle", "busy"];

async function startStrata(dir: string, random: Rng): Promise<RunningMember> {
  return await StrataProcess.start(dir, {
    name: "n1",
    // An alarm that is raised by hand stays.
    selfMaintain: false,
    snapshotCount: random.pick([20, 100, 1000, 100_000]),
    segmentBytes: random.pick([32 * 1024, 256 * 1024, 64_000_000]),
    batchIntervalMs: random.pick([1, 20, 100]),
    compactionBatchLimit: random.pick([20, 10_000]),
    minLeaseTtl: 2,
  });
}

async function startEtcd(dir: string, random: Rng): Promise<RunningMember> {
  const limit = random.pick(["20", "1000"]);
  const snapshotCount = random.pick(["20", "100", "1000", "100000"]);
  return await EtcdMember.start(dir, [
    "--snapshot-count",
    snapshotCount,
    "--experimental-compaction-batch-limit",
    limit,
  ]);
}

/** What it says of itself against the model, its history from where the model has come to. */
async function look(member: RunningMember, model: MemberModel): Promise<void> {
  for (;;) {
    model.follow(await member.history(model.revision + 1));
    const state = await member.state();
    if (state.revision !== model.revision) continue; // A lease has run out meanwhile.
    model.check(state);
    const hash = await member.hash();
    if (hash.revision !== model.revision) continue;
    model.checkHash(hash);
    return;
  }
}

async function round(
  member: RunningMember,
  model: MemberModel,
  load: MemberLoad,
  end: End,
): Promise<void> {
  const size = LONG ? 1500 : 600;
  if (model.alarmed) {
    const disarm = model.issue({ kind: "disarm", member: model.memberId });
    model.answered(disarm, await member.act(disarm.action));
  }
  const concurrency = 32;
  await load.run(member, { actions: size, concurrency, compactUpTo: model.revision });
  await look(member, model);
  if (end === "idle") {
    const raise = model.issue({ kind: "raiseAlarm", member: model.memberId });
    model.answered(raise, await member.act(raise.action));
    await member.end("clean");
    return;
  }
  const stop = new AbortController();
  let ended: Promise<void> | undefined;
  const actions = size * 4;
  const endAt = Math.floor(size * (0.2 + (0.8 * (model.revision % 97)) / 97));
  await load.run(member, {
    actions,
    concurrency,
    compactUpTo: model.revision,
    signal: stop.signal,
    onAnswer: (answered) => {
      if (answered !== endAt) return;
      ended = member.end(end === "load" ? "kill" : "clean");
      stop.abort();
    },
  });
  await ended;
  expect(ended).toBeDefined();
}

function mustCheckClean(dir: string): void {
  const file = openPageFile(join(dir, "member/snap/db"));
  try {
    expect(file.check().faults).toEqual([]);
  } finally {
    file.close();
  }
}

describeWithPeers("out and back", ["etcd", "etcdctl"], () => {
  test(`${ROUNDS} rounds between strata and etcd, seed ${SEED}`, {
    timeout: 20_000 + ROUNDS * 15_000,
  }, async () => {
    const dir = join(scratchFolder("out-and-back"), "data");
    const random = rng(SEED);
    const model = new MemberModel();
    const load = new MemberLoad(model, random);
    const told: string[] = [];
    for (let i = 0; i <= ROUNDS; i++) {
      const start = i % 2 === 0 ? startStrata : startEtcd;
      const how = ENDS[Math.floor(i / 2) % ENDS.length] ?? "idle";
      try {
        const member = await start(dir, random);
        try {
          await look(member, model);
          model.settle();
          // The last one only has a look.
          if (i < ROUNDS) await round(member, model, load, how);
        } finally {
          await member.end("kill");
        }
        mustCheckClean(dir);
      } catch (error) {
        throw new Error(`seed ${SEED}, round ${i}: ${told.join("; ")}`, { cause: error });
      }
      told.push(`${i % 2 === 0 ? "strata" : "etcd"} ended ${how} at ${model.revision}`);
    }
    if (LONG) console.log(SEED, told, model.counts);
    expect(model.counts.acknowledged).toBeGreaterThan(ROUNDS * 400);
    expect(model.counts.revisions).toBeGreaterThan(ROUNDS * 300);
  });
});
