import type { Measured } from "../../test/support/judge.ts";
import { openToWrite, startClock, stopped } from "../support/measure.ts";
import type { Question } from "../support/question.ts";

function ours(path: string): Measured {
  const clock = startClock();
  using file = openToWrite(path);
  const measured = stopped(1, clock);
  const { freeBytes } = file.space();
  return { ...measured, digest: String(freeBytes / file.pageBytes) };
}

export const OPEN: Question = {
  name: "open",
  about: "opening the loaded file for writing, which derives the free list from the whole tree",
  unit: "opens",
  start: "loaded",
  ours,
  theirs: (file) => ({ mode: "open", file }),
};
