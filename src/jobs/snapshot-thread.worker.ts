import { move, transferableSymbol, valueSymbol } from "piscina";
import { standBack } from "./job-worker.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { snapshotPieces, sourceOf } from "./snapshot-pieces.ts";
import type { SnapshotAnswer, SnapshotCall } from "./snapshot-thread.ts";

/** This thread's, those that are under way. */
const open = new Map<number, Iterator<Uint8Array<ArrayBuffer>>>();

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
  const { id, file } = call;
  let pieces = open.get(id);
  if (pieces === undefined) {
    pieces = snapshotPieces(sourceOf(file), file.meta);
    open.set(id, pieces);
  }
  const next = pieces.next();
  return next.done ? undefined : next.value;
}
