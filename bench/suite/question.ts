/**
 * What `npm run bench` asks: a piece of work, done by strata and by its peers in turns, at several sizes.
 *
 * A question is made of what the programs of this folder measure already; it only says what is asked, of whom, and what
 * of the answer is the figure.
 */
import type { Entry } from "../store/alternate.ts";

/** How the table is divided. */
export const GROUPS = [
  "in memory",
  "page file",
  "store in a process",
  "server",
  "maintenance",
  "commands",
] as const;

export type Group = (typeof GROUPS)[number];

/** What is to be reached, and against whom. */
export type Goal =
  | { readonly kind: "ratio"; readonly peer: string; readonly atLeast: number }
  | { readonly kind: "value"; readonly atLeast: number }
  | { readonly kind: "value"; readonly atMost: number };

/** A point on a curve. */
export interface Size {
  /** "1,000,000 keys of 64 B": the same in every result, for results are compared by it. */
  readonly label: string;
  /** Where the point is on the curve; equal where the size does not vary by it. */
  readonly keys: number;
  readonly valueBytes: number;
}

/** What a subject says of one round. */
export interface Answer {
  /** In the question's unit. */
  readonly value: number;
  /** Of the work: equal for all subjects of a round, or the run fails. Undefined: another check holds them to it. */
  readonly digest?: string;
  /** Other figures of the same round, by name and unit: "p99 ms", "CPU µs a put", "peak MiB". */
  readonly beside?: Readonly<Record<string, number>>;
}

export interface AskContext {
  /** Empty, on the disk that is measured, removed afterwards. */
  readonly folder: string;
  readonly smoke: boolean;
  readonly progress: (line: string) => void;
}

/** First of the subjects of every question, and the name that all ratios are of. */
export const OURS = "strata";

export interface SuiteQuestion {
  /** "server/puts/10x10": lower case, the parts from the large to the small. `--only` matches it. */
  readonly name: string;
  readonly group: Group;
  /** One sentence: what is timed. */
  readonly about: string;
  /** "puts/s", "ms", "bytes a key". */
  readonly unit: string;
  readonly better: "more" | "less";
  /** The same for all subjects: "each put is on the disk before it is answered". "" where nothing is written. */
  readonly durability: string;
  readonly goal?: Goal;
  /** From the small to the large; the last is what the table shows and the goal is for. */
  readonly sizes: readonly Size[];
  /** Seconds at most, with all subjects. */
  readonly smokeSize: Size;
  /** Default: the suite's. */
  readonly rounds?: number;
  /** Each round is warm by itself: then no round is thrown away before those that count. */
  readonly warmsUpItself?: boolean;
  /** OURS first. A peer that is not on this machine says why in `missing`. Made anew for every size. */
  subjects(size: Size, context: AskContext): Promise<Subjects> | Subjects;
}

/** The subjects of one size, and what they share: a loaded data dir, servers that are up. */
export interface Subjects {
  readonly entries: readonly Entry<Answer>[];
  /** Called once, whether the rounds went well or not. */
  close?(): Promise<void> | void;
}
