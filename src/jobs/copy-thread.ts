/**
 * A fresh copy of the file that a storage thread has open. Another thread, which stands back for all others, makes it
 * and brings it after the file; the storage thread does the last step, and has the copy for its file then. Here is the
 * main thread's end.
 */
import { randomInt } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { SystemFile } from "../../native-free/file.ts";
import { copyName } from "../backend/fresh-copy.ts";
import type {
  CopyPhase,
  CopyWork,
  FreshCopy,
  OpenReport,
  Root,
  StorageOptions,
  SwapReport,
} from "../backend/storage.ts";
import { StrataError } from "../base/errors.ts";
import type { Meta } from "../pagefile/meta.ts";
import {
  CATCH_UP,
  type DefragCopyInput,
  type DefragCopyOutput,
  MEASURE,
  ROOM_LEFT_BYTES,
  TIDY,
  WRITE,
} from "./defrag-copy.ts";
import { assertDisk, realPath } from "./defrag-work.ts";
import type { PinnedFile } from "./hash.ts";
import type { JobKind, JobPool } from "./pool.ts";

/** The last step, for the storage thread. */
export interface SwapTask {
  readonly copy: string;
  /** The commit of the file that the copy is one of, and what is free in the copy. */
  readonly older: Meta;
  readonly free: Float64Array;
}

export type SwapAnswer = OpenReport & { readonly changes: number };

export interface CopyThreadHost {
  readonly path: string;
  readonly options: StorageOptions;
  readonly lockedBy: OpenReport["lockedBy"];
  readonly pool: JobPool;
  prepare(copy: string): Promise<void>;
  swap(task: SwapTask): Promise<SwapAnswer>;
  /** Takes over a file that was, which is to be closed with the storage if not before. */
  keepOld(file: OldFile): void;
  /** It is closed. */
  forgetOld(file: OldFile): void;
}

export class CopyThread implements FreshCopy {
  readonly #host: CopyThreadHost;
  readonly #work: CopyWork;
  /** Where the file itself is, and the copy of it. */
  readonly #path: string;
  readonly #copy: string;
  /** The file, whatever has its name. */
  #file: SystemFile | undefined;
  #free: Float64Array = new Float64Array(0);

  /** @throws StrataError NO_LOCK; the system's errors */
  constructor(host: CopyThreadHost, work: CopyWork) {
    if (host.lockedBy !== "flock") {
      const what = `${host.path}: the lock there is here does not move with a file: defragment it offline`;
      throw new StrataError("NO_LOCK", what);
    }
    this.#host = host;
    this.#work = work;
    this.#path = realPath(host.path);
    this.#copy = join(dirname(this.#path), copyName(basename(this.#path), randomInt(2 ** 47)));
    this.#file = new SystemFile(this.#path, "write");
  }

  assertRoom(sizeBytes: number): void {
    assertDisk(this.#path, sizeBytes + ROOM_LEFT_BYTES);
  }

  async measure({ meta, space: { inUseBytes } }: Root): Promise<number> {
    const input = { ...this.#pinned(meta), work: "measure", inUseBytes } as const;
    return (await this.#run(MEASURE, "measuring", input)).sizeBytes;
  }

  async write({ meta, space: { inUseBytes } }: Root): Promise<number> {
    const input = {
      ...this.#pinned(meta),
      work: "write",
      inUseBytes,
      copy: this.#copy,
      noSync: this.#host.options.noSync,
      rateBytesPerSecond: this.#work.rateBytesPerSecond,
    } as const;
    return (await this.#run(WRITE, "copying", input)).sizeBytes;
  }

  async catchUp(older: Meta, newer: Meta): Promise<number> {
    const { free, changes } = await this.#run(CATCH_UP, "catching up", {
      ...this.#pinned(newer),
      work: "catch-up",
      older,
      copy: this.#copy,
      free: this.#free,
      noSync: this.#host.options.noSync,
    });
    this.#free = free;
    return changes;
  }

  prepare(): Promise<void> {
    return this.#host.prepare(this.#copy);
  }

  async swap(older: Meta): Promise<SwapReport> {
    const report = await this.#host.swap({ copy: this.#copy, older, free: this.#free });
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return { ...report, releaseOld: undefined };
    const old = new OldFile(file, this.#host.pool);
    this.#host.keepOld(old);
    return {
      ...report,
      releaseOld: async () => {
        await old.release();
        this.#host.forgetOld(old);
      },
    };
  }

  async discard(): Promise<void> {
    const { pool } = this.#host;
    const copy = this.#copy;
    try {
      await pool.run(TIDY, { work: "discard", copy });
    } catch {
      // What made the work fail says more, and the next start removes what is left.
    } finally {
      this.#file?.close();
      this.#file = undefined;
    }
  }

  #pinned(meta: Meta): PinnedFile {
    if (this.#file === undefined) throw new StrataError("CLOSED", `${this.#path}: not open`);
    return { path: this.#path, fd: this.#file.fd, meta };
  }

  async #run(
    kind: JobKind<DefragCopyInput, DefragCopyOutput>,
    phase: CopyPhase,
    input: DefragCopyInput,
  ): Promise<DefragCopyOutput> {
    const { signal, report } = this.#work;
    try {
      return await this.#host.pool.run(kind, input, {
        signal,
        onProgress: ({ done, total }) => report(phase, done, total),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }
}

/**
 * A file that another has taken the name of. Its space is given back by whoever closes it last, and all at once would
 * hold up every sync of the disk for as long as it takes.
 */
export class OldFile {
  readonly #file: SystemFile;
  readonly #pool: JobPool;
  readonly #stop = new AbortController();
  #released: Promise<void> | undefined;

  /** @param file  open for writing */
  constructor(file: SystemFile, pool: JobPool) {
    this.#file = file;
    this.#pool = pool;
  }

  /** In steps, on a thread, once nobody reads it any more. Never rejects. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    const { path, fd } = this.#file;
    try {
      const { signal } = this.#stop;
      await this.#pool.run(TIDY, { work: "release", path, fd }, { signal });
    } catch {
      // Then it goes all at once.
    }
    this.#file.close();
  }

  /** As it is. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#released;
    this.#file.close();
  }
}
