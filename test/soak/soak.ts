/**
 * A server that looks after itself, under a mixed load of other processes, for as long as one likes:
 *
 *   npm run soak -- --minutes 30
 *
 * Every answer is compared with what it must be, every change with what a watch sees. At the end a verdict by figures;
 * the exit code is 1 if any of it is not as it must be. With `--minutes 1` it is a quick try.
 */
import { type ChildProcess, fork } from "node:child_process";
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Client } from "../../src/client.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { cleanUpAtEnd, scratchFolder } from "../support/cleanup.ts";
import { judgeCheck } from "../support/judge.ts";
import { peer } from "../support/peers.ts";
import { RealEtcd } from "../support/real-etcd.ts";
import { dataDirOf, ServerProcess } from "../support/server-process.ts";
import { percentile, type Sample, slopePerMinute } from "./figures.ts";
import { LEASE_TTL } from "./lane.ts";
import type { AuditReport, LoadOver, Order, Report, WatchOver, WatchReport } from "./reports.ts";

const MIB = 1024 * 1024;

const { values: asked } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    "quota-mib": { type: "string", default: "256" },
    /** Operations per second of all processes together. */
    rate: { type: "string", default: "1200" },
    processes: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    /** In place of --self-maintain and what goes with it: flags for the server, with blanks between them. */
    flags: { type: "string" },
    /** Compacts and defragments from outside, as a cron job would; for a server that does not by itself. */
    drive: { type: "boolean", default: false },
    folder: { type: "string" },
  },
});

const minutes = Number(asked.minutes);
const quotaBytes = Number(asked["quota-mib"]) * MIB;
const seed = Number(asked.seed);
const LANES = 8;
const KEYS_PER_LANE = 2000;

/** The memory of a process needs time to find its size. */
const SETTLED_MINUTE = 5;
const LEAST_MINUTES_FOR_TREND = 10;
/** What regression may find in noise: this share of what there is, over the rest of the soak. */
const TREND_SHARE = 0.1;
const SAMPLE_MS = 5000;

const retention = minutes >= 5 ? "1m" : "10s";
const flags = [
  `--quota-backend-bytes=${quotaBytes}`,
  ...(asked.flags?.split(" ").filter((flag) => flag !== "") ?? [
    "--self-maintain",
    "--auto-compaction-mode=periodic",
    `--auto-compaction-retention=${retention}`,
    `--auto-defrag=dbSizeFree > ${quotaBytes / MIB / 8}MiB && dbQuotaUsage > 0.4`,
    `--auto-defrag-min-interval=${minutes >= 5 ? "1m" : "10s"}`,
  ]),
];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const errors: string[] = [];
const children: ChildProcess[] = [];
const loadOver: LoadOver[] = [];
let operations = 0;
let writeP99: number[] = [];
let writeMaxMs = 0;
let watched: WatchReport | WatchOver | undefined;
let watchOver: WatchOver | undefined;
let audit: AuditReport | undefined;

function fail(what: string): void {
  errors.push(what);
  if (errors.length < 20) say(`ERROR ${what}`);
}

function start(name: string, ...args: readonly string[]): ChildProcess {
  const child = fork(join(import.meta.dirname, `${name}.js`), args, { stdio: "inherit" });
  cleanUpAtEnd(() => child.kill("SIGKILL"));
  child.on("message", (message) => hear(message as Report));
  child.on("exit", (code, signal) => {
    if (code !== 0) fail(`${name} ended with ${code ?? signal}`);
  });
  children.push(child);
  return child;
}

function tell(child: ChildProcess, order: Order): void {
  if (child.connected) child.send(order);
}

function hear(report: Report): void {
  switch (report.kind) {
    case "load":
      operations += report.operations;
      writeP99.push(report.p99Ms);
      writeMaxMs = Math.max(writeMaxMs, report.maxMs);
      return;
    case "load over":
      loadOver.push(report);
      return;
    case "watch":
      watched = report;
      return;
    case "watch over":
      watched = report;
      watchOver = report;
      return;
    case "audit":
      audit = report;
      return;
    case "error":
      fail(report.what);
  }
}

