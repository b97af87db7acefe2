import { expect, test } from "vitest";
import { StrataError } from "../base/errors.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { Jobs } from "./jobs.ts";

function newJobs(): { jobs: Jobs; clock: ManualClock; stopped: AbortController } {
  const clock = new ManualClock();
  const stopped = new AbortController();
  return { jobs: new Jobs(clock, stopped.signal), clock, stopped };
}

test("a job is listed with what it reported last, until it ends", async () => {
  const { jobs, clock } = newJobs();
  const heard: number[] = [];
  const job = jobs.begin("snapshot-save", {
    about: "/backup/x.db",
    onProgress: ({ done }) => heard.push(done),
  });
  await clock.advance(1500);
  job.report({ phase: "saving", done: 10, total: 40, rate: 5, etaMs: 6000 });
  expect(jobs.list()).toMatchObject([
    {
      id: job.id,
      kind: "snapshot-save",
      about: "/backup/x.db",
      unit: "bytes",
      phase: "saving",
      done: 10,
      total: 40,
      etaMs: 6000,
      runningMs: 1500,
      canBeCancelled: true,
      stopping: false,
    },
  ]);
  expect(heard).toEqual([10]);
  job.end();
  job.end();
  expect(jobs.list()).toEqual([]);
});

test("a cancelled job is told to stop, and says so while it does", async () => {
  const { jobs } = newJobs();
  const run = jobs.run("hash", {}, async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    expect(jobs.list()).toMatchObject([{ stopping: true }]);
    signal.throwIfAborted();
  });
  const [hash] = jobs.list();
  jobs.cancel(hash?.id ?? 0);
  await expect(run).rejects.toMatchObject({ code: "CANCELED" });
  expect(() => jobs.cancel(hash?.id ?? 0)).toThrow("no job 1 is running");
});

test("a compaction cannot be cancelled", () => {
  const { jobs } = newJobs();
  const { id } = jobs.begin("compaction", { canBeCancelled: false });
  expect(() => jobs.cancel(id)).toThrow("job 1: a compaction cannot be cancelled");
});

test("all end with the member, and that is waited for", async () => {
  const { jobs, stopped } = newJobs();
  const one = jobs.begin("hash");
  const two = jobs.begin("snapshot");
  let settled = false;
  const all = jobs.settled().then(() => {
    settled = true;
  });
  stopped.abort(new Error("closed"));
  expect([one.signal.aborted, two.signal.aborted]).toEqual([true, true]);
  one.end();
  await Promise.resolve();
  expect(settled).toBe(false);
  two.end();
  await all;
  expect(settled).toBe(true);
});

test("what was aborted before does not begin", async () => {
  const { jobs } = newJobs();
  const signal = AbortSignal.abort(new Error("no"));
  await expect(jobs.run("hash", { signal }, async () => 1)).rejects.toThrow("no");
  expect(jobs.list()).toEqual([]);
});

test("how each ended is counted, and the last of them are remembered", async () => {
  const { jobs, clock } = newJobs();
  await jobs.run("hash", {}, () => clock.advance(2000));
  await expect(
    jobs.run("snapshot-save", { about: "/x" }, async () => {
      throw new Error("disk on fire");
    }),
  ).rejects.toThrow("disk on fire");
  await expect(
    jobs.run("defragmentation", {}, async () => {
      throw new StrataError("NO_DISK", "1 GB is needed");
    }),
  ).rejects.toThrow("1 GB is needed");
  await jobs.run("defragmentation", {}, async (job) => job.end("refused", "nothing to gain"));
  const cancelled = jobs.begin("snapshot");
  jobs.cancel(cancelled.id);
  cancelled.end();
  expect(jobs.finished()).toMatchObject([
    { kind: "hash", outcome: "done", reason: undefined, runningMs: 2000, stopping: false },
    { kind: "snapshot-save", about: "/x", outcome: "failed", reason: "disk on fire" },
    { kind: "defragmentation", outcome: "refused", reason: "1 GB is needed" },
    { kind: "defragmentation", outcome: "refused", reason: "nothing to gain" },
    { kind: "snapshot", outcome: "cancelled", reason: undefined, stopping: false },
  ]);
  const counted = jobs.counts.all().filter(({ seconds }) => seconds.count > 0);
  expect(counted.map(({ kind, outcomes }) => [kind, outcomes])).toEqual([
    ["defragmentation", { done: 0, refused: 2, failed: 0, cancelled: 0 }],
    ["hash", { done: 1, refused: 0, failed: 0, cancelled: 0 }],
    ["snapshot", { done: 0, refused: 0, failed: 0, cancelled: 1 }],
    ["snapshot-save", { done: 0, refused: 0, failed: 1, cancelled: 0 }],
  ]);
  expect(counted[1]?.seconds.sum).toBe(2);
});

test("what is remembered of jobs that are over is bounded", () => {
  const { jobs } = newJobs();
  for (let i = 0; i < 1000; i++) jobs.begin("hash").end();
  expect(jobs.finished().length).toBeLessThan(100);
  expect(jobs.finished().at(-1)?.id).toBe(1000);
});

test("a job whose caller is gone is told to stop, and was cancelled", () => {
  const { jobs } = newJobs();
  const caller = new AbortController();
  const job = jobs.begin("snapshot", { signal: caller.signal });
  caller.abort();
  expect(jobs.list()).toMatchObject([{ stopping: true }]);
  job.end();
  expect(jobs.finished()).toMatchObject([{ outcome: "cancelled" }]);
});
