import type {
  Directory,
  DirectoryTree,
  OpenMode,
  RandomAccessFile,
} from "../../native-free/file.ts";
import { systemError } from "../../native-free/system-error.ts";
import { invariant } from "../base/invariant.ts";

/**
 * `open` is every `openFile`, `sync` a file's, `sync-directory` the directory's; `readSome` is a read, too. `folder` is
 * the making or removing of one.
 */
export type Operation =
  | "open"
  | "read"
  | "write"
  | "truncate"
  | "sync"
  | "rename"
  | "remove"
  | "sync-directory"
  | "folder";

/**
 * Which operations: one kind or several, on one file or on all. A file in a folder is called `folder/file`, the folder
 * itself `folder/`. A rename counts under its old name.
 */
export interface Match {
  readonly operations: Operation | readonly Operation[];
  readonly name?: string;
}

export interface Fault extends Match {
  readonly code: "ENOSPC" | "EIO";
  /** The first one to fail, among those that match from the moment the fault is armed; counted from 1. */
  readonly nth: number;
  /** A disk that hiccups, or one that is full or dying. */
  readonly lasts: "once" | "from then on";
  /** A failing write first gets half of its bytes (rounded down) to the file. */
  readonly shortWrite?: boolean;
}

interface Armed {
  readonly fault: Fault;
  seen: number;
}

const SYSCALL: Readonly<Record<Operation, string>> = {
  open: "open",
  read: "read",
  write: "write",
  truncate: "ftruncate",
  sync: "fdatasync",
  rename: "rename",
  remove: "unlink",
  "sync-directory": "fsync",
  folder: "mkdir",
};

interface Attempted {
  readonly operation: Operation;
  readonly name: string;
}

/** What a disk and its folders share. */
interface Shared {
  readonly tried: Attempted[];
  readonly failed: Attempted[];
  readonly open: Set<ErrorFile>;
  armed: Armed[];
}

/**
 * Any directory, but some operations fail. Run the work once without faults and ask `count` how many operations there
 * are to fail; then once for each. What fails has not happened, but for the half of a short write.
 */
export class ErrorDisk implements DirectoryTree {
  readonly path: string;
  readonly #inner: Directory | DirectoryTree;
  #prefix = "";
  #shared: Shared = { tried: [], failed: [], open: new Set(), armed: [] };

  /** @param inner  a tree, if folders are asked for */
  constructor(inner: Directory | DirectoryTree, ...faults: readonly Fault[]) {
    this.path = inner.path;
    this.#inner = inner;
    for (const fault of faults) this.arm(fault);
  }

  /** How many operations failed so far. */
  get failures(): number {
    return this.#shared.failed.length;
  }

  /** Those that failed so far, in words. */
  get failed(): string[] {
    return this.#shared.failed.map(({ operation, name }) => `${operation} ${name}`);
  }

