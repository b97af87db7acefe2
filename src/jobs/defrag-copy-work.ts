import { basename, dirname } from "node:path";
import { SystemDirectory, SystemFile } from "../../native-free/file.ts";
import {
  COPY_FILL_PERCENT,
  catchUp,
  removeLeftovers,
  SyncedOutput,
} from "../backend/fresh-copy.ts";
import { type Compacted, compactTree } from "../pagefile/compact.ts";
import type { PieceSink } from "../pagefile/page-output.ts";
import { PageReader } from "../pagefile/page-reader.ts";
import { cutInSteps } from "../wal/remove-in-steps.ts";
import { type DefragCopyInput, type DefragCopyOutput, ROOM_LEFT_BYTES } from "./defrag-copy.ts";
import { assertDisk, isNameless, keepOwner } from "./defrag-work.ts";
import type { PinnedFile } from "./hash.ts";
import { ProgressWriter } from "./progress.ts";

/** What is not read in long runs comes through it. */
const CACHE_BYTES = 16 * 1024 * 1024;

/** Bytes between two looks at how much disk is left. */
const DISK_LOOK_BYTES = 16 * 1024 * 1024;

type Input<Work extends DefragCopyInput["work"]> = DefragCopyInput & { readonly work: Work };

const NOTHING: DefragCopyOutput = { sizeBytes: 0, free: new Float64Array(0), changes: 0 };

/** The job itself, on a thread. */
export function defragCopy(
  input: DefragCopyInput,
  progress: ProgressWriter = new ProgressWriter(),
): DefragCopyOutput {
  switch (input.work) {
    case "measure":
      return measure(input, progress);
    case "write":
      return write(input, progress);
    case "catch-up":
      return bringAfter(input, progress);
    case "discard":
      discard(input.copy);
      return NOTHING;
    case "release":
      release(input, progress);
      return NOTHING;
  }
}

function measure(input: Input<"measure">, progress: ProgressWriter): DefragCopyOutput {
  return { ...NOTHING, sizeBytes: compacted(input, undefined, progress) };
}

function write(input: Input<"write">, progress: ProgressWriter): DefragCopyOutput {
  const { path, fd, noSync, rateBytesPerSecond = Number.POSITIVE_INFINITY } = input;
  const directory = new SystemDirectory(dirname(input.copy));
  removeLeftovers(directory, basename(path));
  const copy = new SystemFile(input.copy, "create-exclusive");
  try {
    keepOwner(SystemFile.borrow(path, fd), copy);
    const output = new SyncedOutput(copy, noSync);
    const beganMs = performance.now();
    let writtenBytes = 0;
    let lookAtBytes = DISK_LOOK_BYTES;
    const sizeBytes = compacted(
      input,
      (offsetBytes, bytes) => {
        output.write(offsetBytes, bytes);
        writtenBytes += bytes.length;
        if (writtenBytes >= lookAtBytes) {
          lookAtBytes += DISK_LOOK_BYTES;
          assertDisk(path, ROOM_LEFT_BYTES);
        }
        const aheadMs = (writtenBytes / rateBytesPerSecond) * 1000 - (performance.now() - beganMs);
        if (aheadMs > 0) progress.sleep(aheadMs);
      },
      progress,
    );
    output.sync();
    return { ...NOTHING, sizeBytes };
  } finally {
    copy.close();
  }
}

/** @returns the size of the copy */
function compacted(
  { path, fd, meta, inUseBytes }: PinnedFile & { readonly inUseBytes: number },
  sink: PieceSink | undefined,
  progress: ProgressWriter,
): number {
  const { pageBytes } = meta;
  const reader = new PageReader(SystemFile.borrow(path, fd), pageBytes, CACHE_BYTES);
  const tx = reader.view(meta);
  try {
    progress.phase(0, inUseBytes);
    const copied: Compacted = compactTree(tx.walkSource(), meta, sink, {
      fillPercent: COPY_FILL_PERCENT,
      onPages: (pages) => progress.done(pages * pageBytes),
    });
    return copied.meta.pgid * pageBytes;
  } finally {
    tx.close();
    reader.close();
  }
}

function bringAfter(input: Input<"catch-up">, progress: ProgressWriter): DefragCopyOutput {
  const { path, fd, meta, older, free, noSync } = input;
  const reader = new PageReader(SystemFile.borrow(path, fd), meta.pageBytes, CACHE_BYTES);
  const copy = new SystemFile(input.copy, "write");
  const views = [reader.view(older), reader.view(meta)] as const;
  try {
    progress.phase(0, 0);
    const steps = catchUp(...views, copy, free, noSync);
    let step = steps.next();
    for (; !step.done; step = steps.next()) progress.done(step.value);
    return { ...NOTHING, ...step.value };
  } finally {
    for (const view of views) view.close();
    copy.close();
    reader.close();
  }
}

function discard(path: string): void {
  const directory = new SystemDirectory(dirname(path));
  const name = basename(path);
  if (!directory.exists(name)) return;
  const copy = new SystemFile(path, "write");
  try {
    cutInSteps(copy);
  } finally {
    copy.close();
  }
  directory.remove(name);
}

/** With a hard link somewhere it is still somebody's. */
function release({ path, fd }: Input<"release">, progress: ProgressWriter): void {
  const file = SystemFile.borrow(path, fd);
  if (isNameless(file)) cutInSteps(file, undefined, () => progress.done(0));
}
