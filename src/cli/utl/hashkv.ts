/** `hashkv FILE`: HashKV of a snapshot, a database file or a data dir, which etcd's own changes and this does not. */
import { EtcdError } from "../../base/errors.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { LOOKING, runJob } from "../../console/job.ts";
import { PROGRESS, progressMode } from "../../console/progress.ts";
import { outputFormat, WRITE_OUT } from "../output-format.ts";
import { refuseSpecialFile } from "../snapshot/snapshot-file.ts";

export const command: Command = {
  usage: "hashkv <filename>",
  description:
    "Prints the hash of all keys and their history in a snapshot, a database file or a data dir:\n" +
    "hash, revision that it is of, compacted revision. Members that have the same history have the same hash.\n" +
    "The file is not changed. A database that a server holds open can be read too.",
  examples: [
    "etcdutl hashkv backup.db",
    "etcdutl hashkv backup.db --rev=1000 -w json",
    "etcdutl hashkv default.etcd",
  ],
  flags: [
    {
      name: "rev",
      kind: "int64",
      default: "0",
      help: "of the history up to this revision; 0 is the last one",
    },
    PROGRESS,
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const { positionals, flags } = args;
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) {
    throw new Failure(EXIT_ERROR, `accepts 1 arg(s), received ${positionals.length}`);
  }
  const format = outputFormat(flags.text(WRITE_OUT.name), ["simple", "json", "table", "fields"]);
  const mode = progressMode(flags.text(PROGRESS.name));
  refuseSpecialFile(path, "data dirs too");
  const { hashKvOfFile } = await import("../../jobs/hash-kv-file.ts");
  const found = await runJob(
    io,
    mode,
    (pool, options) =>
      hashKvOfFile(pool, path, { ...options, revision: Number(flags.int64("rev")) }),
    LOOKING,
  ).catch((error: unknown) => {
    if (!(error instanceof EtcdError)) throw error;
    // It is the store's word here, and no server's.
    throw new Failure(EXIT_ERROR, error.message.replace(/^etcdserver: /, ""));
  });
  const { hash, revision, compactRevision } = found;
  const cells = [hash, revision, compactRevision].map(String);
  switch (format) {
    case "simple":
      io.stdout.write(`${cells.join(", ")}\n`);
      break;
    case "json":
      io.stdout.write(`${JSON.stringify({ hash, hashRevision: revision, compactRevision })}\n`);
      break;
    case "fields":
      io.stdout.write(
        `"Hash" : ${hash}\n"Hash revision" : ${revision}\n"Compact revision" : ${compactRevision}\n`,
      );
      break;
    case "table": {
      const { tableOf } = await import("../../console/table.ts");
      io.stdout.write(tableOf(["hash", "hash revision", "compact revision"], [cells]));
    }
  }
  return EXIT_SUCCESS;
}
