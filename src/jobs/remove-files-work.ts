import { SystemDirectory } from "../../native-free/file.ts";
import { removeInSteps } from "../wal/remove-in-steps.ts";
import type { RemoveInput } from "./remove-files.ts";
import { unfinishedName } from "./whole-file.ts";

/** The job itself, on whatever thread. @throws the system's errors, but for a file that is gone already */
export function removeFiles({ folder, names }: RemoveInput): number {
  const directory = new SystemDirectory(folder);
  let removed = 0;
  for (const name of names) {
    if (!directory.exists(name)) continue;
    removeInSteps(directory, name, unfinishedName(name));
    removed++;
  }
  if (removed > 0) directory.sync();
  return removed;
}
