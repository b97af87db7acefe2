import { SystemDirectory } from "../../native-free/file.ts";
import { releaseSegments } from "../wal/release.ts";
import { releaseSnapFiles, writeSnapFile } from "../wal/snap-file.ts";
import { zeroFill } from "../wal/zero-fill.ts";
import { ProgressWriter } from "./progress.ts";
import type { UpkeepInput } from "./upkeep.ts";

/** The job itself, on a thread that may wait. */
export function doUpkeep(
  input: UpkeepInput,
  progress: ProgressWriter = new ProgressWriter(),
): undefined {
  switch (input.work) {
    case "prepare": {
      const { folder, name, sizeBytes } = input;
      zeroFill(new SystemDirectory(folder), name, sizeBytes, (done) => progress.done(done));
      return;
    }
    case "snap":
      writeSnapFile(new SystemDirectory(input.folder), input.snapshot);
      return;
    case "release":
      releaseSegments(new SystemDirectory(input.walFolder), input.index);
      releaseSnapFiles(new SystemDirectory(input.snapFolder));
  }
}
