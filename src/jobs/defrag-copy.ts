/** The parts of an online defragmentation that a thread of its own does, which stands back for all others. */
import type { Meta } from "../pagefile/meta.ts";
import type { PinnedFile } from "./hash.ts";
import type { JobKind } from "./pool.ts";

/** What crosses. A `copy` is the path of the file that is made. */
export type DefragCopyInput =
  | (PinnedFile & { readonly work: "measure"; readonly inUseBytes: number })
  | (PinnedFile & {
      readonly work: "write";
      readonly inUseBytes: number;
      readonly copy: string;
      readonly noSync: boolean;
      readonly rateBytesPerSecond: number | undefined;
    })
  | (PinnedFile & {
      readonly work: "catch-up";
      /** An earlier commit of the file, which `meta` is compared with. */
      readonly older: Meta;
      readonly copy: string;
      readonly free: Float64Array;
      readonly noSync: boolean;
    })
  | { readonly work: "discard"; readonly copy: string }
  /** A file that has no name any more, by its descriptor. */
  | { readonly work: "release"; readonly path: string; readonly fd: number };

export interface DefragCopyOutput {
  /** Of the copy, when it was measured or written. */
  readonly sizeBytes: number;
  /** Of the copy, when it was brought after the file. */
  readonly free: Float64Array;
  readonly changes: number;
}

/** What stays free of the disk for those who write meanwhile: a log that finds it full would end the store's writing. */
export const ROOM_LEFT_BYTES: number = 8 * 1024 * 1024;

function kind(phase: string): JobKind<DefragCopyInput, DefragCopyOutput> {
  return { worker: "defrag-copy", phases: [phase] };
}

export const MEASURE: JobKind<DefragCopyInput, DefragCopyOutput> = kind("measuring");
export const WRITE: JobKind<DefragCopyInput, DefragCopyOutput> = kind("copying");
export const CATCH_UP: JobKind<DefragCopyInput, DefragCopyOutput> = kind("catching up");
export const TIDY: JobKind<DefragCopyInput, DefragCopyOutput> = kind("tidying up");
