/**
 * Defragmentation of a database that goes on to be read and written:
 *
 *   pin a commit ─► copy it into a fresh file ─► pin the last commit, bring the copy to it ─► … ─► stop committing,
 *   bring the copy to the last commit, let it take the file's name ─► go on
 *
 * Each round has only what was committed during the one before it, so that little is left for the last. In that one
 * nothing is committed: what is written meanwhile waits in the buffer, and is acknowledged by the log alone.
 */
import type { Meta } from "../pagefile/meta.ts";
import type { Pin } from "./pins.ts";
import type { CopyWork, FreshCopy, Root, SwapReport } from "./storage.ts";

export interface DefragHost {
  /** The last commit. */
  pin(): Pin;
  freshCopy(): FreshCopy;
  /** @throws StrataError FAILED, CLOSED */
  assertWorks(): void;
  /**
   * Runs it while nothing is committed. @throws (rejects) what it throws; as `assertWorks`
   * @returns how long that took
   */
  alone(work: () => Promise<void>): Promise<number>;
  /** Runs the swap alone, and goes on with the new file. */
  swap(work: () => Promise<SwapReport>): Promise<number>;
}

export interface DefragWork extends CopyWork {
  /** Also where nothing is gained. */
  readonly force: boolean;
}

export interface DefragOutcome {
  /** Why nothing was done; undefined: it was. */
  readonly refusal: string | undefined;
  /** For which nothing was committed. */
  readonly longestPauseMs: number;
  /** Of catching up, the last one included. */
  readonly rounds: number;
}

/**
 * What a defragmentation has to give back to be worth its writing: four pages, and a 256th of the file. Less than that
 * is free again after the next few commits, which never write over what the commit before them needs.
 */
const GAIN_PAGES = 4;
const GAIN_PART = 256;

/** What a copy needs besides what the file has in use: a page or two for each bucket's tree. */
const SLACK_PAGES = 16;

/** A round as short as this leaves next to nothing for the next one. */
const SHORT_ROUND_MS = 40;
/** A round that takes more than this part of the one before it: further ones gain little. */
const SHRINKS_TO = 0.7;
const ROUNDS_MAX = 12;

/** @throws (rejects) the signal's reason; as `FreshCopy`. But for FAILED all is as it was then */
export async function defragmentOnline(host: DefragHost, work: DefragWork): Promise<DefragOutcome> {
  const { signal, report } = work;
  signal.throwIfAborted();
  const copy = host.freshCopy();
  let pin = host.pin();
  const none = { longestPauseMs: 0, rounds: 0 };
  let swapped = false;
  try {
    const { space, meta } = pin.root;
    const expected = space.inUseBytes - space.pendingBytes + SLACK_PAGES * meta.pageBytes;
    if (!(work.force || isWorth(meta, expected)) || !hasRoom(copy, expected)) {
      const refusal = await judge(copy, pin.root, work);
      if (refusal !== undefined) return { ...none, refusal };
    }
    const copied = await copy.write(pin.root);
    if (!(work.force || isWorth(meta, copied))) return { ...none, refusal: noGain(meta, copied) };

    let rounds = 0;
    for (let lastMs = Number.POSITIVE_INFINITY; rounds < ROUNDS_MAX; ) {
      rounds++;
      const beganMs = performance.now();
      host.assertWorks();
      const next = host.pin();
      try {
        await copy.catchUp(pin.root.meta, next.root.meta);
      } catch (error) {
        next.release();
        throw error;
      }
      pin.release();
      pin = next;
      const tookMs = performance.now() - beganMs;
      if (tookMs <= SHORT_ROUND_MS || tookMs > lastMs * SHRINKS_TO) break;
      lastMs = tookMs;
    }
    signal.throwIfAborted();
    report("swapping", 0, 0);
    const preparedMs = await host.alone(() => copy.prepare());
    const swappedMs = await host.swap(() => {
      signal.throwIfAborted();
      return copy.swap(pin.root.meta);
    });
    swapped = true;
    return {
      refusal: undefined,
      longestPauseMs: Math.max(preparedMs, swappedMs),
      rounds: rounds + 1,
    };
  } finally {
    pin.release();
    if (!swapped) await copy.discard();
  }
}

/** Knows it exactly, which takes a reading of the whole file. @returns why it is not to be done */
async function judge(
  copy: FreshCopy,
  root: Root,
  { force }: DefragWork,
): Promise<string | undefined> {
  const sizeBytes = await copy.measure(root);
  const { meta } = root;
  if (!force && !isWorth(meta, sizeBytes)) return noGain(meta, sizeBytes);
  copy.assertRoom(sizeBytes);
  return undefined;
}

function hasRoom(copy: FreshCopy, sizeBytes: number): boolean {
  try {
    copy.assertRoom(sizeBytes);
    return true;
  } catch {
    return false;
  }
}

function isWorth({ pgid, pageBytes }: Meta, afterBytes: number): boolean {
  const gained = pgid - afterBytes / pageBytes;
  return gained >= Math.max(GAIN_PAGES, pgid / GAIN_PART);
}

function noGain({ pgid, pageBytes }: Meta, afterBytes: number): string {
  return `nothing worth gaining: ${pgid * pageBytes} bytes would become ${afterBytes}`;
}
