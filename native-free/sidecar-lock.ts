/**
 * The lock for where there is no flock(2) to be had: each who wants it puts an empty file beside the locked one,
 *
 *     db.lock.exclusive.4711.88012345.1a2b3c4d.9f8e7d6c
 *             kind      pid  started  where    by chance
 *
 * and then looks who else did. Everything is in the name, so a claim is there whole or not at all; a name is never
 * used twice, so a dead one's claim is removed without a race. Two who come at the same moment may both be refused,
 * never both be let in. Only those who follow the same custom see it: a real etcd does not.
 */
import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import type { LockHolder, LockKind } from "./lock-holders.ts";

interface Claim {
  readonly path: string;
  readonly kind: LockKind;
  readonly pid: number;
  /** When the process started, in clock ticks since boot: a pid is used again, the two together are not. */
  readonly started: string;
  /** Host and pid namespace: elsewhere a pid means another process. */
  readonly where: string;
}

export type SidecarOutcome =
  | { readonly kind: "held"; readonly release: () => void }
  | { readonly kind: "busy"; readonly holders: LockHolder[] };

/**
 * @param path  of the locked file, symbolic links resolved.
 * @throws the system's error if the directory cannot be written.
 */
export function claimSidecar(path: string, kind: LockKind): SidecarOutcome {
  const { started, where } = ourselves();
  const unique = randomBytes(4).toString("hex");
  const own = `${path}.lock.${kind}.${process.pid}.${started}.${where}.${unique}`;
  closeSync(openSync(own, "wx", 0o600));
  // The claim is made before the others are looked at, by everyone: whoever looks last sees all.
  const holders = sidecarHolders(path, kind, own);
  if (holders.length === 0) return { kind: "held", release: () => removeClaim(own) };
  removeClaim(own);
  return { kind: "busy", holders };
}

/**
 * Whose claims keep a lock of this kind from being had. Removes, where it may, those whose process is dead; one from
 * another host or pid namespace counts as alive, for we cannot tell.
 */
export function sidecarHolders(path: string, kind: LockKind, except?: string): LockHolder[] {
  const { where } = ourselves();
  const holders: LockHolder[] = [];
  for (const claim of claimsOn(path)) {
    if (claim.path === except || (claim.kind === "shared" && kind === "shared")) continue;
    const here = claim.where === where;
    if (here && !isAlive(claim)) {
      removeClaim(claim.path);
      continue;
    }
    const command = here ? readText(`/proc/${claim.pid}/comm`)?.trimEnd() : undefined;
    holders.push({ pid: claim.pid, command, kind: claim.kind, sidecar: claim.path });
  }
  return holders;
}

function claimsOn(path: string): Claim[] {
  const prefix = `${basename(path)}.lock.`;
  const claims: Claim[] = [];
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(prefix)) continue;
    const match = /^(exclusive|shared)\.(\d+)\.(\d+)\.([0-9a-f]{8})\.[0-9a-f]{8}$/.exec(
      name.slice(prefix.length),
    );
    if (!match) continue;
    const [, kind, pid, started = "", where = ""] = match;
    claims.push({
      path: join(dirname(path), name),
      kind: kind === "shared" ? "shared" : "exclusive",
      pid: Number(pid),
      started,
      where,
    });
  }
  return claims;
}

function ourselves(): { started: string; where: string } {
  let namespace = "";
  try {
    namespace = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Not Linux: the host is all there is to tell processes apart by.
  }
  const where = createHash("sha256")
    .update(`${hostname()}\n${namespace}`)
    .digest("hex")
    .slice(0, 8);
  return { started: statOf(process.pid)?.started ?? "0", where };
}

/** In doubt, alive: a claim kept too long is an inconvenience, one given up too early costs the data. */
function isAlive(claim: Claim): boolean {
  try {
    process.kill(claim.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const stat = statOf(claim.pid);
  if (!stat) return true;
  const ended = stat.state === "Z" || stat.state === "X";
  return !ended && (claim.started === "0" || stat.started === claim.started);
}

/** Fields 3 and 22 of `/proc/PID/stat`; undefined where there is none. */
function statOf(pid: number): { state: string; started: string } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // Field 2 is the command in brackets, and may hold blanks and brackets of its own.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields[0], fields[19]];
  return state === undefined || started === undefined ? undefined : { state, started };
}

function removeClaim(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // Gone already, or another user's: then it stays, and whoever may remove it will.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EACCES" && code !== "EPERM") throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
