/** Saving a snapshot to a file, as `etcdctl snapshot save` does: wholly, or not at all. */
import type { PinnedFile } from "./hash.ts";
import type { JobKind } from "./pool.ts";

export interface SaveInput extends PinnedFile {
  /** Of the file to be made or replaced. */
  readonly target: string;
}

/** Answers with the length of the file. */
export const SAVE: JobKind<SaveInput, number> = { worker: "snapshot-save", phases: ["saving"] };
