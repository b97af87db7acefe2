/** Removing segments that no restart will read. */
import type { Directory } from "../../native-free/file.ts";
import { RELEASED_NAME } from "./next-segment.ts";
import { removeInSteps } from "./remove-in-steps.ts";
import { segmentsOf } from "./segment-name.ts";

/** etcd's --max-wals. */
export const KEPT_SEGMENTS: number = 5;

/**
 * The segments, oldest first, that may go once there is a snapshot at `index`: all before the last one that begins
 * below it, but never so many that fewer than `keep` are left.
 *
 * @param keep  at least 1. Default: 5, as etcd.
 * @see etcd server/storage/wal/wal.go ReleaseLockTo, client/pkg/fileutil/purge.go
 */
export function segmentsToRelease(
  names: readonly string[],
  index: number,
  keep: number = KEPT_SEGMENTS,
): string[] {
  const segments = segmentsOf(names);
  const above = segments.findIndex((segment) => segment.index >= index);
  const needed = (above === -1 ? segments.length : above) - 1;
  const removable = Math.min(needed, segments.length - keep);
  return segments.slice(0, Math.max(0, removable)).map(({ name }) => name);
}

/**
 * Removes them, oldest first, so that what is left is always without gaps.
 *
 * @param index  of a snapshot that is on the disk, its record in the log included.
 * @returns the names that are gone
 */
export function releaseSegments(directory: Directory, index: number, keep?: number): string[] {
  const names = segmentsToRelease(directory.list(), index, keep);
  for (const name of names) removeInSteps(directory, name, RELEASED_NAME);
  return names;
}
