/** The files that real etcd and bbolt wrote: see test/golden/README.md. */
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
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
