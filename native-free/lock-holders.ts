/**
 * Who holds a flock(2): read from Linux's `/proc`, where a locked-out operator would look.
 *
 * Two sources, because neither is enough. `/proc/locks` names the process that *took* each lock; if that one has ended
 * and another goes on with its descriptor (as with `file-lock.ts`, where a child takes the lock for us), the number is
 * a dead one's, and inside a pid namespace the line is not even shown. `/proc/PID/fdinfo/FD` shows a lock where it is
 * held now, but only of processes that we may inspect: our own user's, or all for root.
 */
import { fstatSync, readdirSync, readFileSync } from "node:fs";
import type { SystemFile } from "./file.ts";

export type LockKind = "exclusive" | "shared";

export interface LockHolder {
  /** Undefined: somebody holds it, but in another pid namespace, or under another user and on behalf of a dead one. */
  readonly pid: number | undefined;
  /** The command's name as the kernel keeps it (at most 15 bytes); undefined if it cannot be read. */
  readonly command: string | undefined;
  readonly kind: LockKind;
  /** Path of the file that claims the lock, if it is a sidecar's and not the kernel's. */
  readonly sidecar: string | undefined;
}

/** One FLOCK line: the inode as `major:minor:number` in decimal, and the process that took it. */
interface LockLine {
  readonly inode: string;
  readonly kind: LockKind;
  readonly takenBy: number;
}

/** Waiters (`1: -> FLOCK …`) and other kinds of lock (POSIX, OFDLCK, LEASE) do not match. */
const FLOCK_LINE = /\d+: FLOCK +\S+ +(READ|WRITE) +(-?\d+) +([0-9a-f]+):([0-9a-f]+):(\d+) /;

/**
 * The processes that hold a flock(2) on the file, ourselves included, in order of pid; one that inherited the
 * descriptor is named beside the one it came from.
 *
 * Empty if nobody does, and also where it cannot be known: no `/proc`, no permission, a holder on another machine or
 * outside our pid namespace, a file system that keeps its locks to itself (FUSE). Takes a few milliseconds: it looks at
 * every open file of every process.
 *
 * @param proc  where procfs is mounted; a test hands in its own.
 */
export function lockHolders(file: SystemFile, proc = "/proc"): LockHolder[] {
  const inodes = inodesOf(file, proc);
  const holders = new Map<string, LockHolder>();
  const add = (pid: number | undefined, kind: LockKind): void => {
    const command = pid === undefined ? undefined : readText(`${proc}/${pid}/comm`)?.trimEnd();
    holders.set(`${pid} ${kind}`, { pid, command, kind, sidecar: undefined });
  };

  const explained = new Set<number>();
  const inspected = new Set<number>();
  for (const pid of processes(proc)) {
    for (const fd of names(`${proc}/${pid}/fdinfo`)) {
      inspected.add(pid);
      for (const line of lockLines(`${proc}/${pid}/fdinfo/${fd}`, inodes)) {
        explained.add(line.takenBy);
        add(pid, line.kind);
      }
    }
  }
  for (const { takenBy, kind } of lockLines(`${proc}/locks`, inodes)) {
    if (explained.has(takenBy)) continue;
    // Alive and not ours to inspect: a server of another user, which took its lock itself. Otherwise the number is a
    // dead one's, perhaps used again by a process that has nothing to do with the file.
    const tookItself = takenBy > 0 && !inspected.has(takenBy) && isThere(proc, takenBy);
    add(tookItself ? takenBy : undefined, kind);
  }
  return [...holders.values()].sort((a, b) => (a.pid ?? 0) - (b.pid ?? 0));
}

/** Whether the kernel lists a lock of this kind under our own descriptor: false also where it does not say. */
export function holdsLock(file: SystemFile, kind: LockKind, proc = "/proc"): boolean {
  const lines = lockLines(`${proc}/self/fdinfo/${file.fd}`);
  return lines.some((line) => line.kind === kind);
}

/**
 * The names by which lock lines may call the file's inode. They have the device of the file system, which `fstat`
 * hides on overlayfs and btrfs; there the descriptor's mount tells it.
 */
function inodesOf(file: SystemFile, proc: string): Set<string> {
  const { dev, ino } = fstatSync(file.fd, { bigint: true });
  // The inverse of glibc's makedev: the 12 low bits of major lie at bit 8, minor's 8 low bits at bit 0.
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xffff_f000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffff_ff00n);
  const inodes = new Set([`${major}:${minor}:${ino}`]);

  const info = readText(`${proc}/self/fdinfo/${file.fd}`) ?? "";
  const mount = /^mnt_id:\s*(\d+)/m.exec(info)?.[1];
  const inode = /^ino:\s*(\d+)/m.exec(info)?.[1] ?? ino; // Linux 5.14 and later.
  for (const line of (readText(`${proc}/self/mountinfo`) ?? "").split("\n")) {
    const [id, , device] = line.split(" ");
    if (id === mount && device) inodes.add(`${device}:${inode}`);
  }
  return inodes;
}

/** @param inodes  only lines about one of these; default all. */
function lockLines(path: string, inodes?: ReadonlySet<string>): LockLine[] {
  const found: LockLine[] = [];
  const text = readText(path);
  if (!text?.includes(" FLOCK ")) return found;
  for (const line of text.split("\n")) {
    const match = FLOCK_LINE.exec(line);
    if (!match) continue;
    const [, mode, pid, major = "", minor = "", number] = match;
    const inode = `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}:${number}`;
    if (inodes && !inodes.has(inode)) continue;
    found.push({ inode, kind: mode === "WRITE" ? "exclusive" : "shared", takenBy: Number(pid) });
  }
  return found;
}

function processes(proc: string): number[] {
  return names(proc)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function isThere(proc: string, pid: number): boolean {
  return readText(`${proc}/${pid}/stat`) !== undefined;
}

/** Processes end while we look, and most are none of our business: what cannot be read is not there. */
function names(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
