/** What the chart of ratios shows, and where: a row for each pair of a question and a peer, under headings of groups. */
import type { QuestionResult } from "../suite/result.ts";
import { shownRatio } from "./figures.ts";
import { largest } from "./goal.ts";
import { printable } from "./html.ts";

const ROW = 16;
const HEADING = 24;
/** Of the first heading, below the title and the key. */
export const TOP = 62;
/** At 11 px in the widest of the usual fonts this is what is free left of the longest peers. */
const QUESTION_LETTERS = 38;
const PEER_LETTERS = 15;

export interface Row {
  readonly y: number;
  /** In full. */
  readonly pair: string;
  /** "" in the further rows of a question. */
  readonly question: string;
  readonly peer: string;
  readonly ratio: number;
  readonly min: number;
  readonly max: number;
  readonly goal: number | undefined;
  readonly kind: "wins" | "loses";
  /** The figures of the rounds are on both sides of 1. */
  readonly even: boolean;
  readonly figure: string;
}

export interface Heading {
  readonly y: number;
  readonly text: string;
}

/** `bottom` is below the last row. */
export function layOut(questions: readonly QuestionResult[]): {
  readonly rows: readonly Row[];
  readonly headings: readonly Heading[];
  readonly bottom: number;
} {
  const rows: Row[] = [];
  const headings: Heading[] = [];
  let y = TOP;
  for (const group of new Set(questions.map((question) => question.group))) {
    const compared = questions.filter(
      (question) => question.group === group && pairsOf(question).length > 0,
    );
    if (compared.length === 0) continue;
    headings.push({ y: y + HEADING / 2 + 3, text: group });
    y += HEADING;
    for (const question of compared) {
      for (const [i, [peer, ratio]] of pairsOf(question).entries()) {
        const { goal } = question;
        const loses = ratio.median < 1;
        rows.push({
          y: y + ROW / 2,
          pair: `${question.name}, ${peer}:`,
          question: i === 0 ? shortened(question.name, QUESTION_LETTERS) : "",
          peer: shortened(peer, PEER_LETTERS),
          ratio: ratio.median,
          min: ratio.min,
          max: ratio.max,
          goal: goal?.kind === "ratio" && goal.peer === peer ? goal.atLeast : undefined,
          kind: loses ? "loses" : "wins",
          even: ratio.min < 1 && ratio.max > 1,
          figure: `${shownRatio(ratio.median)}${loses ? " loses" : ""}`,
        });
        y += ROW;
      }
    }
  }
  return { rows, headings, bottom: y + 6 };
}

function pairsOf(
  question: QuestionResult,
): [string, { median: number; min: number; max: number }][] {
  return Object.entries(largest(question)?.ratios ?? {})
    .filter(([, { median }]) => Number.isFinite(median) && median > 0)
    .map(([peer, { median, min, max }]) => [
      peer,
      { median, min: min > 0 ? min : median, max: Number.isFinite(max) ? max : median },
    ]);
}
/** What tells names apart is at their ends: the middle goes. */
function shortened(text: string, letters: number): string {
  const shown = printable(text);
  if (shown.length <= letters) return shown;
  const head = Math.ceil((letters - 1) / 2);
  return `${shown.slice(0, head)}…${shown.slice(head - letters + 1)}`;
}
