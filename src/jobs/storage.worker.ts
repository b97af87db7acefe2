import { basename, dirname } from "node:path";
import { SystemDirectory } from "../../native-free/file.ts";
import { removeLeftovers } from "../backend/fresh-copy.ts";
import type { OpenReport, StorageOptions } from "../backend/storage.ts";
import { StorageWriter } from "../backend/storage-writer.ts";
import { StrataError } from "../base/errors.ts";
import { type LockedPageFile, openLockedPageFile } from "../pagefile/open.ts";
import { defragOpenFile } from "./defrag-open.ts";
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

export default (call: StorageCall): Promise<Outcome<StorageAnswer>> =>
  outcomeOf(() => answer(call));

function answer(call: StorageCall): StorageAnswer {
  if (call.call === "open") {
    opened?.writer.close();
    const { path, options, olderRoot } = call;
    const locked = openLockedPageFile(path, { ...options, olderRoot, keepOlderRoot: true });
    removeLeftovers(new SystemDirectory(dirname(path)), basename(path));
    return serve({ locked, path, options });
  }
  if (call.call === "close") {
    opened?.writer.close();
    opened = undefined;
    return undefined;
  }
  if (opened === undefined) throw new StrataError("CLOSED", "the page file is not open");
  const { writer, locked, path, options } = opened;
  switch (call.call) {
    case "commit":
      return writer.commit(call.task);
    case "compact":
      return writer.compact(call.task);
    case "scan":
      return writer.scan(call.task);
    case "defragment": {
      const fresh = defragOpenFile(locked, path, options);
      writer.close();
      return serve({ locked: fresh, path, options });
    }
  }
}

function serve(file: Omit<Opened, "writer">): OpenReport {
  const writer = new StorageWriter(file.locked.file);
  opened = { ...file, writer };
  return { ...writer.root(), path: file.path, lockedBy: file.locked.lockedBy };
}
