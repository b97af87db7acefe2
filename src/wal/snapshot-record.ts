/**
 * walpb.Snapshot: 1 index, 2 term (always written), 3 conf_state. Says that there is a snapshot of the state at that
 * index, elsewhere; reading begins at one.
 *
 * ConfState: 1 voters, 2 learners, 3 voters_outgoing, 4 learners_next (repeated), 5 auto_leave (always written).
 */
import { FieldReader, FieldWriter } from "../proto/protobuf.ts";

export interface ConfState {
  /** Ids of members. */
  readonly voters: readonly bigint[];
  readonly learners: readonly bigint[];
  readonly votersOutgoing: readonly bigint[];
  readonly learnersNext: readonly bigint[];
  readonly autoLeave: boolean;
}

export interface WalSnapshot {
  /** Whole, below 2^53, as is the term. */
  readonly index: number;
  readonly term: number;
  /** Absent in what etcd 3.4 writes. */
  readonly confState?: ConfState | undefined;
}

/** Where every log begins. */
export const NO_SNAPSHOT: WalSnapshot = { index: 0, term: 0 };

export function encodeSnapshotRecord({ index, term, confState }: WalSnapshot): Uint8Array {
  const writer = new FieldWriter().number(1, index).number(2, term);
  return writer.message(3, confState && encodeConfState(confState)).bytes();
}

export function encodeConfState(state: ConfState): Uint8Array {
  const writer = new FieldWriter();
  for (const id of state.voters) writer.bigint(1, id);
  for (const id of state.learners) writer.bigint(2, id);
  for (const id of state.votersOutgoing) writer.bigint(3, id);
  for (const id of state.learnersNext) writer.bigint(4, id);
  return writer.bool(5, state.autoLeave).bytes();
}

/** @returns the record, or what is wrong with it */
export function decodeSnapshotRecord(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): WalSnapshot | string {
  let index = 0;
  let term = 0;
  let confState: ConfState | undefined;
  const fields = new FieldReader().open(bytes, start, end);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(0)) index = fields.number;
    else if (fields.field === 2 && fields.is(0)) term = fields.number;
    else if (fields.field === 3 && fields.is(2)) {
      const decoded = decodeConfState(bytes, fields.start, fields.start + fields.length);
      if (typeof decoded === "string") return decoded;
      confState = decoded;
    }
  }
  return fields.fault ?? { index, term, ...(confState && { confState }) };
}

/** @returns the state, or what is wrong with it */
export function decodeConfState(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): ConfState | string {
  const ids: [bigint[], bigint[], bigint[], bigint[]] = [[], [], [], []];
  let autoLeave = false;
  const fields = new FieldReader().open(bytes, start, end);
  while (fields.next()) {
    const list = ids[fields.field - 1];
    if (list !== undefined && fields.wire === 2) {
      // Packed: not what etcd writes, but what every reader of protobuf takes.
      const more = fields.packed();
      if (more === undefined) return `field ${fields.field} is not a list of ids`;
      for (const id of more) list.push(id);
    } else if (list !== undefined && fields.is(0)) {
      list.push(fields.bigint);
    } else if (fields.field === 5 && fields.is(0)) {
      autoLeave = fields.bool;
    }
  }
  const [voters, learners, votersOutgoing, learnersNext] = ids;
  return fields.fault ?? { voters, learners, votersOutgoing, learnersNext, autoLeave };
}
