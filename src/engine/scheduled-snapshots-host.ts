/** Scheduled snapshots of a running member, on the system's disk. */
import { join } from "node:path";
import { SystemDirectory } from "../../native-free/file.ts";
import type { EngineLog } from "./log.ts";
import type { Member } from "./member.ts";
import type { ScheduledSnapshotsHost } from "./scheduled-snapshots.ts";

export function scheduledSnapshotsHost(member: Member, log: EngineLog): ScheduledSnapshotsHost {
  const { maintenance, backend, clock } = member;
  return {
    clock,
    log,
    counts: maintenance.scheduledSnapshotCounts,
    now: () => new Date(),
    logIndex: () => backend.appliedPoint.index,
    sizeBytes: () => backend.space.sizeBytes,
    folder: (path) => SystemDirectory.make(path),
    save: (folder, name, signal) => maintenance.saveSnapshot(join(folder.path, name), signal),
    verify: (folder, name, signal) => maintenance.verifySnapshot(join(folder.path, name), signal),
    remove: (folder, names) => maintenance.removeFiles(folder.path, names),
  };
}
