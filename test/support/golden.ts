/** The files that real etcd and bbolt wrote: see test/golden/README.md. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { segmentName } from "../../src/wal/segment-name.ts";
import { scratchFolder } from "./cleanup.ts";

export const GOLDEN: string = join(import.meta.dirname, "../golden");

/** Names of the golden files that end in `suffix`, in order. Never empty. */
export function goldenFiles(suffix: string): string[] {
  const names = readdirSync(GOLDEN)
    .filter((name) => name.endsWith(suffix))
    .sort();
  if (names.length === 0) throw new Error(`no golden file ends in ${suffix}`);
  return names;
}

/** The original: for reading only. */
export function goldenPath(name: string): string {
  return join(GOLDEN, name);
}

/** A copy that may be changed, in a folder of its own that goes at the end. */
export function goldenCopy(name: string): string {
  const path = join(scratchFolder("golden"), basename(name));
  copyFileSync(goldenPath(name), path);
  return path;
}

/** What `etcdctl snapshot status -w json` says of a golden page file. */
export interface GoldenStatus {
  readonly hash: number;
  readonly revision: number;
  readonly totalKey: number;
  readonly totalSize: number;
}

/** Undefined for the files that have no status beside them. */
export function goldenStatus(name: string): GoldenStatus | undefined {
  const file = name.replace(/\.db$/, ".status.json");
  if (!readdirSync(GOLDEN).includes(file)) return undefined;
  return JSON.parse(readFileSync(goldenPath(file), "utf8")) as GoldenStatus;
}

/**
 * A data dir of golden files, as test/golden/README.md says; it goes at the end.
 * @param snaps  golden file by the name it has in a data dir
 */
export function goldenDataDir(
  db: string | undefined,
  wal: string | undefined,
  snaps: Readonly<Record<string, string>> = {},
): string {
  const dir = scratchFolder("golden-dir");
  const snap = join(dir, "member/snap");
  mkdirSync(snap, { recursive: true });
  if (db !== undefined) copyFileSync(goldenPath(db), join(snap, "db"));
  for (const [name, golden] of Object.entries(snaps)) {
    copyFileSync(goldenPath(golden), join(snap, name));
  }
  if (wal !== undefined) {
    const folder = join(dir, "member/wal");
    mkdirSync(folder);
    copyFileSync(goldenPath(wal), join(folder, `${segmentName(0, 0)}`));
  }
  return dir;
}
