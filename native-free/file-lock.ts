/**
 * The lock that bbolt takes on its file: flock(2), exclusive to write and shared to read. Node has no such call, but
 * the `flock` program of util-linux, busybox or toybox locks a descriptor that it inherits, and the lock belongs to the
 * open file, not to the program: it stays with us when that has ended, until our descriptor is closed or we die.
 * Other programs, a real etcd among them, are kept out and keep us out as if we had made the call.
 */
import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { SystemFile } from "./file.ts";
import { holdsLock, type LockHolder, type LockKind, lockHolders } from "./lock-holders.ts";
import { claimSidecar, sidecarHolders } from "./sidecar-lock.ts";

export { type LockHolder, type LockKind, lockHolders } from "./lock-holders.ts";

export interface HeldLock {
  readonly kind: "held";
  /** What the lock is worth: `flock` binds everyone on this machine, `sidecar` only those who use this module. */
  readonly by: "flock" | "sidecar";
  readonly lock: LockKind;
  /** The kernel lists the lock under our descriptor. False with a sidecar, and where `/proc` does not say (FUSE). */
  readonly confirmed: boolean;
  /** Closes the file, which gives up the lock. Closing twice is harmless. */
  close(): void;
}

export type LockOutcome =
  | HeldLock
  /** Another holds it. `holders` is empty where it cannot be told who. */
  | { readonly kind: "busy"; readonly holders: readonly LockHolder[] }
  /** There is no such lock to be had here, and nothing is locked. */
  | { readonly kind: "unsupported"; readonly why: string };

export interface LockOptions {
  /**
   * What to do where flock(2) cannot be had (no `flock` program, a file system without locks): `none`, the default,
   * ends `unsupported`; `sidecar` takes the weaker lock of `sidecar-lock.ts` and says so in `by`.
   */
  readonly fallback?: "none" | "sidecar";
  /** Name or path of the program, default `flock`. */
  readonly program?: string;
}

/** The lock could be neither had nor refused: no process to be had, or the program failed in its own way. */
export class FileLockError extends Error {
  override readonly name: string = "FileLockError";
  readonly code = "ELOCKFAILED";
}

/** The program answers in 3 to 5 ms; one that hangs (a dead NFS server) must not take us with it. */
const ANSWER_MS_MAX = 10_000;

/** bbolt's `flockRetryTimeout`. */
const RETRY_MS = 50;

/**
 * Takes the lock or says why not; waits for nobody. Blocks the thread 3 to 5 ms, and some more to name the holders.
 *
 * A file that is locked already is converted to `kind`, and on `busy` may have lost what it had: use one open file per
 * lock.
 *
 * @param file  open in any mode (NFS wants it writable for an exclusive lock).
 * @throws FileLockError see there; the lock is then in doubt: close the file.
 */
export function lockFile(file: SystemFile, kind: LockKind, options: LockOptions = {}): LockOutcome {
  const outcome = attempt(file, kind, options);
  return outcome.kind === "busy" ? { kind: "busy", holders: outcome.holders() } : outcome;
}

export interface WaitOptions extends LockOptions {
  /** Rejects with its reason as soon as it aborts. */
  readonly signal?: AbortSignal;
  /** When to give up, with one last attempt at that moment; default never, as bbolt without a timeout. */
  readonly timeoutMs?: number;
  /** Between two attempts; default 50, as bbolt. */
  readonly intervalMs?: number;
  /** Told once, at the first refusal, whom we wait for. */
  readonly onBusy?: (holders: readonly LockHolder[]) => void;
}

/**
 * Takes the lock as soon as it is free. `busy` means that the time was up.
 *
 * @throws FileLockError as `lockFile`; the signal's reason. Neither leaves a lock behind once the file is closed.
 */
export async function waitForLock(
  file: SystemFile,
  kind: LockKind,
  options: WaitOptions = {},
): Promise<LockOutcome> {
  const { signal, timeoutMs = Number.POSITIVE_INFINITY, intervalMs = RETRY_MS } = options;
  const deadlineMs = performance.now() + timeoutMs;
  for (let first = true; ; first = false) {
    signal?.throwIfAborted();
    const outcome = attempt(file, kind, options);
    if (outcome.kind !== "busy") return outcome;
    if (first) options.onBusy?.(outcome.holders());
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) return { kind: "busy", holders: outcome.holders() };
    const waitMs = Math.max(1, Math.min(intervalMs, leftMs));
    await sleep(waitMs, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
  }
}