  /** Paths of the files that are open now. */
  get openFiles(): string[] {
    return [...this.#shared.open].map(({ path }) => path);
  }

  /** How many matching operations were tried so far, failed ones included. */
  count(match: Match): number {
    return this.#shared.tried.filter(({ operation, name }) => matches(match, operation, name))
      .length;
  }

  /** Adds a fault; `nth` counts from here. */
  arm(fault: Fault): void {
    invariant(
      Number.isInteger(fault.nth) && fault.nth >= 1,
      "operations are counted from 1",
      fault,
    );
    this.#shared.armed.push({ fault, seen: 0 });
  }

  /** The disk is well again: space was freed, the cable pushed in. */
  heal(): void {
    this.#shared.armed = [];
  }

  /** A part of this disk: one count of operations, and the same faults. */
  folder(name: string): ErrorDisk {
    const folder = new ErrorDisk(this.#tree().folder(name));
    folder.#prefix = `${this.#prefix}${name}/`;
    folder.#shared = this.#shared;
    return folder;
  }

  makeFolder(name: string, permissions?: number): void {
    this.#attempt("folder", `${name}/`);
    this.#tree().makeFolder(name, permissions);
  }

  removeFolder(name: string): void {
    this.#attempt("folder", `${name}/`);
    this.#tree().removeFolder(name);
  }

  openFile(name: string, mode: OpenMode, permissions?: number): RandomAccessFile {
    this.#attempt("open", name);
    const file: ErrorFile = new ErrorFile(
      this.#inner.openFile(name, mode, permissions),
      (operation, half) => this.#attempt(operation, name, half),
      () => this.#shared.open.delete(file),
    );
    this.#shared.open.add(file);
    return file;
  }

  list(): string[] {
    return this.#inner.list();
  }

  exists(name: string): boolean {
    return this.#inner.exists(name);
  }

  rename(from: string, to: string): void {
    this.#attempt("rename", from);
    this.#inner.rename(from, to);
  }

  remove(name: string): void {
    this.#attempt("remove", name);
    this.#inner.remove(name);
  }

  sync(): void {
    this.#attempt("sync-directory", ".");
    this.#inner.sync();
  }

  #tree(): DirectoryTree {
    invariant("makeFolder" in this.#inner, "folders are in a tree");
    return this.#inner;
  }

  /** @param half  does half of the write that is about to fail. */
  #attempt(operation: Operation, at: string, half?: () => void): void {
    const name = at === "." && this.#prefix !== "" ? this.#prefix : `${this.#prefix}${at}`;
    this.#shared.tried.push({ operation, name });
    let failing: Fault | undefined;
    for (const armed of this.#shared.armed) {
      const { fault } = armed;
      if (!matches(fault, operation, name)) continue;
      armed.seen++;
      const due = fault.lasts === "once" ? armed.seen === fault.nth : armed.seen >= fault.nth;
      if (due) failing ??= fault;
    }
    if (!failing) return;
    this.#shared.failed.push({ operation, name });
    if (failing.shortWrite) half?.();
    const byPath = operation === "open" || operation === "rename" || operation === "remove";
    throw systemError(failing.code, SYSCALL[operation], byPath ? `${this.path}/${at}` : undefined);
  }
}

function matches({ operations, name }: Match, operation: Operation, file: string): boolean {
  const kinds = typeof operations === "string" ? [operations] : operations;
  return kinds.includes(operation) && (name === undefined || name === file);
}

type Attempt = (operation: Operation, half?: () => void) => void;

class ErrorFile implements RandomAccessFile {
  readonly path: string;
  readonly #inner: RandomAccessFile;
  readonly #attempt: Attempt;
  readonly #closed: () => void;

  constructor(inner: RandomAccessFile, attempt: Attempt, closed: () => void) {
    this.path = inner.path;
    this.#inner = inner;
    this.#attempt = attempt;
    this.#closed = closed;
  }

  size(): number {
    return this.#inner.size();
  }

  read(offsetBytes: number, into: Uint8Array): void {
    this.#attempt("read");
    this.#inner.read(offsetBytes, into);
  }

  readSome(offsetBytes: number, into: Uint8Array): number {
    this.#attempt("read");
    return this.#inner.readSome(offsetBytes, into);
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    this.#attempt("write", () =>
      this.#inner.write(offsetBytes, bytes.subarray(0, Math.floor(bytes.length / 2))),
    );
    this.#inner.write(offsetBytes, bytes);
  }

  writeParts(offsetBytes: number, parts: readonly Uint8Array[]): void {
    this.#attempt("write", () => {
      const all = Buffer.concat(parts);
      this.#inner.write(offsetBytes, all.subarray(0, Math.floor(all.length / 2)));
    });
    this.#inner.writeParts(offsetBytes, parts);
  }

  truncate(sizeBytes: number): void {
    this.#attempt("truncate");
    this.#inner.truncate(sizeBytes);
  }

  sync(): void {
    this.#attempt("sync");
    this.#inner.sync();
  }

  /** Fails, too, only when it ends. */
  async writePartsBeside(offsetBytes: number, parts: readonly Uint8Array[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.writeParts(offsetBytes, parts);
  }

  /** Fails, too, only when it ends: after whatever was done meanwhile. */
  async syncBeside(): Promise<void> {
    await (this.#inner.syncBeside?.() ?? this.#inner.sync());
    this.#attempt("sync");
  }

  close(): void {
    this.#inner.close();
    this.#closed();
  }
}
