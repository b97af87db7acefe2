/** A file that a command reads from its beginning and from its end. */
import { type Stats, statSync } from "node:fs";
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";

/**
 * Refuses what is none before anybody waits for it: a pipe is opened when somebody writes to it, and a device has no
 * end. One that is not there is left to whoever opens it to complain of.
 * @param taken  whether a data dir will do as well
 * @throws Failure
 */
export function refuseSpecialFile(path: string, taken: "files" | "data dirs too" = "files"): void {
  const found = statOf(path);
  if (found === undefined || found.isFile()) return;
  if (found.isDirectory()) {
    if (taken === "data dirs too") return;
    throw new Failure(EXIT_ERROR, `read ${path}: is a directory`);
  }
  throw new Failure(EXIT_ERROR, `${path}: not a regular file`);
}

/** Undefined for what is not there, or cannot be looked at: whoever opens it is told why. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
