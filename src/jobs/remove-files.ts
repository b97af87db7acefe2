/** Removing files that may be big, so that nobody's sync waits for it. */
import type { JobKind } from "./pool.ts";

export interface RemoveInput {
  readonly folder: string;
  readonly names: readonly string[];
}

/** Answers with how many were there. */
export const REMOVE: JobKind<RemoveInput, number> = {
  worker: "remove-files",
  phases: ["removing"],
};
