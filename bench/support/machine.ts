/** Where figures come from: they mean little without it. */
import { spawnSync } from "node:child_process";
import { statfsSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { SystemFile } from "../../native-free/file.ts";
import { peer } from "../../test/support/peers.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly fileSystem: string;
  readonly node: string;
  /** Undefined when missing; `why` then says what. */
  readonly go: string | undefined;
  readonly bbolt: string | undefined;
  readonly why?: string;
  /** One write of 4 KiB in place and fdatasync, again and again. */
  readonly fdatasync: { readonly medianUs: number; readonly p99Us: number };
}

/** @param folder  on the disk that the benchmark writes to */
export function describeMachine(folder: string): Machine {
  const go = peer("go-bbolt");
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    fileSystem: fileSystemName(statfsSync(folder).type),
    node: process.version,
    go: go.found ? go.version : undefined,
    bbolt: go.found ? bboltVersion() : undefined,
    ...(!go.found && { why: go.why }),
    fdatasync: timeFdatasync(join(folder, "fdatasync")),
  };
}

function fileSystemName(type: number): string {
  const names: Readonly<Record<number, string>> = {
    61267: "ext4",
    16914836: "tmpfs",
    1481003842: "xfs",
    2435016766: "btrfs",
    2035054128: "overlayfs",
  };
  return names[type] ?? `0x${type.toString(16)}`;
}

/** Debian's package is what the judge is built from. */
function bboltVersion(): string {
  const asked = ["-W", "-f", "\u0024{Version}", "golang-github-coreos-bbolt-dev"];
  const ran = spawnSync("dpkg-query", asked, { encoding: "utf8" });
  return ran.status === 0 ? ran.stdout : "unknown";
}

const SYNCS = 300;

function timeFdatasync(path: string): Machine["fdatasync"] {
  const file = new SystemFile(path, "create");
  const block = new Uint8Array(4096).fill(1);
  const us: number[] = [];
  try {
    file.write(0, block);
    file.sync();
    for (let i = 0; i < SYNCS; i++) {
      const startMs = performance.now();
      file.write(0, block);
      file.sync();
      us.push((performance.now() - startMs) * 1000);
    }
  } finally {
    file.close();
  }
  us.sort((a, b) => a - b);
  const at = (part: number): number => Math.round(us[Math.floor(us.length * part)] ?? 0);
  return { medianUs: at(0.5), p99Us: at(0.99) };
}
