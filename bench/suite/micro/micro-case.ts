/** A small piece of work in memory, for tinybench: a batch of it is one call, so that a clock reading is nothing. */
import type { Goal, Size } from "../question.ts";

export interface MicroCase {
  /** "memory/crc32c/in-place". */
  readonly name: string;
  readonly about: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly goal?: Goal;
  /** The first is small enough for a smoke run. */
  readonly sizes: readonly [Size, ...Size[]];
  /** What a call makes ready for, and what it is compared with: OURS first. */
  readonly subjects: Readonly<Record<string, (size: Size) => Work>>;
}

export interface Work {
  /** The figure, from what one call of `run` took. */
  figure(seconds: number): number;
  /** The digest is the first call's, the same for all subjects. */
  run(): string | number;
}

export function bytesSize(valueBytes: number): Size {
  const label =
    valueBytes >= 2 ** 20
      ? `${valueBytes / 2 ** 20} MiB`
      : valueBytes % 1024 === 0
        ? `${valueBytes / 1024} KiB`
        : `${valueBytes} B`;
  return { label, keys: 1, valueBytes };
}

export function keysSize(keys: number, valueBytes = 0): Size {
  const value = valueBytes === 0 ? "" : ` of ${valueBytes} B`;
  return { label: `${keys.toLocaleString("en")} keys${value}`, keys, valueBytes };
}

/** Nanoseconds each, of a batch. */
export function nanosecondsEach(batch: number, run: Work["run"]): Work {
  return { run, figure: (seconds) => (seconds * 1e9) / batch };
}

/** So many a second, of a batch. */
export function perSecond(batch: number, run: Work["run"]): Work {
  return { run, figure: (seconds) => batch / seconds };
}

export function sizesOf(
  of: (n: number) => Size,
  first: number,
  ...more: readonly number[]
): readonly [Size, ...Size[]] {
  return [of(first), ...more.map(of)];
}
