import { move, transferableSymbol, valueSymbol } from "piscina";
import { invariant } from "../base/invariant.ts";
import { BACKUP_PIECE_BYTES } from "../pagefile/backup.ts";
import { standBack } from "./job-worker.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { snapshotPieces, sourceOf } from "./snapshot-pieces.ts";
import type { SnapshotAnswer, SnapshotCall } from "./snapshot-thread.ts";

interface Open {
  readonly pieces: Iterator<Uint8Array>;
  readonly lent: boolean;
  next: number;
}

/** This thread's, those that are under way. */
const open = new Map<number, Open>();

standBack();

export default async (call: SnapshotCall): Promise<unknown> => {
  const outcome: Outcome<SnapshotAnswer> = await outcomeOf(() => answer(call));
  if (!outcome.ok || !(outcome.value instanceof Uint8Array)) return outcome;
  // Its memory is handed over, not copied.
  return move({ [transferableSymbol]: [outcome.value.buffer], [valueSymbol]: outcome });
};

function answer(call: SnapshotCall): SnapshotAnswer {
  if (call.call === "close") {
    open.delete(call.id);
    return undefined;
  }
  const { id, piece, file, ring } = call;
  let snapshot = open.get(id);
  if (snapshot === undefined) {
    const room = ring && roomIn(ring);
    const pieces = snapshotPieces(sourceOf(file), file.meta, BACKUP_PIECE_BYTES, room);
    snapshot = { pieces, lent: ring !== undefined, next: 0 };
    open.set(id, snapshot);
  }
  invariant(piece === snapshot.next++, "pieces are asked for in order", { piece });
  const next = snapshot.pieces.next();
  if (next.done === true) return undefined;
  return snapshot.lent ? next.value.length : next.value;
}

/** One piece behind the other, and round again. */
function roomIn(ring: SharedArrayBuffer): (bytes: number) => Uint8Array {
  let at = 0;
  return (bytes) => {
    const room = new Uint8Array(ring, at, bytes);
    at = (at + BACKUP_PIECE_BYTES) % ring.byteLength;
    return room;
  };
}