async function until(what: string, is: () => boolean, timeoutMs: number): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!is()) {
    if (Date.now() > endMs) {
      fail(`${what}: not within ${timeoutMs / 1000} s`);
      return;
    }
    await sleep(50);
  }
}

/** Of the server's own account; those that are not there are 0. */
async function metrics(server: ServerProcess): Promise<(name: string, labels?: string) => number> {
  const text = await (await fetch(`${server.clientUrl}/metrics`)).text();
  return (name, labels = "") => {
    let all = 0;
    for (const line of text.split("\n")) {
      if (!line.startsWith(name) || !/^[{ ]/.test(line.slice(name.length))) continue;
      if (labels !== "" && !labels.split(",").every((label) => line.includes(label))) continue;
      all += Number(line.slice(line.lastIndexOf(" ") + 1));
    }
    return all;
  };
}

const folder = asked.folder ?? scratchFolder("soak");
mkdirSync(folder, { recursive: true });
const server = await ServerProcess.start({ kind: "strata", cwd: folder, flags });
const client = new Client({ endpoints: server.endpoint });
const began = performance.now();
const minuteNow = (): number => (performance.now() - began) / 60_000;
say(`soak of ${minutes} minutes, seed ${seed}, on ${folder}, pid ${server.pid}`);
say(`strata ${flags.join(" ")}`);

const watcher = start("watch-process", server.endpoint);
await until("the watch", () => watched !== undefined, 20_000);
const rate = String(Number(asked.rate) / Number(asked.processes));
const loads = Array.from({ length: Number(asked.processes) }, (_, i) =>
  start(
    "load-process",
    ...[server.endpoint, `${seed * 100 + i}`, `${LANES}`, rate, `${KEYS_PER_LANE}`],
  ),
);
const churnMib = String(quotaBytes / MIB / 6);
loads.push(start("churn-process", server.endpoint, churnMib, minutes >= 5 ? "120" : "10"));
const auditor = start("audit-process", server.endpoint, minutes >= 5 ? "30" : "5");

const rss: Sample[] = [];
const heap: Sample[] = [];
const sizes: Sample[] = [];
let loopMaxMs = 0;

async function sample(): Promise<void> {
  const minute = minuteNow();
  const { sizeBytes } = await client.status();
  sizes.push({ minute, value: sizeBytes / MIB });
  rss.push({ minute, value: server.residentBytes / MIB });
}

let operationsBefore = 0;
async function line(): Promise<void> {
  const minute = minuteNow();
  const { sizeBytes, inUseBytes, errors: alarms } = await client.status();
  const of = await metrics(server);
  heap.push({ minute, value: of("nodejs_heap_size_used_bytes") / MIB });
  const delayMs = of("strata_event_loop_delay_seconds", 'quantile="0.99"') * 1000;
  const delayMaxMs = of("strata_event_loop_delay_seconds", 'quantile="1"') * 1000;
  loopMaxMs = Math.max(loopMaxMs, delayMaxMs);
  const jobs = (kind: string): string =>
    ["done", "refused", "failed", "cancelled"]
      .map((outcome) => of("strata_jobs_total", `kind="${kind}",outcome="${outcome}"`))
      .join("/");
  say(
    [
      `${minute.toFixed(1).padStart(5)} min`,
      `db ${(sizeBytes / MIB).toFixed(0)} MiB`,
      `in use ${(inUseBytes / MIB).toFixed(0)}`,
      `rss ${(server.residentBytes / MIB).toFixed(0)}`,
      `heap ${heap.at(-1)?.value.toFixed(0)}`,
      `loop p99 ${delayMs.toFixed(1)} max ${delayMaxMs.toFixed(1)} ms`,
      `${Math.round((operations - operationsBefore) / Math.min(1, minutes) / 60)} ops/s`,
      `write p99 ${percentile(writeP99, 0.5).toFixed(1)} max ${writeMaxMs.toFixed(0)} ms`,
      `revision ${watched?.revision}`,
      `jobs done/refused/failed/cancelled: defrag ${jobs("defragmentation")} compaction ${jobs("compaction")} snapshot ${jobs("snapshot")}`,
      `errors ${errors.length}`,
      ...alarms,
    ].join(", "),
  );
  operationsBefore = operations;
  writeP99 = [];
  writeMaxMs = 0;
}

/** What runbooks do. */
async function drive(signal: AbortSignal): Promise<void> {
  const everyMs = minutes >= 5 ? 20_000 : 5000;
  while (!signal.aborted) {
    const { revision } = await client.status();
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    await client.compact(revision);
    const { sizeBytes, inUseBytes } = await client.status();
    if (sizeBytes - inUseBytes > 0.4 * sizeBytes) await client.defragment();
  }
}

const over = new AbortController();
const driving = asked.drive
  ? drive(over.signal).catch((error: unknown) => fail(String(error)))
  : undefined;
const endMs = began + minutes * 60_000;
let nextLineMs = began + 60_000;
while (performance.now() < endMs && errors.length < 10 && server.running) {
  await sleep(Math.min(SAMPLE_MS, Math.max(1, endMs - performance.now())));
  await sample().catch((error: unknown) => fail(`status: ${String(error)}`));
  if (performance.now() < nextLineMs) continue;
  nextLineMs += 60_000;
  await line().catch((error: unknown) => fail(`metrics: ${String(error)}`));
}
over.abort();
await driving;
if (!server.running) fail(`the server has gone: ${server.log.slice(-3000)}`);

say("stopping the load");
for (const child of [...loads, auditor]) tell(child, { order: "stop" });
await until("the load's end", () => loadOver.length === loads.length, 60_000);
const ENDED = (child: ChildProcess): boolean => child.exitCode !== null;
await until("the auditor's end", () => ENDED(auditor), 60_000);
// Leases that are left run out by themselves.
await sleep((LEASE_TTL + 4) * 1000);
const last = await client.put("soak/end", "seen");
tell(watcher, { order: "stop at", revision: Number(last.revision) });
await until("the watch's end", () => watchOver !== undefined, 120_000);
const leased = await client.count({ prefix: "lease/" });
const count = await client.count({ prefix: "" });
const known = loadOver.reduce((all, { keys }) => all + keys, 0) + 1;

const checks: [what: string, isTrue: boolean, figures: string][] = [];
const check = (what: string, isTrue: boolean, figures: string): void => {
  checks.push([what, isTrue, figures]);
};

const seen = new Map(watchOver?.lanes.map((lane) => [lane.prefix, lane]));
const made = loadOver.flatMap(({ lanes }) => lanes);
const differing = made.filter(({ prefix, changes, crc }) => {
  const lane = seen.get(prefix);
  return changes > 0 && (lane?.changes !== changes || lane.crc !== crc);
});
check(
  "the watch saw what was acknowledged, in order, once",
  made.length > 0 && differing.length === 0,
  `${watchOver?.events} events, ${made.reduce((all, { changes }) => all + changes, 0)} of lanes; ${watchOver?.replays} replays the same, ${watchOver?.overtaken} overtaken by compaction; differing: ${differing.map(({ prefix }) => prefix).join(" ") || "none"}`,
);
check(
  "leases run out",
  leased === 0,
  `${leased} leased keys left; latest ${watchOver?.latestExpiry.toFixed(1)} s after its time`,
);
check(
  "the model agrees",
  count === known && watchOver?.keys === known,
  `${count} keys, ${known} known, ${watchOver?.keys} watched`,
);
check(
  "snapshots were taken",
  (audit?.snapshots ?? 0) > 0,
  `${audit?.snapshots}, the last of ${audit?.snapshotBytes} bytes; ${audit?.hashes} hashes asked for twice`,
);

const sizeMax = Math.max(...sizes.map(({ value }) => value));
check(
  "the file is bounded",
  sizeMax <= quotaBytes / MIB,
  `at most ${sizeMax.toFixed(0)} of ${quotaBytes / MIB} MiB; slope after ${SETTLED_MINUTE} min ${slopePerMinute(sizes.filter(({ minute }) => minute >= SETTLED_MINUTE)).toFixed(2)} MiB/min`,
);
const settled = rss.filter(({ minute }) => minute >= SETTLED_MINUTE);
const slope = slopePerMinute(settled);
const mean = settled.reduce((all, { value }) => all + value, 0) / Math.max(1, settled.length);
const bound = (mean * TREND_SHARE) / Math.max(1, minutes - SETTLED_MINUTE);
check(
  "memory is bounded",
  minutes < LEAST_MINUTES_FOR_TREND || slope <= bound,
  minutes < LEAST_MINUTES_FOR_TREND
    ? `not judged in less than ${LEAST_MINUTES_FOR_TREND} minutes; at most ${Math.max(...rss.map(({ value }) => value)).toFixed(0)} MiB`
    : `RSS mean ${mean.toFixed(0)} MiB, at most ${Math.max(...rss.map(({ value }) => value)).toFixed(0)}, slope ${slope.toFixed(3)} MiB/min after ${SETTLED_MINUTE} min; bound ${bound.toFixed(3)} (${TREND_SHARE * 100} % of the mean over the rest)`,
);
check("no alarm", (await client.alarms.list()).length === 0, "");

say("closing, and starting again");
const before = await client.hashKv(last.revision);
await client.close();
const stopped = await server.stop();
check("it stops when it is told to", stopped === "SIGTERM" || stopped === 0, `${stopped}`);
const complaints = server.log
  .split("\n")
  .filter((text) => /"level":"(error|warn|fatal|panic)"/.test(text));
const slow = complaints.filter((text) => text.includes('"request stats"'));
const others = complaints.filter((text) => !slow.includes(text));
say(`slow requests in its log: ${slow.length}; other warnings: ${others.length}`);
for (const text of others.slice(0, 20)) say(text.slice(0, 400));

const snap = join(dataDirOf(server), "member/snap");
const litter = readdirSync(snap).filter((name) => !/^(db|[0-9a-f-]+\.snap)$/.test(name));
check("no litter", litter.length === 0, litter.join(" "));
const ours = openPageFile(join(snap, "db"), { readOnly: true });
check("our check of the file", ours.check().faults.length === 0, "");
ours.close();
if (peer("go-bbolt").found) {
  const { errors: faults } = judgeCheck(join(snap, "db"));
  check("bbolt's check of the file", faults.length === 0, faults.slice(0, 3).join("; "));
}
if (peer("etcd").found) {
  const copy = join(folder, "for-etcd");
  cpSync(dataDirOf(server), copy, { recursive: true });
  await using etcd = await RealEtcd.start({
    dataDir: copy,
    name: "default",
    flags: ["--quota-backend-bytes", `${quotaBytes * 2}`],
    readyToRead: true,
  });
  const served = new Client({ endpoints: etcd.clientUrl });
  const servedCount = await served.count({ prefix: "" });
  const { hash } = await served.hashKv(last.revision);
  await served.close();
  check(
    "a real etcd serves it",
    servedCount === count && hash === before.hash,
    `${servedCount} keys, HashKV ${hash} and ${before.hash}`,
  );
}
// Without what would compact meanwhile.
const again = await ServerProcess.start({
  kind: "strata",
  cwd: folder,
  flags: [`--quota-backend-bytes=${quotaBytes}`],
});
const clientAgain = new Client({ endpoints: again.endpoint });
const after = await clientAgain.hashKv(last.revision);
check(
  "a restart finds the same",
  after.hash === before.hash && (await clientAgain.count({ prefix: "" })) === count,
  `HashKV of ${last.revision} ${before.hash}, compacted at ${before.compactRevision}; ${after.hash}, ${after.compactRevision}`,
);
await clientAgain.close();
await again.stop();
check("zero errors", errors.length === 0, `${errors.length}`);

say(
  `\nverdict after ${minutes} minutes, ${operations} operations, revision ${last.revision}; the event loop's longest delay ${loopMaxMs.toFixed(0)} ms`,
);
for (const [what, isTrue, figures] of checks)
  say(`${isTrue ? "ok  " : "FAIL"} ${what}: ${figures}`);
process.exitCode = checks.every(([, isTrue]) => isTrue) ? 0 : 1;
for (const child of children) child.kill("SIGKILL");
