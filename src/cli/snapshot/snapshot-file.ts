/** A file that a command reads from its beginning and from its end. */
import { statSync } from "node:fs";
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";

/**
 * Refuses what is none before anybody waits for it: a pipe is opened when somebody writes to it, and a device has no
 * end. One that is not there is left to whoever opens it to complain of.
 * @throws Failure
 */
export function refuseSpecialFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return;
  const what = found.isDirectory() ? `read ${path}: is a directory` : `${path}: not a regular file`;
  throw new Failure(EXIT_ERROR, what);
}
