/**
 * `snapshot restore FILE`: a data dir for one member of a new cluster.
 *
 * etcdctl's is as of etcd 3.4, etcdutl's as of 3.6: it takes a data dir that is there and empty, can make the revision
 * jump, and says in the log, too, who votes.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec, FlagValues } from "../../console/flags.ts";
import type { Io } from "../../console/io.ts";
import { runJob } from "../../console/job.ts";
import { PROGRESS, progressMode } from "../../console/progress.ts";
import { CLUSTER_FLAGS, newClusterOf } from "./initial-members.ts";
import { refuseSpecialFile } from "./snapshot-file.ts";

const FLAGS: readonly FlagSpec[] = [
  {
    name: "data-dir",
    kind: "string",
    default: "",
    help: "the data directory to be made; <name>.etcd if none is given",
  },
  {
    name: "wal-dir",
    kind: "string",
    default: "",
    help: "where the log is to be; member/wal in the data directory if none is given",
  },
  ...CLUSTER_FLAGS,
  {
    name: "skip-hash-check",
    kind: "bool",
    default: "false",
    help: "take a file without a checksum, as a copy of member/snap/db is one, or with a wrong one",
  },
];

const BUMP_REVISION = "bump-revision";
const MARK_COMPACTED = "mark-compacted";
const MEMORY_MAP_SIZE = "initial-memory-map-size";

const UTL_FLAGS: readonly FlagSpec[] = [
  {
    name: BUMP_REVISION,
    kind: "uint64",
    default: "0",
    help: "how far the revision is to jump, so that clients see none again that they have seen",
  },
  {
    name: MARK_COMPACTED,
    kind: "bool",
    default: "false",
    help: "have all revisions before that compacted; with --bump-revision, and not without",
  },
  {
    name: MEMORY_MAP_SIZE,
    kind: "uint64",
    default: "0",
    help: "accepted for etcdutl's sake: no file is mapped into memory here",
  },
];

interface Variant {
  readonly program: string;
  readonly flags: readonly FlagSpec[];
  /** @throws Failure for flags that do not go together */
  readonly bumpRevision: (flags: FlagValues) => number;
  readonly votersInLog: boolean;
  /** @throws Failure for a data dir that there is */
  readonly refuseDataDir: (path: string) => void;
}

export const etcdctlRestore: Command = restoreCommand({
  program: "etcdctl",
  flags: FLAGS,
  bumpRevision: () => 0,
  votersInLog: false,
  refuseDataDir: (path) => {
    if (existsSync(path)) throw new Failure(EXIT_ERROR, `data-dir ${JSON.stringify(path)} exists`);
  },
});

export const etcdutlRestore: Command = restoreCommand({
  program: "etcdutl",
  flags: [...FLAGS, ...UTL_FLAGS],
  bumpRevision: bumpOf,
  votersInLog: true,
  refuseDataDir: (path) => {
    if (!existsSync(path) || isEmptyFolder(path)) return;
    const what = `data-dir ${JSON.stringify(path)} not empty or could not be read`;
    throw new Failure(EXIT_ERROR, what);
  },
});

function restoreCommand(variant: Variant): Command {
  const { program, flags } = variant;
  return {
    usage: "snapshot restore <filename> [options]",
    description:
      "Makes the data dir of one member of a new cluster from a snapshot: run it once for each member,\n" +
      "with the same snapshot, --initial-cluster and --initial-cluster-token.\n" +
      "The data dir is made wholly or not at all: after a failure or a signal nothing of it is left.",
    examples: [
      `${program} snapshot restore backup.db --data-dir=restored.etcd`,
      `${program} snapshot restore backup.db --name=m1 --data-dir=m1.etcd \\\n` +
        "      --initial-cluster=m1=http://10.0.0.1:2380,m2=http://10.0.0.2:2380,m3=http://10.0.0.3:2380 \\\n" +
        "      --initial-advertise-peer-urls=http://10.0.0.1:2380",
    ],
    flags: [...flags, PROGRESS],
    run: (args, io) => run(args, io, variant),
  };
}

async function run(args: Arguments, io: Io, variant: Variant): Promise<number> {
  const { positionals, flags } = args;
  const [snapshotPath, ...more] = positionals;
  if (snapshotPath === undefined || more.length > 0) {
    throw new Failure(EXIT_BAD_ARGS, "snapshot restore requires exactly one argument");
  }
  const bumpRevision = variant.bumpRevision(flags);
  const mode = progressMode(flags.text(PROGRESS.name));
  const cluster = await newClusterOf(flags);
  const dataDir = flags.text("data-dir") || `${cluster.name}.etcd`;
  variant.refuseDataDir(dataDir);
  const walDir = walDirOf(flags, dataDir);
  refuseSpecialFile(snapshotPath);
  const { restoreSnapshot } = await import("../../jobs/snapshot-restore.ts");
  await runJob(io, mode, (pool, options) =>
    restoreSnapshot(
      pool,
      {
        snapshotPath,
        dataDir,
        walDir,
        ...cluster,
        skipHashCheck: flags.bool("skip-hash-check"),
        votersInLog: variant.votersInLog,
        bumpRevision,
      },
      options,
    ),
  );
  return EXIT_SUCCESS;
}

/** The one flag wants the other. Said in the words of etcd, which has another name for it there. */
function bumpOf(flags: FlagValues): number {
  const bump = flags.int64(BUMP_REVISION);
  if (bump > 0n !== flags.bool(MARK_COMPACTED)) {
    throw new Failure(EXIT_BAD_ARGS, "--mark-compacted required if --revision-bump > 0");
  }
  if (bump > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new Failure(EXIT_BAD_ARGS, `--${BUMP_REVISION}: ${bump} is more than can be counted to`);
  }
  return Number(bump);
}

function walDirOf(flags: FlagValues, dataDir: string): string | undefined {
  const walDir = flags.text("wal-dir");
  if (walDir === "" || walDir === join(dataDir, "member", "wal")) return undefined;
  if (existsSync(walDir)) throw new Failure(EXIT_ERROR, `wal-dir ${JSON.stringify(walDir)} exists`);
  return walDir;
}

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}
