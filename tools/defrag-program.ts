/**
 * `strata-defrag FILE | --data-dir DIR`: gives back the free space of a database, a snapshot, or the database of a
 * stopped member, and says what that brought.
 */
import { statSync } from "node:fs";
import { StrataError } from "../src/base/errors.ts";
import { PRODUCT_VERSION } from "../src/base/version.ts";
import type { Arguments, Command, Program } from "../src/console/command.ts";
import { EXIT_BAD_ARGS, EXIT_BAD_FEATURE, EXIT_SUCCESS } from "../src/console/exit-codes.ts";
import { Failure } from "../src/console/failure.ts";
import type { Io } from "../src/console/io.ts";
import { runJob } from "../src/console/job.ts";
import { PROGRESS, progressMode } from "../src/console/progress.ts";
import { humanBytes, humanMs } from "../src/console/sizes.ts";
import type { DefragReport } from "../src/jobs/defrag.ts";

const DEFRAG: Command = {
  usage: "(<filename> | --data-dir=<directory>)",
  description:
    "Rewrites a database without its free and half-empty pages. At every moment the old file or the new one is\n" +
    "there, whole; Ctrl-C leaves the old one as it was. A server that is running must be stopped first.\n" +
    "Where there is little to gain nothing is changed, and the exit code is 0 all the same.",
  examples: [
    "strata-defrag --data-dir=default.etcd",
    "strata-defrag backup.db --force",
    "strata-defrag default.etcd/member/snap/db --progress=json --write-out=json",
  ],
  flags: [
    {
      name: "data-dir",
      kind: "string",
      default: "",
      help: "data directory of a member that is not running",
    },
    {
      name: "force",
      kind: "bool",
      default: "false",
      help: "rewrite the file also when there is little to gain",
    },
    {
      name: "write-out",
      short: "w",
      kind: "string",
      default: "simple",
      help: 'output format: "simple" or "json"',
    },
    PROGRESS,
    { name: "version", kind: "bool", default: "false", help: "print the version and exit" },
  ],
  run,
};

export const STRATA_DEFRAG: Program = {
  name: "strata-defrag",
  summary: "Gives back the free space of a database file",
  version: PRODUCT_VERSION,
  globalFlags: [],
  entries: [],
  load: async () => DEFRAG,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const { flags } = args;
  if (flags.bool("version")) {
    io.stdout.write(`strata-defrag version: ${PRODUCT_VERSION}\n`);
    return EXIT_SUCCESS;
  }
  const path = pathOf(args);
  const format = flags.text("write-out");
  if (format !== "simple" && format !== "json") {
    throw new Failure(EXIT_BAD_FEATURE, "unsupported output format");
  }
  const mode = progressMode(flags.text(PROGRESS.name));
  const force = flags.bool("force");
  const { defragFile } = await import("../src/jobs/defrag.ts");
  const { databasePath } = await import("../src/jobs/database-path.ts");
  // Named whole if it is missing, and not by the part of its path that is.
  statSync(databasePath(path));
  try {
    const report = await runJob(io, mode, (pool, options) =>
      defragFile(pool, path, { ...options, force }),
    );
    const done = { defragmented: true, ...report, tookMs: Math.round(report.tookMs) };
    io.stdout.write(`${format === "json" ? JSON.stringify(done) : shown(report)}\n`);
  } catch (error) {
    // What was asked for is so already: no reason for a script to stop. See docs/decisions/0004-commands.md
    if (!(error instanceof StrataError && error.code === "NO_GAIN")) throw error;
    const left = { defragmented: false, path, reason: error.message };
    const said = `${error.message}; left as it is (--force rewrites it)`;
    io.stdout.write(`${format === "json" ? JSON.stringify(left) : said}\n`);
  }
  return EXIT_SUCCESS;
}

function pathOf({ flags, positionals }: Arguments): string {
  const [file, ...more] = positionals;
  const dataDir = flags.given("data-dir") ? flags.text("data-dir") : undefined;
  const path = file ?? dataDir;
  const both = file !== undefined && dataDir !== undefined;
  if (path === undefined || path === "" || both || more.length > 0) {
    throw new Failure(EXIT_BAD_ARGS, "strata-defrag needs one file, or --data-dir");
  }
  return path;
}

/** `db: 78 kB -> 33 kB (58 % gained) in 12 ms`, and what else was done. */
function shown(report: DefragReport): string {
  const { path, fileBeforeBytes, fileAfterBytes, tookMs, trailer, lockedBy, removedLeftovers } =
    report;
  const gained = fileBeforeBytes - fileAfterBytes;
  const percent = Math.round((Math.abs(gained) / Math.max(fileBeforeBytes, 1)) * 100);
  const sizes = `${humanBytes(fileBeforeBytes)} -> ${humanBytes(fileAfterBytes)}`;
  const lines = [
    `${path}: ${sizes} (${percent} % ${gained < 0 ? "more" : "gained"}) in ${humanMs(tookMs)}`,
  ];
  if (lockedBy === "sidecar") {
    lines.push(
      "no flock(2) here: a server that was started meanwhile would not have been kept out",
    );
  }
  if (trailer === "renewed") lines.push("the snapshot's SHA-256 was renewed");
  if (removedLeftovers.length > 0) {
    lines.push(`removed what an earlier run left: ${removedLeftovers.join(", ")}`);
  }
  return lines.join("\n");
}
