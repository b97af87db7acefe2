/** `check datascale`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS, type StopSignal } from "../../console/exit-codes.ts";
import { Interrupted } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { connected, type Session } from "../session.ts";
import { barOn } from "./bar.ts";
import { countedLoad, type LoadStats } from "./load.ts";
import { residentMemory } from "./resident-memory.ts";
import {
  checkFlags,
  cleanUp,
  defragEach,
  errorLines,
  putter,
  refuseUsedPrefix,
  type Size,
  sizeOf,
  withClients,
} from "./workload.ts";

export const command: Command = {
  usage: "check datascale [options]",
  description:
    "Writes many keys, and says how much more memory the first endpoint takes: s 10000, m 100000, l 1000000, xl 3000000\n" +
    "keys of 1 KiB. What was written is deleted in the end.",
  examples: ["etcdctl check datascale --load=m --auto-compact --auto-defrag"],
  flags: [
    ...checkFlags("/etcdctl-check-datascale/"),
    { name: "limit", kind: "int", default: "0", help: "so many keys, and no more", hidden: true },
  ],
  run,
};

interface Load {
  readonly pairs: number;
  readonly clients: number;
}

const LOADS: Readonly<Record<Size, Load>> = {
  s: { pairs: 10_000, clients: 50 },
  m: { pairs: 100_000, clients: 200 },
  l: { pairs: 1_000_000, clients: 500 },
  xl: { pairs: 3_000_000, clients: 1000 },
};

const BYTES = { keyBytes: 512, valueBytes: 512 };
const PAIR_BYTES: number = BYTES.keyBytes + BYTES.valueBytes;
const MIB = 1024 * 1024;

async function run(args: Arguments, io: Io): Promise<number> {
  const { pairs, clients } = LOADS[sizeOf(args)];
  const load = { pairs: args.flags.number("limit") || pairs, clients };
  const prefix = args.flags.text("prefix");
  return await connected(args, io, async (session) => {
    const { timeoutMs = 0 } = session.short();
    await refuseUsedPrefix(session, prefix, timeoutMs, `etcdctl del --prefix ${prefix}`);
    const before = await memoryOrSay(session, "before");
    if (before === undefined) return EXIT_ERROR;
    io.stdout.write(
      `Start data scale check for work load [${load.pairs} key-value pairs, ` +
        `${PAIR_BYTES} bytes per key-value, ${clients} concurrent clients].\n`,
    );
    const measured = await io.interruptible(async (signal) => {
      const stats = await underLoad(session, load, prefix, signal);
      const after = signal.aborted ? 0 : await memoryOrSay(session, "after");
      // Whatever was found, nothing is left behind.
      await cleanUp(session, args, prefix);
      if (signal.aborted) throw new Interrupted(signal.reason as StopSignal);
      return { stats, after };
    });
    await defragEach(session, args);
    const { stats, after } = measured;
    if (after === undefined) return EXIT_ERROR;
    if (stats.errors.size > 0) {
      io.stdout.write(errorLines(stats.errors));
      return EXIT_ERROR;
    }
    const usedMib = ((after - before) / MIB).toFixed(2);
    io.stdout.write(`PASS: Approximate system memory used : ${usedMib} MB.\n`);
    return EXIT_SUCCESS;
  });
}

async function memoryOrSay(
  { io, options }: Session,
  when: "before" | "after",
): Promise<number | undefined> {
  try {
    return await residentMemory(options.endpoints[0] ?? "", options.tls);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const what = `Could not read process_resident_memory_bytes ${when} the put operations.`;
    io.stdout.write(`${why}\nFAIL: ${what}\n`);
    return undefined;
  }
}

async function underLoad(
  session: Session,
  { pairs, clients }: Load,
  prefix: string,
  signal: AbortSignal,
): Promise<LoadStats> {
  const bar = await barOn(session.io, pairs, "keys");
  try {
    return await withClients(session, clients, async (rpcs) => {
      const put = putter(rpcs, prefix, BYTES);
      return await countedLoad(pairs, { clients, put, signal }, (done) => bar.update(done));
    });
  } finally {
    bar.end();
  }
}
