import { basename, dirname } from "node:path";
import { SystemDirectory } from "../../native-free/file.ts";
import { removeLeftovers } from "../backend/fresh-copy.ts";
import type { OpenReport, StorageOptions } from "../backend/storage.ts";
import { StorageWriter } from "../backend/storage-writer.ts";
import { StrataError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import { type LockedPageFile, openLockedPageFile } from "../pagefile/open.ts";
import type { SwapAnswer, SwapTask } from "./copy-thread.ts";
import { LockedCopy } from "./defrag-swap.ts";
import { realPath } from "./defrag-work.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import type { StorageAnswer, StorageCall } from "./storage-thread.ts";

interface Opened {
  readonly locked: LockedPageFile;
  readonly writer: StorageWriter;
  readonly path: string;
  readonly options: StorageOptions;
}

/** This thread's: it serves one file, from its opening to its closing. */
let opened: Opened | undefined;
/** About to take its place. */
let copy: LockedCopy | undefined;

export default (call: StorageCall): Promise<Outcome<StorageAnswer>> =>
  outcomeOf(() => answer(call));

function answer(call: StorageCall): StorageAnswer {
  if (call.call === "open") {
    opened?.writer.close();
    const { path, options, olderRoot } = call;
    const locked = openLockedPageFile(path, { ...options, olderRoot, keepOlderRoot: true });
    const place = realPath(path);
    removeLeftovers(new SystemDirectory(dirname(place)), basename(place));
    return serve({ locked, path, options });
  }
  if (call.call === "close") {
    opened?.writer.close();
    opened = undefined;
    copy?.close();
    copy = undefined;
    return undefined;
  }
  if (opened === undefined) throw new StrataError("CLOSED", "the page file is not open");
  const { writer } = opened;
  switch (call.call) {
    case "commit":
      return writer.commit(call.task);
    case "compact":
      return writer.compact(call.task);
    case "scan":
      return writer.scan(call.task);
    case "prepare":
      copy?.close();
      copy = new LockedCopy(call.copy);
      return undefined;
    case "swap":
      return swap(opened, call.task);
  }
}

function swap({ writer, locked, path, options }: Opened, task: SwapTask): SwapAnswer {
  invariant(copy !== undefined && copy.path === task.copy, "a copy is locked before it is swapped");
  const locking = copy;
  copy = undefined;
  const { file, changes } = locking.swap(writer.file, path, task, options);
  writer.close();
  const report = serve({ locked: { ...locked, file }, path, options });
  return { ...report, changes };
}

function serve(file: Omit<Opened, "writer">): OpenReport {
  const writer = new StorageWriter(file.locked.file);
  opened = { ...file, writer };
  return { ...writer.root(), path: file.path, lockedBy: file.locked.lockedBy };
}
