/** `migrate`: the storage of a stopped member as another version of etcd has it. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { runJob } from "../../console/job.ts";
import { PROGRESS, progressMode } from "../../console/progress.ts";
import type { StorageVersion } from "../../jobs/migrate.ts";

export const command: Command = {
  usage: "migrate --data-dir=<directory> --target-version=<X.Y>",
  description:
    "Makes the storage of a stopped member fit another version of etcd, 3.5 or 3.6.\n" +
    "strata keeps its storage as 3.5 does, and takes that of 3.6 as well.",
  examples: [
    "etcdutl migrate --data-dir=default.etcd --target-version=3.6",
    "etcdutl migrate --data-dir=default.etcd --target-version=3.5",
  ],
  flags: [
    {
      name: "data-dir",
      kind: "string",
      default: "",
      help: "data directory of a member that is not running",
      required: true,
    },
    {
      name: "target-version",
      kind: "string",
      default: "",
      help: "version of etcd that is to read it, as X.Y: 3.5 or 3.6",
      required: true,
    },
    {
      name: "force",
      kind: "bool",
      default: "false",
      help: "write the version even if the log has what it cannot read; not recommended",
    },
    PROGRESS,
  ],
  run,
};

async function run({ flags }: Arguments, io: Io): Promise<number> {
  const dataDir = flags.text("data-dir");
  const target = targetOf(flags.text("target-version"));
  const mode = progressMode(flags.text(PROGRESS.name));
  // Named whole if it is missing.
  statSync(join(dataDir, "member", "snap", "db"));
  const { migrateStorage } = await import("../../jobs/migrate.ts");
  const { from, to, forcedAgainst } = await runJob(io, mode, (pool, options) =>
    migrateStorage(pool, { dataDir, target, force: flags.bool("force") }, options),
  );
  if (forcedAgainst !== undefined) io.stderr.write(`Warning: forced: ${forcedAgainst}\n`);
  const what = to === undefined ? `storage version up-to-date: ${from}` : `storage version: ${to}`;
  io.stderr.write(`${what}\n`);
  return EXIT_SUCCESS;
}

/** @throws Failure in etcd's words */
function targetOf(text: string): StorageVersion {
  const parts = text.split(".");
  if (parts.length !== 2) {
    const what = `wrong target version format, expected "X.Y", got ${JSON.stringify(text)}`;
    throw new Failure(EXIT_BAD_ARGS, what);
  }
  const wrong = parts.find((part) => !/^\d{1,9}$/.test(part));
  if (wrong !== undefined) {
    const why = `strconv.ParseInt: parsing ${JSON.stringify(wrong)}: invalid syntax`;
    throw new Failure(EXIT_BAD_ARGS, `failed to parse target version: ${why}`);
  }
  const [major = 0, minor = 0] = parts.map(Number);
  if (major < 3 || (major === 3 && minor < 5)) {
    const what = `target version "${major}.${minor}" not supported. Minimal "3.5"`;
    throw new Failure(EXIT_BAD_ARGS, what);
  }
  return { major, minor };
}
