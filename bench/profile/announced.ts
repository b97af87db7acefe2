/** What the processes of a profiled run tell about themselves, and the variables of the environment that ask them to. */

export const PROFILE_FOLDER = "STRATA_PROFILE_FOLDER";
export const PROFILE_NODE = "STRATA_PROFILE_NODE";

export interface Announced {
  readonly pid: number;
  /** Without Node itself. */
  readonly argv: readonly string[];
}
