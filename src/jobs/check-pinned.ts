/** The integrity check of one commit of a file that is written meanwhile, on a thread. */
import type { CheckResult } from "../pagefile/check.ts";
import type { PinnedFile } from "./hash.ts";
import type { JobKind } from "./pool.ts";

export interface PinnedCheck extends CheckResult {
  /** Of all buckets, buckets themselves not counted. */
  readonly keys: number;
}

export const CHECK_PINNED: JobKind<PinnedFile, PinnedCheck> = {
  worker: "check-pinned",
  phases: ["checking"],
};
