/** raftpb.HardState: 1 term, 2 vote, 3 commit, always written, even if zero. */
import { FieldReader, FieldWriter } from "../proto/protobuf.ts";

export interface HardState {
  /** Whole, below 2^53, as is the commit index. */
  readonly term: number;
  /** A member's id, or 0. */
  readonly vote: bigint;
  readonly commit: number;
}

/** Of a log that says nothing: never written. */
export const EMPTY_HARD_STATE: HardState = { term: 0, vote: 0n, commit: 0 };

export function isEmptyHardState({ term, vote, commit }: HardState): boolean {
  return term === 0 && vote === 0n && commit === 0;
}

export function encodeHardState({ term, vote, commit }: HardState): Uint8Array {
  return new FieldWriter().number(1, term).bigint(2, vote).number(3, commit).bytes();
}

const fields = new FieldReader();

/**
 * @returns the state; or what is wrong with it. Unknown fields are: the CRC does not cover a record's type, and an
 *   entry taken for a state has one.
 */
export function decodeHardState(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): HardState | string {
  let term = 0;
  let vote = 0n;
  let commit = 0;
  fields.open(bytes, start, end);
  while (fields.next()) {
    if (fields.field > 3) fields.stop(`a state with field ${fields.field}`);
    else if (!fields.is(0)) break;
    else if (fields.field === 1) term = fields.number;
    else if (fields.field === 2) vote = fields.bigint;
    else commit = fields.number;
  }
  return fields.fault ?? { term, vote, commit };
}
