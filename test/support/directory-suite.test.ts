import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { SystemDirectory } from "../../native-free/file.ts";
import { describeDirectory, describeDirectoryTree, describeSyncBeside } from "./directory-suite.ts";
import { ErrorDisk } from "./error-disk.ts";
import { PowerCutDisk } from "./power-cut-disk.ts";
import { rng } from "./rng.ts";

function onTheSystem(): SystemDirectory {
  const path = mkdtempSync(join(tmpdir(), "strata-directory-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return new SystemDirectory(path);
}

describeDirectory("the system", onTheSystem);
describeDirectoryTree("the system", onTheSystem);
describeSyncBeside("the system", onTheSystem);

describeDirectory("a disk whose power stays on", () => new PowerCutDisk());
describeDirectoryTree("a disk whose power stays on", () => new PowerCutDisk());
describeSyncBeside("a disk whose power stays on", () => new PowerCutDisk());

describeDirectory("a directory made on such a disk", () => {
  const disk = new PowerCutDisk();
  disk.makeFolder("wal");
  return disk.folder("wal");
});

describeDirectory("a folder of such a disk", () => new PowerCutDisk().folder("wal"));

describeDirectory("a disk after a power cut", () => {
  const disk = new PowerCutDisk();
  disk.openFile("never synced", "create");
  return disk.reboot(rng(1), "lose");
});

describeDirectory("a disk that could fail and does not", () => new ErrorDisk(new PowerCutDisk()));
