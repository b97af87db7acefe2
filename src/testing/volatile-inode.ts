import { Extent } from "./extent.ts";
import type { Rng } from "./rng.ts";

/** What a disk replaces whole: a write is torn at these boundaries and nowhere else. */
export const SECTOR_BYTES = 512;

/** Of what was not synced: all is kept, all is lost, or each sector is kept or lost by coin. */
export type Survival = "keep" | "lose" | "torn";

type Change =
  | { readonly kind: "write"; readonly offsetBytes: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly sizeBytes: number; readonly shrinks: boolean };

/** How likely a sector of one write is kept. Drawn per write, so that whole writes overtake each other as well. */
const KEEP_CHANCES = [0, 0.1, 0.5, 0.9, 1];

/** A file as a kernel has it: what reads see, what the disk is sure to hold, and the changes in between. */
export class VolatileInode {
  readonly #cached: Extent;
  readonly #durable: Extent;
  readonly #unsynced: Change[] = [];
  /** How many changes were synced: the unsynced ones are counted on from there. */
  #synced = 0;

  /** @param content  what an earlier life of the file left on the disk; durable. */
  constructor(content: Extent = new Extent()) {
    this.#cached = content;
    this.#durable = content.copy();
  }

  get size(): number {
    return this.#cached.size;
  }

  read(offsetBytes: number, into: Uint8Array): number {
    return this.#cached.read(offsetBytes, into);
  }

  /** Keeps `bytes` itself: the caller hands over a copy. */
  write(offsetBytes: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#cached.write(offsetBytes, bytes);
    this.#unsynced.push({ kind: "write", offsetBytes, bytes });
  }

  truncate(sizeBytes: number): void {
    const shrinks = sizeBytes < this.#cached.size;
    this.#cached.truncate(sizeBytes);
    this.#unsynced.push({ kind: "truncate", sizeBytes, shrinks });
  }

  /** How many changes there were so far: what a sync that starts now is sure to cover. */
  get changes(): number {
    return this.#synced + this.#unsynced.length;
  }

  /**
   * Costs what changed since the last one, not what the file holds.
   * @param changes  covers the first so many and no later ones; default all.
   */
  sync(changes: number = this.changes): void {
    const covered = this.#unsynced.splice(0, Math.max(0, changes - this.#synced));
    this.#synced += covered.length;
    for (const change of covered) {
      if (change.kind === "write") this.#durable.write(change.offsetBytes, change.bytes);
      else this.#durable.truncate(change.sizeBytes);
    }
  }

  /** What a reader finds after the power was gone. This file is left as it is. */
  survivor(chance: Rng, survival: Survival): Extent {
    if (survival === "keep") return this.#cached.copy();
    const image = this.#durable.copy();
    if (survival === "torn") tear(image, this.#unsynced, chance);
    return image;
  }
}

/**
 * Applies to `image` what of `changes` happened to reach the disk. The rules, which are those of a journaling file
 * system on a disk that writes whole sectors in any order:
 *
 * - The length changes in order: up to some change all were journaled, from there on none. So data may be lost
 *   behind a length that was kept, and reads as zeros there.
 * - Each sector of each write is kept or lost by its own coin. A kept one beyond the length extends the file.
 * - A sector goes out as the cache held it: keeping one write's version includes earlier writes to that same sector.
 * - What was written beyond a cut whose journal entry is lost went to blocks that nothing refers to: lost as well.
 */
function tear(image: Extent, changes: readonly Change[], chance: Rng): void {
  const journaled = chance.int(changes.length + 1);
  const newestKept = new Map<number, number>();
  let lostCutBytes = Number.POSITIVE_INFINITY;
  changes.forEach((change, i) => {
    if (change.kind === "truncate") {
      if (change.shrinks && i >= journaled) lostCutBytes = Math.min(lostCutBytes, change.sizeBytes);
      return;
    }
    const likely = chance.pick(KEEP_CHANCES);
    for (const { sector } of sectorsOf(change.offsetBytes, change.bytes.length)) {
      const kept = chance.bool(likely);
      if (kept && sector * SECTOR_BYTES < lostCutBytes) newestKept.set(sector, i);
    }
  });
  changes.forEach((change, i) => {
    if (change.kind === "write") {
      const { offsetBytes, bytes } = change;
      for (const { sector, from, to } of sectorsOf(offsetBytes, bytes.length)) {
        if ((newestKept.get(sector) ?? -1) >= i)
          image.write(offsetBytes + from, bytes.subarray(from, to));
      }
      if (i < journaled && image.size < offsetBytes + bytes.length)
        image.truncate(offsetBytes + bytes.length);
    } else if (i < journaled) {
      image.truncate(change.sizeBytes);
    } else if (change.shrinks) {
      // The cut itself is lost, but it zeroed the rest of its sector in the cache, and that went out with a later write.
      const sector = Math.floor(change.sizeBytes / SECTOR_BYTES);
      const end = (sector + 1) * SECTOR_BYTES;
      if ((newestKept.get(sector) ?? -1) > i) image.zero(change.sizeBytes, end);
    }
  });
}

/** The sectors of the file that a write touches, with the part of the write that falls into each. */
function* sectorsOf(
  offsetBytes: number,
  bytes: number,
): Generator<{ sector: number; from: number; to: number }> {
  for (let from = 0; from < bytes; ) {
    const sector = Math.floor((offsetBytes + from) / SECTOR_BYTES);
    const to = Math.min(bytes, (sector + 1) * SECTOR_BYTES - offsetBytes);
    yield { sector, from, to };
    from = to;
  }
}
