/**
 * What a short command takes: ours, the real etcdctl and bare Node in turn, against one real etcd. Wall time by the
 * clock of whoever starts them, and the peak of their memory.
 *
 *     node dist/bench/cli.js [--rounds N] [--json FILE]
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { scratchFolder } from "../test/support/cleanup.ts";
import { peerPath } from "../test/support/peers.ts";
import { ServerProcess } from "../test/support/server-process.ts";
import { describeMachine } from "./support/machine.ts";
import { type Spread, spread } from "./support/report.ts";

interface Figure {
  readonly wallMs: number;
  readonly peakRssBytes: number;
}

interface Row {
  readonly command: string;
  readonly who: string;
  readonly wallMs: Spread;
  readonly peakRssBytes: number;
}

/** Beside this file, which is built, too. */
const BUILT = join(import.meta.dirname, "../src/cli/bin/etcdctl.js");
const COMMANDS: readonly (readonly string[])[] = [["version"], ["put", "k", "v"], ["get", "k"]];
const { values } = parseArgs({
  options: { rounds: { type: "string", default: "31" }, json: { type: "string" } },
});
const rounds = Number(values.rounds);
const folder = scratchFolder("bench-cli");
await using etcd = await ServerProcess.start({ kind: "etcd", cwd: folder });

const bare: readonly string[] = [process.execPath, "-e", "0"];
const contestants: {
  readonly command: string;
  readonly who: string;
  readonly line: readonly string[];
}[] = [{ command: "(nothing)", who: "node", line: bare }];
for (const args of COMMANDS) {
  const command = args.join(" ");
  const ours = [process.execPath, BUILT, ...args];
  contestants.push({ command, who: "ours", line: ours });
  contestants.push({ command, who: "etcdctl", line: [peerPath("etcdctl"), ...args] });
}

const figures = contestants.map((): Figure[] => []);
// Once before: whatever the first one brings into memory is there for all.
for (let round = -1; round < rounds; round++) {
  for (const [i, { line }] of contestants.entries()) {
    const figure = measured(line);
    if (round >= 0) figures[i]?.push(figure);
  }
}

const rows: readonly Row[] = contestants.map(({ command, who }, i) => ({
  command,
  who,
  wallMs: spread((figures[i] ?? []).map(({ wallMs }) => wallMs)),
  peakRssBytes: spread((figures[i] ?? []).map(({ peakRssBytes }) => peakRssBytes)).max,
}));
console.table(
  rows.map(({ command, who, wallMs, peakRssBytes }) => ({
    command,
    who,
    "wall ms": shown(wallMs),
    "peak MiB": (peakRssBytes / 2 ** 20).toFixed(0),
  })),
);
for (const args of COMMANDS) {
  const [ours, theirs] = ["ours", "etcdctl"].map(
    (name) => rows.find(({ command, who }) => command === args.join(" ") && who === name)?.wallMs,
  );
  if (ours === undefined || theirs === undefined) continue;
  const floor = rows[0]?.wallMs.median ?? 0;
  console.log(
    `${args[0]}: ${(ours.median / theirs.median).toFixed(2)} times the real one's, ` +
      `${(ours.median / floor).toFixed(2)} times Node's own`,
  );
}
if (values.json !== undefined) {
  const report = { machine: describeMachine(folder), rounds, rows };
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** GNU time tells what the kernel counted; it takes a millisecond of its own, from everybody. */
function measured(line: readonly string[]): Figure {
  const told = join(folder, "time");
  const startMs = performance.now();
  const ran = spawnSync("time", ["-f", "%M", "-o", told, ...line], {
    env: { PATH: process.env.PATH, ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: etcd.endpoint },
  });
  const wallMs = performance.now() - startMs;
  if (ran.status !== 0)
    throw new Error(`${line.join(" ")} ended with ${ran.status}: ${ran.stderr}`);
  return { wallMs, peakRssBytes: Number(readFileSync(told, "utf8")) * 1024 };
}

function shown({ median, min, max }: Spread): string {
  return `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`;
}
