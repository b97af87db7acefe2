/**
 * The check itself. Which pages are free is what the tree of that commit does not reach: a list that is not stored
 * cannot contradict it.
 */
import { nextTurn } from "../base/turn.ts";
import { checkSteps, checkTree } from "../pagefile/check.ts";
import type { Meta } from "../pagefile/meta.ts";
import type { Page } from "../pagefile/page.ts";
import type { WalkSource } from "../pagefile/page-runs.ts";
import type { WalkVisitor } from "../pagefile/walk.ts";
import type { PinnedCheck } from "./check-pinned.ts";
import type { PinnedFile } from "./hash.ts";
import { ProgressWriter } from "./progress.ts";
import { sourceOf } from "./snapshot-pieces.ts";

/** The job itself, on whatever thread. */
export function checkPinned(
  input: PinnedFile,
  progress: ProgressWriter = new ProgressWriter(),
): PinnedCheck {
  const visitor = new CountingVisitor(input.meta, progress);
  const result = checkTree(sourceOf(input), input.meta, visitor);
  return { ...result, keys: visitor.keys };
}

/** How long a caller's thread is held before others have their turn. */
const SLICE_MS = 1;

/**
 * The same in slices on the caller's thread, for a file that no other thread can read.
 * @param source  of a commit that stays pinned
 */
export async function checkInSlices(
  source: WalkSource,
  meta: Meta,
  signal: AbortSignal,
  progress: ProgressWriter,
): Promise<PinnedCheck> {
  const { path, pageBytes, pgid } = source;
  // Not through a cache: what it holds may be another page by the next slice.
  const uncached: WalkSource = {
    path,
    pageBytes,
    pgid,
    size: () => source.size(),
    readSome: (offsetBytes, into) => source.readSome(offsetBytes, into),
  };
  const visitor = new CountingVisitor(meta, progress);
  let endMs = performance.now() + SLICE_MS;
  const steps = checkSteps(uncached, meta, visitor, () => performance.now() >= endMs);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return { ...step.value, keys: visitor.keys };
    await nextTurn();
    signal.throwIfAborted();
    endMs = performance.now() + SLICE_MS;
  }
}

class CountingVisitor implements WalkVisitor {
  keys = 0;
  readonly #pageBytes: number;
  readonly #progress: ProgressWriter;
  #pages = 0;

  constructor({ pgid, pageBytes }: Meta, progress: ProgressWriter) {
    this.#pageBytes = pageBytes;
    this.#progress = progress;
    progress.phase(0, pgid * pageBytes);
  }

  entered(pages: number): void {
    this.#pages += pages;
    this.#progress.done(this.#pages * this.#pageBytes);
  }

  leaf(page: Page): void {
    this.keys += page.count;
  }

  enterBucket(): boolean {
    // Counted as an element of the leaf it stands in.
    this.keys--;
    return true;
  }
}
