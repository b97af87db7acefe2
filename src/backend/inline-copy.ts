/** A fresh copy made on the caller's own thread, in slices: for files in memory, and for disks that tests break. */
import type { Directory, RandomAccessFile } from "../../native-free/file.ts";
import { StrataError } from "../base/errors.ts";
import { nextTurn } from "../base/turn.ts";
import { copyInSteps } from "../pagefile/copy-steps.ts";
import type { Meta } from "../pagefile/meta.ts";
import { PageFile } from "../pagefile/page-file.ts";
import type { PieceSink } from "../pagefile/page-output.ts";
import {
  type CaughtUp,
  COPY_FILL_PERCENT,
  catchUp,
  copyName,
  removeLeftovers,
  SyncedOutput,
} from "./fresh-copy.ts";
import type {
  CopyPhase,
  CopyWork,
  FreshCopy,
  OpenReport,
  Root,
  StorageOptions,
  SwapReport,
} from "./storage.ts";

/** How long this thread copies before others have their turn. */
const SLICE_MS = 2;

export interface InlineCopyHost {
  readonly directory: Directory;
  readonly name: string;
  readonly options: StorageOptions;
  /** The one that is written. */
  file(): PageFile;
  /** Goes on with another. */
  moveTo(pages: PageFile): OpenReport;
}

export class InlineCopy implements FreshCopy {
  readonly #host: InlineCopyHost;
  readonly #work: CopyWork;
  #temporary = "";
  #copy: RandomAccessFile | undefined;
  #free: ArrayLike<number> = [];

  constructor(host: InlineCopyHost, work: CopyWork) {
    this.#host = host;
    this.#work = work;
  }

  /** Somebody's own disk says by itself when it is full. */
  assertRoom(): void {}

  async measure(root: Root): Promise<number> {
    return this.#copyAll(root, "measuring", undefined);
  }

  async write(root: Root): Promise<number> {
    const { directory, name, options } = this.#host;
    removeLeftovers(directory, name);
    this.#temporary = copyName(name, root.meta.txid);
    const copy = directory.openFile(this.#temporary, "create-exclusive");
    this.#copy = copy;
    const output = new SyncedOutput(copy, options.noSync);
    const sizeBytes = await this.#copyAll(root, "copying", (at, bytes) => output.write(at, bytes));
    output.sync();
    return sizeBytes;
  }

  async catchUp(older: Meta, newer: Meta): Promise<number> {
    const steps = this.#catchUp(older, newer);
    const { free, changes } = await this.#inSlices(steps, (bytes) => {
      this.#work.report("catching up", bytes, 0);
    });
    this.#free = free;
    return changes;
  }

  async prepare(): Promise<void> {}

  async swap(older: Meta): Promise<SwapReport> {
    const { directory, name, options } = this.#host;
    const copy = this.#opened();
    const steps = this.#catchUp(older, this.#host.file().meta);
    let step = steps.next();
    while (!step.done) step = steps.next();
    const { free, changes } = step.value;
    const pages = PageFile.open(copy, { ...options, keepOlderRoot: true, free });
    directory.rename(this.#temporary, name);
    this.#copy = undefined;
    try {
      if (!options.noSync) directory.sync();
    } catch (error) {
      pages.close();
      const what = `${directory.path}/${name}: defragmented, and not durably`;
      throw new StrataError("FAILED", what, { cause: error });
    }
    return { ...this.#host.moveTo(pages), changes, releaseOld: undefined };
  }

  async discard(): Promise<void> {
    this.#copy?.close();
    this.#copy = undefined;
    try {
      removeLeftovers(this.#host.directory, this.#host.name);
    } catch {
      // The disk refuses that as well: what it refused first says more.
    }
  }

  async #copyAll(
    { meta, space }: Root,
    phase: CopyPhase,
    sink: PieceSink | undefined,
  ): Promise<number> {
    const { clock, rateBytesPerSecond = Number.POSITIVE_INFINITY, report, signal } = this.#work;
    const tx = this.#host.file().viewOf(meta);
    const beganMs = clock.nowMs();
    try {
      const steps = copyInSteps(tx, sink, COPY_FILL_PERCENT);
      const copied = await this.#inSlices(steps, async (bytes) => {
        report(phase, bytes, space.inUseBytes);
        const aheadMs = (bytes / rateBytesPerSecond) * 1000 - (clock.nowMs() - beganMs);
        if (sink !== undefined && aheadMs > 0) await clock.sleep(aheadMs, signal);
      });
      return copied.meta.pgid * tx.pageBytes;
    } finally {
      tx.close();
    }
  }

  *#catchUp(older: Meta, newer: Meta): Generator<number, CaughtUp> {
    const file = this.#host.file();
    const from = file.viewOf(older);
    const to = file.viewOf(newer);
    return yield* catchUp(from, to, this.#opened(), this.#free, this.#host.options.noSync);
  }

  async #inSlices<T>(
    steps: Generator<number, T>,
    between: (bytes: number) => Promise<void> | void,
  ): Promise<T> {
    for (;;) {
      this.#work.signal.throwIfAborted();
      const endMs = performance.now() + SLICE_MS;
      let step = steps.next();
      while (!step.done && performance.now() < endMs) step = steps.next();
      if (step.done) return step.value;
      await between(step.value);
      await nextTurn();
    }
  }

  #opened(): RandomAccessFile {
    if (this.#copy === undefined) throw new StrataError("CLOSED", "there is no copy");
    return this.#copy;
  }
}
