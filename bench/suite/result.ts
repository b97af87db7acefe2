/** What `npm run bench -- --json FILE` leaves: the report is drawn from it, and later runs are compared with it. */
import type { Machine } from "../support/machine.ts";
import type { Spread } from "../support/report.ts";
import type { Goal, Group, Size } from "./question.ts";

export const RESULT_VERSION = 1;

export interface SuiteResult {
  readonly version: typeof RESULT_VERSION;
  /** ISO 8601. */
  readonly at: string;
  readonly smoke: boolean;
  readonly strata: string;
  readonly machine: Machine;
  /** Of every peer that was asked for: its version, or why it is missing. */
  readonly peers: Readonly<Record<string, PeerFound>>;
  readonly questions: readonly QuestionResult[];
}

export type PeerFound = { readonly version: string } | { readonly missing: string };

export interface QuestionResult {
  readonly name: string;
  readonly group: Group;
  readonly about: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly durability: string;
  /** Of the last size; left out where the size that it is for was not measured. */
  readonly goal?: Goal;
  readonly sizes: readonly SizeResult[];
}

export interface SizeResult {
  readonly size: Size;
  /** OURS first. */
  readonly sides: readonly SideResult[];
  /** By peer: how many times better strata is, pair by pair; below 1 it loses. */
  readonly ratios: Readonly<Record<string, Spread>>;
  /** Of the first round; undefined where none is told. */
  readonly digest?: string;
}

export type SideResult =
  | {
      readonly name: string;
      /** One a round. */
      readonly values: readonly number[];
      readonly spread: Spread;
      /** Medians. */
      readonly beside: Readonly<Record<string, number>>;
    }
  | { readonly name: string; readonly missing: string };

/** Undefined: no goal, or it cannot be judged here, for the peer is missing. */
export type Verdict = "met" | "missed" | undefined;
