/** Data dirs as a real etcd left them, rebuilt from test/golden. */
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "./cleanup.ts";

export const GOLDEN: string = join(import.meta.dirname, "../golden");

const SNAPS: Readonly<Record<string, string>> = {
  "full.snap15.snap": "0000000000000002-0000000000000015.snap",
  "full.snap2a.snap": "0000000000000002-000000000000002a.snap",
};

/** @param name  `basic`, `full`, `members`, `v36`: those that have both a database and a log */
export function goldenDataDir(name: string): string {
  const dir = join(scratchFolder(`golden-${name}`), "data");
  const snap = join(dir, "member/snap");
  const wal = join(dir, "member/wal");
  mkdirSync(snap, { recursive: true, mode: 0o700 });
  mkdirSync(wal, { mode: 0o700 });
  copyFileSync(join(GOLDEN, `${name}.datadir.db`), join(snap, "db"));
  copyFileSync(join(GOLDEN, `${name}.wal`), join(wal, `${"0".repeat(16)}-${"0".repeat(16)}.wal`));
  for (const [file, under] of Object.entries(SNAPS)) {
    if (file.startsWith(`${name}.`) && existsSync(join(GOLDEN, file))) {
      copyFileSync(join(GOLDEN, file), join(snap, under));
    }
  }
  return dir;
}
