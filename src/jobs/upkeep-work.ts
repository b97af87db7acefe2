import { SystemDirectory } from "../../native-free/file.ts";
import { StrataError } from "../base/errors.ts";
import { releaseSegments } from "../wal/release.ts";
import { releaseSnapFiles, writeSnapFile } from "../wal/snap-file.ts";
import { zeroFill } from "../wal/zero-fill.ts";
import { ProgressWriter } from "./progress.ts";
import type { UpkeepInput } from "./upkeep.ts";

/** On a disk with less room than for so many, what may never be needed would take it from what is. */
const FREE_SEGMENTS = 4;

/** The job itself, on a thread that may wait. */
export function doUpkeep(
  input: UpkeepInput,
  progress: ProgressWriter = new ProgressWriter(),
): undefined {
  switch (input.work) {
    case "prepare": {
      const { name, sizeBytes } = input;
      const folder = new SystemDirectory(input.folder);
      if (folder.freeBytes() < FREE_SEGMENTS * sizeBytes) {
        throw new StrataError("NO_SPACE", `${folder.path}: too little room to lay out ${name}`);
      }
      zeroFill(folder, name, sizeBytes, (done) => progress.done(done));
      return;
    }
    case "snap":
      writeSnapFile(new SystemDirectory(input.folder), input.snapshot);
      return;
    case "release":
      releaseSegments(new SystemDirectory(input.walFolder), input.index, input.kept.wals);
      releaseSnapFiles(new SystemDirectory(input.snapFolder), input.kept.snapshots);
  }
}
