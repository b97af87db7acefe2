/**
 * `snapshot save FILE`: FILE is there when all of it is, verified and on the disk; what was there before is there until
 * then.
 *
 * @see etcd client/v3/snapshot/v3_snapshot.go SaveWithVersion
 */
import { basename, dirname } from "node:path";
import { SystemDirectory } from "../../../native-free/file.ts";
import type { Arguments, Command } from "../../console/command.ts";
import {
  EXIT_BAD_ARGS,
  EXIT_BAD_CONNECTION,
  EXIT_INTERRUPTED,
  EXIT_SUCCESS,
  type StopSignal,
} from "../../console/exit-codes.ts";
import { explain, Failure, Interrupted } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { PROGRESS, progressDisplay, progressMode } from "../../console/progress.ts";
import { unfinishedName } from "../../jobs/whole-file.ts";
import { connected, type Session } from "../session.ts";
import { statOf } from "./snapshot-file.ts";

export const command: Command = {
  usage: "snapshot save <filename>",
  description:
    "Saves the database of one member, as it is now, to a file.\n" +
    "What was under that name is replaced when the whole snapshot is there, verified and on the disk.\n" +
    "It takes as long as it takes, unless --command-timeout is given.",
  examples: [
    "etcdctl snapshot save backup.db",
    "etcdctl --endpoints=10.0.0.1:2379 snapshot save backup.db",
    "etcdctl --endpoints=10.0.0.1:2379 --command-timeout=10m snapshot save backup.db",
  ],
  flags: [PROGRESS],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [path, ...more] = args.positionals;
  if (path === undefined || more.length > 0) {
    throw new Failure(EXIT_BAD_ARGS, "snapshot save expects one argument");
  }
  const display = await progressDisplay(progressMode(args.flags.text(PROGRESS.name)), io);
  return await connected(args, io, async ({ rpc, endpoints, flags }) => {
    const timeoutMs = flags.given("command-timeout") ? flags.number("command-timeout") : undefined;
    if (endpoints.length !== 1) throw notOne(endpoints);
    const version = await io.interruptible(async (signal) => {
      try {
        return await save(rpc, path, { timeoutMs, signal, onProgress: display.show });
      } catch (error) {
        if (signal.aborted) throw new Interrupted(signal.reason as StopSignal);
        throw shown(error, path);
      } finally {
        display.end();
      }
    });
    io.stdout.write(`Snapshot saved at ${path}\n`);
    if (version !== "") io.stdout.write(`Server version ${version}\n`);
    return EXIT_SUCCESS;
  }).catch((error: unknown) => {
    // A client that could not be made is a snapshot that could not be saved.
    if (!(error instanceof Failure && error.exitCode === EXIT_BAD_CONNECTION)) throw error;
    // Of no endpoint there is no client, and etcd counts before it makes one.
    if (args.flags.list("endpoints").length === 0) throw notOne([]);
    throw new Failure(EXIT_INTERRUPTED, error.message, { cause: error });
  });
}

function notOne(endpoints: readonly string[]): Failure {
  const what = `snapshot must be requested to one selected node, not multiple [${endpoints.join(" ")}]`;
  return new Failure(EXIT_INTERRUPTED, what);
}

type SaveSettings = Parameters<
  typeof import("../../client/maintenance/snapshot.ts").openSnapshot
>[1];

/** @returns the server's version */
async function save(rpc: Session["rpc"], path: string, settings: SaveSettings): Promise<string> {
  const { openSnapshot } = await import("../../client/maintenance/snapshot.ts");
  const { receiveSnapshot } = await import("../../jobs/snapshot-receive.ts");
  refuseFolder(path);
  let version = "";
  async function* pieces(): AsyncGenerator<Uint8Array, void> {
    const snapshot = await openSnapshot(rpc, settings);
    ({ version } = snapshot);
    yield* snapshot;
  }
  await receiveSnapshot(new SystemDirectory(dirname(path)), basename(path), pieces());
  return version;
}

/** The last step would fail, after everything has come. */
function refuseFolder(path: string): void {
  if (statOf(path)?.isDirectory() !== true) return;
  const part = unfinishedName(path);
  const why = `rename ${part} ${path}: file exists`;
  throw new Failure(EXIT_INTERRUPTED, `could not rename ${part} to ${path} (${why})`);
}

/** In etcd's words, which name the file also where the system's error does not. */
function shown(error: unknown, path: string): unknown {
  const text = explain(error);
  if (text === undefined || error instanceof Failure) return error;
  const part = unfinishedName(path);
  const syscall = error instanceof Error && "syscall" in error ? error.syscall : undefined;
  // What the system says of it, without the place, which may be a path of another form.
  const why = text.slice(text.lastIndexOf(": ") + 2);
  switch (syscall) {
    case "open":
      return new Failure(EXIT_INTERRUPTED, `could not open ${part} (open ${part}: ${why})`);
    case "write":
      return new Failure(EXIT_INTERRUPTED, `write ${part}: ${why}`);
    case "rename": {
      const what = `could not rename ${part} to ${path} (rename ${part} ${path}: ${why})`;
      return new Failure(EXIT_INTERRUPTED, what);
    }
    default:
      return new Failure(EXIT_INTERRUPTED, text, { cause: error });
  }
}
