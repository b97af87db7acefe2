import { StorageWriter } from "../backend/storage-writer.ts";
import { StrataError } from "../base/errors.ts";
import { openLockedPageFile } from "../pagefile/open.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import type { StorageAnswer, StorageCall } from "./storage-thread.ts";

/** This thread's: it serves one file, from its opening to its closing. */
let writer: StorageWriter | undefined;

export default (call: StorageCall): Promise<Outcome<StorageAnswer>> =>
  outcomeOf(() => answer(call));

function answer(call: StorageCall): StorageAnswer {
  if (call.call === "open") {
    writer?.close();
    const { path, options, olderRoot } = call;
    const { file, lockedBy } = openLockedPageFile(path, {
      ...options,
      olderRoot,
      keepOlderRoot: true,
    });
    writer = new StorageWriter(file);
    return { ...writer.root(), path, lockedBy };
  }
  if (call.call === "close") {
    writer?.close();
    writer = undefined;
    return undefined;
  }
  if (writer === undefined) throw new StrataError("CLOSED", "the page file is not open");
  switch (call.call) {
    case "commit":
      return writer.commit(call.task);
    case "compact":
      return writer.compact(call.task);
    case "scan":
      return writer.scan(call.task);
  }
}
