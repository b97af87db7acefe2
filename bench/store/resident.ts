/** What the kernel says of a process's memory. */
import { readFileSync } from "node:fs";

/**
 * Bytes; 0 where there is no such file. VmHWM is the most that it had at once, VmRSS what it has now, RssAnon what of
 * that is not a file's.
 */
export function residentBytes(pid: number | "self", what: "VmHWM" | "VmRSS" | "RssAnon"): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(new RegExp(`^${what}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
