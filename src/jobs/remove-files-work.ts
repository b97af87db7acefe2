import { type Directory, SystemDirectory } from "../../native-free/file.ts";
import { removeInSteps } from "../wal/remove-in-steps.ts";
import type { RemoveInput } from "./remove-files.ts";
import { unfinishedName } from "./whole-file.ts";

/** The job itself, on whatever thread. */
export function removeFiles({ folder, names }: RemoveInput): number {
  return removeFrom(new SystemDirectory(folder), names);
}

/** @returns how many there were. @throws the system's errors, but for a file that is gone already */
export function removeFrom(directory: Directory, names: readonly string[]): number {
  let removed = 0;
  for (const name of names) {
    if (!directory.exists(name)) continue;
    removeInSteps(directory, name, unfinishedName(name));
    removed++;
  }
  if (removed > 0) directory.sync();
  return removed;
}
