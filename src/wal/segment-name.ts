/** Names of segments: `%016x-%016x.wal`, sequence and the first index that is expected in it, both from 0. */
import { StrataError } from "../base/errors.ts";

export interface SegmentName {
  readonly name: string;
  readonly sequence: number;
  /** Index of the last entry or snapshot before it, plus one; 0 for the first segment. */
  readonly index: number;
}

const PATTERN = /^([0-9a-f]{16})-([0-9a-f]{16})\.wal$/;

export function segmentName(sequence: number, index: number): string {
  return `${hex16(sequence)}-${hex16(index)}.wal`;
}

/** @returns undefined for names of other things. @throws StrataError CORRUPT for numbers beyond 2^53 */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = PATTERN.exec(name);
  if (match === null) return undefined;
  const sequence = Number.parseInt(match[1] ?? "", 16);
  const index = Number.parseInt(match[2] ?? "", 16);
  if (!(Number.isSafeInteger(sequence) && Number.isSafeInteger(index))) {
    throw new StrataError("CORRUPT", `${name}: no log has so many segments or entries`);
  }
  return { name, sequence, index };
}

/** The segments among `names`, in the order of the log. */
export function segmentsOf(names: readonly string[]): SegmentName[] {
  return names
    .map(parseSegmentName)
    .filter((segment) => segment !== undefined)
    .sort((a, b) => a.sequence - b.sequence || a.index - b.index);
}

function hex16(value: number): string {
  return value.toString(16).padStart(16, "0");
}
