import { expect, test } from "vitest";
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
