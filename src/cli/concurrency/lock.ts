/** `lock NAME [COMMAND …]` */
import { rawBytes, rawText } from "../../base/raw-text.ts";
import { Mutex } from "../../client/concurrency/mutex.ts";
import { Session as LeaseSession } from "../../client/concurrency/session.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";
import { runCommand } from "../run-command.ts";
import { connected, type Session } from "../session.ts";
import { aborted, type Ends, rangeViews, unlessEnded, withBase } from "./held.ts";

export const command: Command = {
  usage: "lock [options] <lockname> [exec-command arg1 arg2 ...]",
  description:
    "Waits for a lock, and holds it until it is stopped (SIGINT, SIGTERM), or as long as a command runs, whose exit\n" +
    "code it ends with. The command finds the lock's key and the revision in ETCD_LOCK_KEY and ETCD_LOCK_REV. A command\n" +
    "with flags stands behind `--`.\n" +
    "When the process is killed, the lock is free again as soon as its lease is over.",
  examples: [
    "etcdctl lock backup",
    "etcdctl lock --ttl=30 backup ./backup.sh",
    "etcdctl lock backup -- tar -cf backup.tar data",
  ],
  flags: [
    {
      name: "ttl",
      kind: "int",
      default: "10",
      help: "seconds that the lock stays taken when its holder is gone",
    },
  ],
  run,
};

/** etcd's client takes its own default for what is no time. */
const TTL_SECONDS = 60;

async function run(args: Arguments, io: Io): Promise<number> {
  const [name, ...exec] = args.positionals;
  if (name === undefined) {
    const what = "lock takes a lock name argument and an optional command to execute";
    throw new Failure(EXIT_BAD_ARGS, what);
  }
  const ttl = args.flags.number("ttl");
  const ttlSeconds = ttl > 0 ? ttl : TTL_SECONDS;
  return await connected(args, io, (session) =>
    withBase(session, async (base) => {
      const holder = await LeaseSession.open(base, { ttlSeconds });
      return await io.interruptible(async (stop) => {
        const mutex = new Mutex(holder, rawBytes(name));
        const { lost } = holder;
        const ends = { stop, lost, lostText: "mutex: session is expired" };
        await unlessEnded(ends, mutex.lock({ signal: stop }));
        if (exec.length > 0) await runLocked(session, mutex, exec);
        else await hold(session, mutex, ends);
        return EXIT_SUCCESS;
      });
    }),
  );
}

async function hold(session: Session, mutex: Mutex, ends: Ends): Promise<void> {
  const { stop, lost } = ends;
  const range = session.rpc.call(KV_METHODS.range, { key: mutex.key }, { signal: stop });
  const held = await unlessEnded(ends, range);
  if (held.kvs.length === 0) throw new Failure(EXIT_ERROR, "lock lost on init");
  await session.print(rangeViews(held, session));
  await aborted(stop, lost);
  if (!stop.aborted) throw new Failure(EXIT_ERROR, "session expired");
  await mutex.unlock();
}

/** @throws Failure with the command's own exit code */
async function runLocked({ io }: Session, mutex: Mutex, exec: readonly string[]): Promise<void> {
  const env = {
    ETCD_LOCK_KEY: rawText(mutex.key),
    ETCD_LOCK_REV: String(mutex.revision),
    ...io.env,
  };
  const fault = await runCommand(io, exec, env);
  const unlocked = mutex.unlock();
  if (fault === undefined) {
    await unlocked;
    return;
  }
  await unlocked.catch(() => undefined); // What the command said comes first.
  throw new Failure(fault.exitCode ?? EXIT_ERROR, fault.text);
}
