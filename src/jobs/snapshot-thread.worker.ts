import { move, transferableSymbol, valueSymbol } from "piscina";
import { invariant } from "../base/invariant.ts";
import { standBack } from "./job-worker.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { snapshotPieces, sourceOf } from "./snapshot-pieces.ts";
import type { SnapshotAnswer, SnapshotCall } from "./snapshot-thread.ts";

interface Open {
  readonly pieces: Iterator<Uint8Array<ArrayBuffer>>;
  next: number;
}

/** This thread's, those that are under way. */
const open = new Map<number, Open>();

standBack();

export default async (call: SnapshotCall): Promise<unknown> => {
  const outcome: Outcome<SnapshotAnswer> = await outcomeOf(() => answer(call));
  if (!outcome.ok || outcome.value === undefined) return outcome;
  // Its memory is handed over, not copied.
  return move({ [transferableSymbol]: [outcome.value.buffer], [valueSymbol]: outcome });
};

function answer(call: SnapshotCall): SnapshotAnswer {
  if (call.call === "close") {
    open.delete(call.id);
    return undefined;
  }
  const { id, piece, file } = call;
  let snapshot = open.get(id);
  if (snapshot === undefined) {
    snapshot = { pieces: snapshotPieces(sourceOf(file), file.meta), next: 0 };
    open.set(id, snapshot);
  }
  invariant(piece === snapshot.next++, "pieces are asked for in order", { piece });
  const next = snapshot.pieces.next();
  return next.done ? undefined : next.value;
}
