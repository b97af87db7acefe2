/** What a benchmark asks, and how both sides answer. */
import type { Bench, Measured } from "../../test/support/judge.ts";

/** How much of everything; the same for both sides. */
export interface Size {
  /** Revisions in the loaded file: keys of 17 bytes. */
  readonly revisions: number;
  readonly valueBytes: number;
  readonly gets: number;
  /** Puts in all, by the size of the transaction that they come in. */
  readonly putsBy10000: number;
  readonly putsBy100: number;
  readonly putsBy1: number;
}

export const FULL_SIZE: Size = {
  revisions: 1_000_000,
  valueBytes: 300,
  gets: 1_000_000,
  putsBy10000: 100_000,
  putsBy100: 10_000,
  putsBy1: 1_000,
};

/** Seconds for everything: what the tests run, so that no benchmark rots. */
export const SMOKE_SIZE: Size = {
  revisions: 3_000,
  valueBytes: 300,
  gets: 2_000,
  putsBy10000: 12_000,
  putsBy100: 250,
  putsBy1: 3,
};

/** FULL_SIZE with another number of revisions, everything else in proportion. */
export function sizeOf(revisions: number): Size {
  const part = revisions / FULL_SIZE.revisions;
  const of = (whole: number, least: number): number => Math.max(Math.round(whole * part), least);
  return {
    revisions,
    valueBytes: FULL_SIZE.valueBytes,
    gets: of(FULL_SIZE.gets, 1),
    putsBy10000: of(FULL_SIZE.putsBy10000, 10_000),
    putsBy100: of(FULL_SIZE.putsBy100, 100),
    putsBy1: of(FULL_SIZE.putsBy1, 1),
  };
}

/**
 * The file that a question finds: none, the loaded one which all questions share and none may change, or a copy of it
 * of its own.
 */
export type Start = "empty" | "loaded" | "copy";

export interface Question {
  readonly name: string;
  /** One sentence: what is timed, durable or not, with which memory. */
  readonly about: string;
  /** What an operation is: "puts", … */
  readonly unit: string;
  readonly start: Start;
  /** Our speed by the peer's that we aim at; none for a figure that is only reported. */
  readonly goal?: number;
  /** Our side, in a process of its own. */
  ours(file: string, size: Size): Measured;
  /** The peer's side of the same work. */
  theirs(file: string, size: Size): Bench;
}
