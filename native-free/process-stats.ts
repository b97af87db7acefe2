/**
 * What Linux knows of this process, for metrics. Read without blocking: a process with ten thousand sockets has a long
 * list of files.
 */
import { readdir, readFile } from "node:fs/promises";

export interface ProcessStats {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly virtualBytes: number;
  /** Infinity: none. */
  readonly virtualBytesMax: number;
  readonly openFds: number;
  readonly maxFds: number;
  /** Since 1970. */
  readonly startSeconds: number;
}

const UNKNOWN: ProcessStats = {
  cpuSeconds: 0,
  residentBytes: 0,
  virtualBytes: 0,
  virtualBytesMax: Number.POSITIVE_INFINITY,
  openFds: 0,
  maxFds: 0,
  startSeconds: 0,
};

/** Where there is no /proc, what Node knows, and 0 for the rest. */
export async function readProcessStats(): Promise<ProcessStats> {
  const { user, system } = process.cpuUsage();
  const known = {
    ...UNKNOWN,
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startSeconds: Date.now() / 1000 - process.uptime(),
  };
  try {
    const [stat, limits, fds] = await Promise.all([
      readFile("/proc/self/stat", "latin1"),
      readFile("/proc/self/limits", "latin1"),
      readdir("/proc/self/fd"),
    ]);
    // The name in parentheses may hold anything; the fields after it are numbers, from the third on.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      ...known,
      virtualBytes: Number(fields[20]),
      virtualBytesMax: limitOf(limits, "Max address space"),
      // Without the one that reads the list.
      openFds: fds.length - 1,
      maxFds: limitOf(limits, "Max open files"),
    };
  } catch {
    return known;
  }
}

function limitOf(limits: string, name: string): number {
  const line = limits.split("\n").find((each) => each.startsWith(name)) ?? "";
  const soft = line.slice(name.length).trim().split(/\s+/)[0] ?? "";
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}
