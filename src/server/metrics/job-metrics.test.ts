import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Family, parseExposition } from "../../../test/support/exposition.ts";
import { HttpRig } from "../../../test/support/http-rig.ts";
import { EventLoopWatch } from "./event-loop.ts";

const shown = async (rig: HttpRig): Promise<ReadonlyMap<string, Family>> =>
  parseExposition(await rig.metrics.text());

function value(families: ReadonlyMap<string, Family>, series: string): number | undefined {
  const name = series.replace(/\{.*/, "").replace(/_(count|sum|bucket)$/, "");
  return (families.get(name) ?? families.get(series.replace(/\{.*/, "")))?.series.get(series);
}

test("jobs are counted while they run, and by how they ended", async () => {
  await using rig = await HttpRig.open();
  const { jobs, maintenance } = rig.member;
  const job = jobs.begin("snapshot");
  const another = jobs.begin("snapshot");
  job.report({ phase: "sending", done: 30, total: 40, rate: 1, etaMs: 10 });
  const running = await shown(rig);
  expect(value(running, 'strata_jobs_running{kind="snapshot"}')).toBe(2);
  expect(value(running, 'strata_jobs_running{kind="hash"}')).toBe(0);
  expect(value(running, 'strata_job_progress_ratio{kind="snapshot"}')).toBe(0.75);
  expect(value(running, 'strata_jobs_total{kind="snapshot",outcome="done"}')).toBe(0);
  job.end("failed", "x");
  another.end();
  await maintenance.defragment({ force: true });
  const over = await shown(rig);
  expect(value(over, 'strata_jobs_running{kind="snapshot"}')).toBe(0);
  expect(value(over, 'strata_job_progress_ratio{kind="snapshot"}')).toBeUndefined();
  expect(value(over, 'strata_jobs_total{kind="snapshot",outcome="done"}')).toBe(1);
  expect(value(over, 'strata_jobs_total{kind="snapshot",outcome="failed"}')).toBe(1);
  expect(value(over, 'strata_job_duration_seconds_count{kind="snapshot"}')).toBe(2);
  expect(value(over, 'strata_jobs_total{kind="defragmentation",outcome="done"}')).toBe(1);
  expect(value(over, "strata_defrag_longest_pause_seconds_count")).toBe(1);
  expect(value(over, "strata_defrag_reclaimed_bytes_total")).toBeGreaterThanOrEqual(0);
});

test("who reads an older commit is seen, and what waits for the database", async () => {
  // Nothing is committed by itself.
  await using rig = await HttpRig.open({ member: { backend: { batchIntervalMs: 3_600_000 } } });
  const { backend } = rig.member;
  await rig.member.put({
    kind: "put",
    key: Buffer.from("k"),
    value: Buffer.alloc(1000),
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  });
  const pin = backend.pin("test");
  const held = await shown(rig);
  expect(value(held, "strata_pinned_commits")).toBe(1);
  expect(value(held, "strata_pinned_commit_oldest_seconds")).toBeGreaterThanOrEqual(0);
  expect(value(held, "strata_backend_buffered_bytes")).toBeGreaterThan(1000);
  pin.release();
  await backend.commit();
  const free = await shown(rig);
  expect(value(free, "strata_pinned_commits")).toBe(0);
  expect(value(free, "strata_pinned_commit_oldest_seconds")).toBe(0);
  expect(value(free, "strata_backend_buffered_bytes")).toBe(0);
});

test("what holds the event loop up is seen once", async () => {
  const watch = new EventLoopWatch();
  try {
    watch.take();
    // Delays are from one look to the next: the first one only begins.
    await new Promise((resolve) => setTimeout(resolve, 30));
    const endMs = performance.now() + 150;
    while (performance.now() < endMs);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const look = watch.take();
    expect(look.max).toBeGreaterThan(0.1);
    expect(look.p50).toBeLessThanOrEqual(look.p99);
    expect(look.utilization).toBeGreaterThan(0);
    expect(watch.take()).toMatchObject({ mean: 0, p50: 0, p99: 0, max: 0 });
  } finally {
    watch.close();
  }
});

test("the same is under the names that Node's users know", async () => {
  await using rig = await HttpRig.open();
  const families = await shown(rig);
  for (const key of ["mean", "p50", "p90", "p99", "max"]) {
    expect(value(families, `nodejs_eventloop_lag_${key}_seconds`)).toBeGreaterThanOrEqual(0);
  }
  expect(families.get("strata_event_loop_delay_seconds")?.series.size).toBe(4);
  expect(value(families, "strata_event_loop_utilization_ratio")).toBeGreaterThanOrEqual(0);
});

test("every metric that is not etcd's is explained in docs/monitoring.md", async () => {
  await using rig = await HttpRig.open();
  const own = [...(await shown(rig)).keys()].filter((name) => /^(strata|nodejs)_/.test(name));
  expect(own.length).toBeGreaterThan(20);
  const page = readFileSync(join(import.meta.dirname, "../../../docs/monitoring.md"), "utf8");
  const explained = new Set(
    [...page.matchAll(/`((?:strata|nodejs)_[a-z0-9_{},*]+)`/g)].flatMap(([, name = ""]) =>
      spelled(name),
    ),
  );
  const isExplained = (name: string): boolean =>
    [...explained].some((each) => new RegExp(`^${each.replaceAll("*", ".*")}$`).test(name));
  expect(own.filter((name) => !isExplained(name))).toEqual([]);
});

/** `a_{b,c}_d` is `a_b_d` and `a_c_d`. */
function spelled(name: string): string[] {
  const [, before = "", choices = "", after = ""] = /^(.*)\{(.*)\}(.*)$/.exec(name) ?? [];
  if (choices === "") return [name];
  return choices.split(",").map((choice) => `${before}${choice}${after}`);
}
