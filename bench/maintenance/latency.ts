/**
 * Who notices maintenance? Steady puts and gets from processes of their own on a large database, and beside them, each
 * in a time of its own: nothing, an integrity check, a snapshot's status, a slow receiver of a snapshot, hashes, a
 * compaction, a defragmentation; strata and a real etcd on copies of the same data dir, phase by phase in turns.
 *
 *     node dist/bench/maintenance/latency.js [--smoke] [--side strata|etcd|both] [--keys N] [--value-bytes N]
 *         [--puts N] [--gets N] [--connections N] [--seconds S] [--rounds N] [--only PHASE,…] [--slow-rate BYTES]
 *         [--keep] [--json FILE]
 *
 * The load shares the processors with the servers. It is an open loop: what a request takes is counted from when it was
 * due, at most 1,000 puts and as many gets are on their way, and others that are due wait and are late. "stall" is the
 * longest time without the answer to any put. Of compaction and defragmentation, the figures are of the time until
 * they were done and a second more; "after" is the rest of the phase. "loop" is what strata's metrics say of its event
 * loop.
 *
 * In TMPDIR it takes some ten times 500 bytes for each revision; with --keep the data dir stays there for the next run.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { peer } from "../../test/support/peers.ts";
import { mebibytes } from "../store/alternate.ts";
import { databaseBytes, writeReport } from "../store/data-dir.ts";
import { describeMachine } from "../support/machine.ts";
import { contentOf, madeDataDir } from "./data-dir.ts";
import { measureMaintenance, type SideChoice } from "./measure.ts";
import { PHASES } from "./phases.ts";
import { show } from "./table.ts";

const SIDES: readonly SideChoice[] = ["strata", "etcd", "both"];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      side: { type: "string", default: "both" },
      keys: { type: "string" },
      "value-bytes": { type: "string", default: "300" },
      puts: { type: "string", default: "5000" },
      gets: { type: "string", default: "5000" },
      connections: { type: "string", default: "10" },
      seconds: { type: "string" },
      rounds: { type: "string", default: "1" },
      only: { type: "string", default: PHASES.map(({ name }) => name).join() },
      "slow-rate": { type: "string", default: "20000000" },
      keep: { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  const { smoke, keep, json } = values;
  const side = SIDES.find((one) => one === values.side);
  if (side === undefined) throw new Error(`--side is one of ${SIDES.join(", ")}`);
  const wanted = values.only.split(",");
  const unknown = wanted.find((name) => !PHASES.some((phase) => phase.name === name));
  if (unknown !== undefined) throw new Error(`--only: there is no phase ${unknown}`);
  const numbers = {
    keys: Number(values.keys ?? (smoke ? 2000 : 1_000_000)),
    valueBytes: Number(values["value-bytes"]),
    puts: Number(values.puts),
    gets: Number(values.gets),
    connections: Number(values.connections),
    seconds: Number(values.seconds ?? (smoke ? 2 : 60)),
    rounds: Number(values.rounds),
    slowRate: Number(values["slow-rate"]),
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value > 0)) throw new Error(`${name}: ${value} is not above 0`);
  }
  const folder = scratchFolder("bench-maintenance");
  const machine = describeMachine(folder);
  const peers = { etcd: peer("etcd"), etcdctl: peer("etcdctl") };
  console.log(machine, peers, numbers);
  const progress = (line: string): void =>
    console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
  const content = contentOf(numbers.keys, numbers.valueBytes);
  progress("making a data dir");
  const made = madeDataDir(content, keep, folder);
  console.log(content, `database of ${mebibytes(databaseBytes(made))}`);
  const phases = PHASES.filter(({ name }) => wanted.includes(name));
  const options = {
    ...numbers,
    side,
    phases,
    saves: smoke ? 1 : 3,
    warmUpSeconds: smoke ? 0.5 : 3,
  };
  const rounds = await measureMaintenance({ ...options, made, folder, progress });
  console.log(show(rounds, phases));
  const failed = rounds.some(({ figures }) => figures.some(({ failure }) => failure !== undefined));
  if (failed) process.exitCode = 1;
  writeReport(json, { machine, peers, numbers, content, rounds });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