/** An outcome that has not looked for the holders yet: that takes longer than the attempt. */
type Attempt =
  | Exclude<LockOutcome, { kind: "busy" }>
  | { readonly kind: "busy"; readonly holders: () => LockHolder[] };

function attempt(file: SystemFile, kind: LockKind, options: LockOptions): Attempt {
  const { program = "flock", fallback = "none" } = options;
  const answer = runFlock(file, kind === "exclusive" ? "-x" : "-s", program);
  if (answer.kind === "busy") return { kind: "busy", holders: () => lockHolders(file) };
  if (answer.kind === "unsupported") {
    return fallback === "sidecar" ? attemptSidecar(file, kind) : answer;
  }
  // One who had no flock program may hold a sidecar. He looks at the kernel's locks after he made it, and we at
  // sidecars after we have the kernel's, so at least one of us sees the other.
  const holders = visibleSidecars(file, kind);
  if (holders.length > 0) {
    runFlock(file, "-u", program);
    return { kind: "busy", holders: () => holders };
  }
  return {
    kind: "held",
    by: "flock",
    lock: kind,
    confirmed: holdsLock(file, kind),
    close: () => file.close(),
  };
}

/** None where the directory cannot be read or the file is gone from it: the kernel's lock is what counts. */
function visibleSidecars(file: SystemFile, kind: LockKind): LockHolder[] {
  try {
    return sidecarHolders(realpathSync(file.path), kind);
  } catch {
    return [];
  }
}

function attemptSidecar(file: SystemFile, kind: LockKind): Attempt {
  let claim: ReturnType<typeof claimSidecar>;
  try {
    claim = claimSidecar(realpathSync(file.path), kind);
  } catch (error) {
    return { kind: "unsupported", why: `no lock beside the file: ${(error as Error).message}` };
  }
  if (claim.kind === "busy") return { kind: "busy", holders: () => claim.holders };
  const { release } = claim;
  const conflicting = lockHolders(file).filter(
    (holder) => kind === "exclusive" || holder.kind === "exclusive",
  );
  if (conflicting.length > 0) {
    release();
    return { kind: "busy", holders: () => conflicting };
  }
  return {
    kind: "held",
    by: "sidecar",
    lock: kind,
    confirmed: false,
    close: () => {
      file.close(); // First: who is let in next must not find our last write still to come.
      release();
    },
  };
}

type Answer =
  | { readonly kind: "done" }
  | { readonly kind: "busy" }
  | { readonly kind: "unsupported"; readonly why: string };

/** What the program says where the kernel or the file system has no flock(2): ENOSYS, EOPNOTSUPP, ENOLCK. */
const NO_LOCKS = /Function not implemented|(Operation )?not supported|No locks available/i;

function runFlock(file: SystemFile, what: "-x" | "-s" | "-u", program: string): Answer {
  const { error, status, signal, stderr } = spawnSync(program, ["-n", what, "3"], {
    stdio: ["ignore", "ignore", "pipe", file.fd],
    env: { ...process.env, LC_ALL: "C" }, // Its complaints are told apart by their English text.
    encoding: "utf8",
    timeout: ANSWER_MS_MAX,
  });
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOENT" || code === "EACCES" || code === "ENOEXEC") {
    return { kind: "unsupported", why: `cannot run the program ${program}: ${code}` };
  }
  if (error) {
    throw new FileLockError(`${file.path}: ${program}: ${error.message}`, { cause: error });
  }
  const complaint = stderr.trim();
  if (status === 0) return { kind: "done" };
  if (status === 1 && complaint === "") return { kind: "busy" };
  if (NO_LOCKS.test(complaint)) return { kind: "unsupported", why: complaint };
  const ended = status === null ? `killed by ${signal}` : `status ${status}`;
  throw new FileLockError(`${file.path}: ${program}: ${ended}: ${complaint}`);
}
