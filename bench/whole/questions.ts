/** What an operator waits for: our command and the peer's on the same database, as whole processes. */
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SystemFile } from "../../native-free/file.ts";
import { judgeProgram } from "../../test/support/judge.ts";
import { peer, peerPath } from "../../test/support/peers.ts";
import { type Ran, runWhole } from "./process.ts";

const BUILT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const ETCDCTL = join(BUILT, "src/cli/bin/etcdctl.js");
const ETCDUTL = join(BUILT, "src/cli/bin/etcdutl.js");
const DEFRAG = join(BUILT, "tools/defrag.js");
const INSPECT = join(BUILT, "tools/inspect.js");

export interface WholeQuestion {
  readonly name: string;
  readonly about: string;
  /** The peer's time by ours that we aim at. */
  readonly goal?: number;
  readonly peerName: string;
  readonly hasPeer: () => boolean;
  /** @param database  never to be changed; @param folder  for copies */
  readonly ours: (database: string, folder: string) => Promise<Ran>;
  readonly theirs: (database: string, folder: string) => Promise<Ran>;
  /** What of the two outputs must be equal; nothing when the work leaves a file instead. */
  readonly same?: (stdout: string) => string;
  /** The file that each leaves in the folder, if it leaves one: what is in it must be equal. */
  readonly leaves?: { readonly ours: string; readonly theirs: string };
}

function has(name: "etcdctl" | "go-bbolt"): () => boolean {
  return () => "path" in peer(name);
}

/** A copy in a data dir of its own, on the disk and not on its way to it. */
function dataDir(database: string, folder: string, name: string): string {
  const dir = join(folder, name);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(join(dir, "member/snap"), { recursive: true });
  copyFileSync(database, join(dir, "member/snap/db"));
  const file = new SystemFile(join(dir, "member/snap/db"), "write");
  file.sync();
  file.close();
  return dir;
}

const STATUS: WholeQuestion = {
  name: "snapshot-status",
  about: "etcdctl snapshot status: integrity, hash and counts of a database",
  goal: 2,
  peerName: "etcdctl",
  hasPeer: has("etcdctl"),
  ours: (database) =>
    runWhole(process.execPath, [ETCDCTL, "snapshot", "status", database, "-w", "json"]),
  theirs: (database) =>
    runWhole(peerPath("etcdctl"), ["snapshot", "status", database, "-w", "json"]),
  same: (stdout) => stdout,
};

const LIVE_STATUS: WholeQuestion = {
  name: "snapshot-status-etcdutl",
  about: "our etcdutl, which counts live keys too, beside etcdctl, which does not",
  peerName: "etcdctl",
  hasPeer: has("etcdctl"),
  ours: (database) =>
    runWhole(process.execPath, [ETCDUTL, "snapshot", "status", database, "-w", "json"]),
  theirs: (database) =>
    runWhole(peerPath("etcdctl"), ["snapshot", "status", database, "-w", "json"]),
  same: (stdout) => String((JSON.parse(stdout) as { hash: number }).hash),
};

const DEFRAG_ETCDCTL: WholeQuestion = {
  name: "defrag-etcdctl",
  about: "strata-defrag beside etcdctl defrag --data-dir: copy, sync and swap",
  goal: 4,
  peerName: "etcdctl",
  hasPeer: has("etcdctl"),
  ours: (database, folder) =>
    runWhole(process.execPath, [
      DEFRAG,
      "--data-dir",
      dataDir(database, folder, "ours"),
      "--force",
    ]),
  theirs: (database, folder) =>
    runWhole(peerPath("etcdctl"), ["defrag", "--data-dir", dataDir(database, folder, "theirs")]),
  leaves: { ours: "ours/member/snap/db", theirs: "theirs/member/snap/db" },
};

const DEFRAG_BBOLT: WholeQuestion = {
  name: "defrag-bbolt",
  about:
    "strata-defrag beside bbolt's Compact in Go with 10 MiB transactions and one sync at the end",
  goal: 2.5,
  peerName: "bbolt",
  hasPeer: has("go-bbolt"),
  ours: DEFRAG_ETCDCTL.ours,
  theirs: async (database, folder) => {
    const target = join(folder, "compacted");
    rmSync(target, { force: true });
    const args = ["bench", "compact", "--tx-max-size=10485760", "--no-sync", database, target];
    return await runWhole(judgeProgram(), args);
  },
  leaves: { ours: "ours/member/snap/db", theirs: "compacted" },
};

const CHECK: WholeQuestion = {
  name: "inspect-check",
  about: "strata-inspect check beside bbolt's Tx.Check in Go",
  peerName: "bbolt",
  hasPeer: has("go-bbolt"),
  ours: (database) => runWhole(process.execPath, [INSPECT, database, "check"]),
  theirs: (database) => runWhole(judgeProgram(), ["check", database]),
};

export const WHOLE_QUESTIONS: readonly WholeQuestion[] = [
  STATUS,
  LIVE_STATUS,
  DEFRAG_ETCDCTL,
  DEFRAG_BBOLT,
  CHECK,
];
