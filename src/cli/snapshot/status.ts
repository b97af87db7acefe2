/**
 * `snapshot status FILE`: FILE is a snapshot, a database file or a data dir.
 *
 * etcdctl prints what etcdctl 3.4 does, etcdutl what etcdutl 3.6 does: live keys in place of rows, and the version.
 */
import { statSync } from "node:fs";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { LOOKING, runJob } from "../../console/job.ts";
import { PROGRESS, progressMode } from "../../console/progress.ts";
import { humanBytes } from "../../console/sizes.ts";
import type { SnapshotStatus } from "../../jobs/snapshot-status.ts";
import { outputFormat, WRITE_OUT } from "../output-format.ts";
import { refuseSpecialFile } from "./snapshot-file.ts";

/** What is printed, in the order of etcd's struct. */
interface Shown {
  readonly hash: number;
  readonly revision: number;
  readonly totalKey: number;
  readonly totalSize: number;
  /** etcdutl's alone. */
  readonly version?: string;
}

interface Variant {
  readonly program: string;
  readonly liveKeys: boolean;
  readonly shown: (status: SnapshotStatus) => Shown;
  readonly columns: string;
}

export const etcdctlSnapshotStatus: Command = snapshotStatusCommand({
  program: "etcdctl",
  liveKeys: false,
  shown: ({ hash, revision, rows, sizeBytes }) => ({
    hash,
    revision,
    totalKey: rows,
    totalSize: sizeBytes,
  }),
  columns: "hash, revision, total keys (rows of all buckets), total size",
});

export const etcdutlSnapshotStatus: Command = snapshotStatusCommand({
  program: "etcdutl",
  liveKeys: true,
  shown: ({ hash, revision, liveKeys, sizeBytes, version }) => ({
    hash,
    revision,
    totalKey: liveKeys ?? 0,
    totalSize: sizeBytes,
    version,
  }),
  columns: "hash, revision, total keys (user keys alive), total size, storage version",
});

function snapshotStatusCommand(variant: Variant): Command {
  const { program, columns } = variant;
  return {
    usage: "snapshot status <filename>",
    description:
      "Checks a snapshot, a database file or the database of a data dir, and says what is in it:\n" +
      `${columns}.\n` +
      "The SHA-256 behind a snapshot is verified. A database that a server holds open can be read too.",
    examples: [
      `${program} snapshot status backup.db`,
      `${program} snapshot status backup.db --write-out=table`,
      `${program} snapshot status default.etcd -w json`,
    ],
    flags: [PROGRESS],
    run: (args, io) => run(args, io, variant),
  };
}

async function run(args: Arguments, io: Io, variant: Variant): Promise<number> {
  const [path, ...more] = args.positionals;
  if (path === undefined || more.length > 0) {
    throw new Failure(EXIT_BAD_ARGS, "snapshot status requires exactly one argument");
  }
  // Before the work, unlike etcd: it may take minutes.
  const format = outputFormat(args.flags.text(WRITE_OUT.name), [
    "simple",
    "json",
    "table",
    "fields",
  ]);
  const mode = progressMode(args.flags.text(PROGRESS.name));
  refuseSpecialFile(path, "data dirs too");
  const { snapshotStatus } = await import("../../jobs/snapshot-status.ts");
  const { databasePath } = await import("../../jobs/database-path.ts");
  const status = await runJob(
    io,
    mode,
    (pool, options) => snapshotStatus(pool, path, { ...options, liveKeys: variant.liveKeys }),
    LOOKING,
  );
  const odd = oddEnd(databasePath(path), status);
  if (odd !== undefined) {
    io.stderr.write(`Warning: ${odd.path}: offset ${odd.offsetBytes}: ${odd.what}\n`);
  }
  io.stdout.write(await PRINTERS[format](variant.shown(status)));
  return EXIT_SUCCESS;
}

type Printer = (shown: Shown) => string | Promise<string>;

const PRINTERS: Readonly<Record<"simple" | "json" | "table" | "fields", Printer>> = {
  simple: (shown) => `${cellsOf(shown).join(", ")}\n`,
  json: (shown) => `${JSON.stringify(shown)}\n`,
  table: async (shown) => {
    const { tableOf } = await import("../../console/table.ts");
    const header = ["hash", "revision", "total keys", "total size"];
    if (shown.version !== undefined) header.push("version");
    return tableOf(header, [cellsOf(shown)]);
  },
  fields: ({ hash, revision, totalKey, totalSize, version }) => {
    const lines = [
      `"Hash" : ${hash}`,
      `"Revision" : ${revision}`,
      `"Keys" : ${totalKey}`,
      `"Size" : ${totalSize}`,
    ];
    if (version !== undefined) lines.push(`"Version" : ${version}`);
    return `${lines.join("\n")}\n`;
  },
};

function cellsOf({ hash, revision, totalKey, totalSize, version }: Shown): string[] {
  const cells = [hash.toString(16), String(revision), String(totalKey), humanBytes(totalSize)];
  if (version !== undefined) cells.push(version);
  return cells;
}

interface OddEnd {
  readonly path: string;
  readonly offsetBytes: number;
  readonly what: string;
}

const BLOCK_BYTES = 512;

/** A length that neither a database has nor a snapshot with its checksum. etcd reads such files without a word. */
function oddEnd(path: string, { trailer, sizeBytes }: SnapshotStatus): OddEnd | undefined {
  const extra = statSync(path).size % BLOCK_BYTES;
  if (trailer.kind !== "none" || extra === 0) return undefined;
  const what = `${extra} bytes that are neither of a page nor a checksum: a snapshot that was cut?`;
  return { path, offsetBytes: sizeBytes, what };
}
