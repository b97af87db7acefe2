/** Work on a store's files that nobody waits for: on threads, or here where files are somebody's own. */
import type { Directory } from "../../native-free/file.ts";
import type { PrepareSegment } from "../wal/next-segment.ts";
import { releaseSegments } from "../wal/release.ts";
import { type RaftSnapshot, releaseSnapFiles, writeSnapFile } from "../wal/snap-file.ts";
import { type JobKind, JobPool } from "./pool.ts";

/** How many files stay at least; Infinity: all. Default: five, as etcd. */
export interface KeptFiles {
  readonly wals?: number;
  readonly snapshots?: number;
}

export interface Upkeep {
  /** See WalOptions. */
  readonly prepare?: PrepareSegment;
  /** @see writeSnapFile */
  writeSnap(snapFolder: Directory, snapshot: RaftSnapshot): Promise<void>;
  /** @see releaseSegments, releaseSnapFiles */
  release(
    walFolder: Directory,
    snapFolder: Directory,
    index: number,
    kept: KeptFiles,
  ): Promise<void>;
  close(): Promise<void>;
}

/** At once, step by step: a test cuts the power at each. */
export class UpkeepHere implements Upkeep {
  readonly prepare?: PrepareSegment;

  async writeSnap(snapFolder: Directory, snapshot: RaftSnapshot): Promise<void> {
    writeSnapFile(snapFolder, snapshot);
  }

  async release(
    walFolder: Directory,
    snapFolder: Directory,
    index: number,
    kept: KeptFiles,
  ): Promise<void> {
    releaseSegments(walFolder, index, kept.wals);
    releaseSnapFiles(snapFolder, kept.snapshots);
  }

  async close(): Promise<void> {}
}

/** What crosses. Folders are paths of the system's. */
export type UpkeepInput =
  | {
      readonly work: "prepare";
      readonly folder: string;
      readonly name: string;
      readonly sizeBytes: number;
    }
  | { readonly work: "snap"; readonly folder: string; readonly snapshot: RaftSnapshot }
  | {
      readonly work: "release";
      readonly walFolder: string;
      readonly snapFolder: string;
      readonly index: number;
      readonly kept: KeptFiles;
    };

const UPKEEP: JobKind<UpkeepInput, undefined> = { worker: "upkeep", phases: ["upkeep"] };

export class UpkeepThreads implements Upkeep {
  // Two: laying out a segment takes long, and a snapshot does not wait for it.
  readonly #pool = new JobPool({ niced: true, threads: 2 });

  readonly prepare: PrepareSegment = ({ path: folder }, name, sizeBytes, signal) =>
    this.#pool.run(UPKEEP, { work: "prepare", folder, name, sizeBytes }, { signal });

  writeSnap({ path: folder }: Directory, snapshot: RaftSnapshot): Promise<void> {
    return this.#pool.run(UPKEEP, { work: "snap", folder, snapshot });
  }

  release(
    walFolder: Directory,
    snapFolder: Directory,
    index: number,
    kept: KeptFiles,
  ): Promise<void> {
    const input = { walFolder: walFolder.path, snapFolder: snapFolder.path, index, kept };
    return this.#pool.run(UPKEEP, { work: "release", ...input });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
