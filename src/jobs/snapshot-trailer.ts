/**
 * The 32 bytes that `snapshot save` puts behind a database: the SHA-256 of all before. A database is a whole number of
 * 512-byte blocks, so a file that leaves 32 has one.
 * @see etcd client/v3/snapshot/v3_snapshot.go hasChecksum
 */
import { createHash } from "node:crypto";
import { SystemFile } from "../../native-free/file.ts";
import type { JobKind, JobOptions, JobPool } from "./pool.ts";
import { ProgressWriter } from "./progress.ts";

export const TRAILER_BYTES = 32;
const BLOCK_BYTES = 512;

export type TrailerStatus =
  | { readonly kind: "none" }
  | { readonly kind: "verified"; readonly sha256: string }
  | { readonly kind: "mismatch"; readonly expected: string; readonly got: string };

export interface TrailerInput {
  readonly path: string;
}

export const TRAILER: JobKind<TrailerInput, TrailerStatus> = {
  worker: "snapshot-trailer",
  phases: ["verifying the checksum"],
};

/** Whether a file of that length ends in a trailer. */
export function hasTrailer(fileBytes: number): boolean {
  return fileBytes % BLOCK_BYTES === TRAILER_BYTES;
}

/** Checks the trailer, if there is one, on a worker. */
export async function snapshotTrailer(
  pool: JobPool,
  path: string,
  options: JobOptions,
): Promise<TrailerStatus> {
  const file = new SystemFile(path, "read");
  try {
    if (!hasTrailer(file.size())) return { kind: "none" };
  } finally {
    file.close();
  }
  return pool.run(TRAILER, { path }, options);
}

const PIECE_BYTES = 1024 * 1024;

/** The job itself. */
export function verifyTrailer(
  input: TrailerInput,
  progress: ProgressWriter = new ProgressWriter(),
): TrailerStatus {
  const file = new SystemFile(input.path, "read");
  try {
    const fileBytes = file.size();
    if (!hasTrailer(fileBytes)) return { kind: "none" };
    const contentBytes = fileBytes - TRAILER_BYTES;
    progress.phase(0, contentBytes);
    const hash = createHash("sha256");
    const piece = new Uint8Array(PIECE_BYTES);
    for (let at = 0; at < contentBytes; at += PIECE_BYTES) {
      const some = piece.subarray(0, Math.min(PIECE_BYTES, contentBytes - at));
      file.read(at, some);
      hash.update(some);
      progress.done(at + some.length);
    }
    const trailer = new Uint8Array(TRAILER_BYTES);
    file.read(contentBytes, trailer);
    const expected = Buffer.from(trailer).toString("hex");
    const got = hash.digest("hex");
    return got === expected
      ? { kind: "verified", sha256: got }
      : { kind: "mismatch", expected, got };
  } finally {
    file.close();
  }
}
