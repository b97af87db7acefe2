/** A data dir of many keys, made by strata's own puts; kept from one run to the next only if asked. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SystemFile } from "../../native-free/file.ts";
import { Strata } from "../../src/index.ts";
import { putAll } from "./stores.ts";
import { valuesOf } from "./workload.ts";

export const START_VALUE_BYTES = 300;
const CALLERS = 1000;
const QUOTA_BYTES = 8 * 2 ** 30;

/** Keys 0 to `keys` - 1 with 300 bytes each, put one by one. */
export async function makeDataDir(folder: string, keys: number): Promise<void> {
  await using store = await Strata.open({ dir: folder }, { quotaBytes: QUOTA_BYTES });
  const range = { from: 0, to: keys, callers: Math.min(CALLERS, keys) };
  await putAll({ put: (key, value) => store.put(key, value) }, valuesOf(START_VALUE_BYTES), range);
}

/**
 * The folder of a data dir that may be copied and never opened. Made in a process of its own, unless one was kept.
 * @param scratch  for one that is not kept
 */
export function madeDataDir(keys: number, keep: boolean, scratch: string): string {
  const kept = join(tmpdir(), `strata-bench-store-${process.getuid?.() ?? 0}-${keys}`);
  if (existsSync(kept)) return kept;
  const making = join(scratch, "making");
  rmSync(making, { recursive: true, force: true });
  const program = fileURLToPath(import.meta.url);
  const ran = spawnSync(process.execPath, [program, making, `${keys}`], { encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`making ${keys} keys: ${ran.error ?? ran.stderr}`);
  const made = keep ? kept : join(scratch, "made");
  renameSync(making, made);
  return made;
}

/** A copy that is on the disk, and not on its way to it. */
export function copyDataDir(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { mode: 0o700 });
  cpSync(from, to, { recursive: true });
  for (const path of filesIn(to)) {
    const file = new SystemFile(path, "write");
    file.sync();
    file.close();
  }
}

export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

export function databaseBytes(dataDir: string): number {
  return statSync(join(dataDir, "member/snap/db")).size;
}

/** For a run that ends with a report. */
export function writeReport(path: string | undefined, report: object): void {
  if (path === undefined) return;
  const whole = { at: new Date().toISOString(), ...report };
  writeFileSync(path, `${JSON.stringify(whole, undefined, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = "", keys] = process.argv.slice(2);
  await makeDataDir(folder, Number(keys));
}
