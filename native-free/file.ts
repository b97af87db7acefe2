/**
 * Random-access files and directories: the only door to `node:fs` for data. Everything above takes these interfaces,
 * so that a test can hand in a disk whose power it cuts or that refuses a write.
 *
 * All calls but those "beside" are synchronous: they are made on storage and job threads, where waiting is
 * the work, or in places that have measured how long it takes.
 */
import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  unlinkSync,
  write,
  writeSync,
  writev,
  writevSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

/** The file ended before the bytes asked for. */
export class ShortReadError extends Error {
  override readonly name: string = "ShortReadError";
  readonly code = "ESHORTREAD";
  readonly path: string;
  readonly offsetBytes: number;
  readonly wantedBytes: number;
  readonly gotBytes: number;

  constructor(path: string, offsetBytes: number, wantedBytes: number, gotBytes: number) {
    super(`${path}: offset ${offsetBytes}: file ends after ${gotBytes} of ${wantedBytes} bytes`);
    this.path = path;
    this.offsetBytes = offsetBytes;
    this.wantedBytes = wantedBytes;
    this.gotBytes = gotBytes;
  }
}

export interface RandomAccessFile {
  readonly path: string;
  /** Length in bytes now. */
  size(): number;
  /** Fills `into` from `offsetBytes`. @throws ShortReadError if the file ends first. */
  read(offsetBytes: number, into: Uint8Array): void;
  /** Reads what there is, up to `into.length`; returns the number of bytes, 0 at or past the end. */
  readSome(offsetBytes: number, into: Uint8Array): number;
  /** Writes all of `bytes`; beyond the end, the gap reads as zeros. Durable only after `sync`. */
  write(offsetBytes: number, bytes: Uint8Array): void;
  /** Writes the parts one after another, as one write where the system allows it. */
  writeParts(offsetBytes: number, parts: readonly Uint8Array[]): void;
  /** Cuts the file, or extends it with zeros. */
  truncate(sizeBytes: number): void;
  /** fdatasync: returns only when every earlier write, and the length, survive a power loss. */
  sync(): void;
  /**
   * As `sync`, on another thread, where the file can do that: what was written before the call is covered when the
   * promise resolves, what is written meanwhile may or may not be. Do not close the file before that.
   */
  syncBeside?(): Promise<void>;
  /**
   * As `write`, on another thread, where the file can do that. `bytes` must not change before the promise resolves, and
   * the file not be closed.
   */
  writeBeside?(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  /** The same of several, one behind the other. */
  writePartsBeside?(offsetBytes: number, parts: readonly Uint8Array[]): Promise<void>;
  /** Gives back the descriptor. Closing twice is harmless. */
  close(): void;
}

/**
 * `read` opens O_RDONLY; `write` O_RDWR of a file that exists; `create` O_RDWR, made when missing;
 * `create-exclusive` O_RDWR and fails with EEXIST when it is there.
 */
export type OpenMode = "read" | "write" | "create" | "create-exclusive";

export interface Directory {
  readonly path: string;
  /** @param permissions  bits of a file that is created; etcd's database files are 0600. */
  openFile(name: string, mode: OpenMode, permissions?: number): RandomAccessFile;
  /** Names in it, in byte order. */
  list(): string[];
  exists(name: string): boolean;
  /** Atomically puts `from` in the place of `to`. Durable only after `sync`. */
  rename(from: string, to: string): void;
  remove(name: string): void;
  /** fsync of the directory: names and renames survive a power loss after it. */
  sync(): void;
  /** As `sync`, on another thread, where the directory can do that. */
  syncBeside?(): Promise<void>;
}

/** A directory that can hold others. `rename` moves those, too; the target must be missing or empty then. */
export interface DirectoryTree extends Directory {
  /** The directory of that name, whether it exists or not. */
  folder(name: string): DirectoryTree;
  /** @throws EEXIST if the name is taken. @param permissions  default 0700, as etcd's directories. */
  makeFolder(name: string, permissions?: number): void;
  /** @throws ENOTEMPTY if there is anything in it, ENOENT if it is not there. */
  removeFolder(name: string): void;
}

/**
 * Makes folders one inside the other; their names survive a power loss when it returns.
 * @throws the system's errors: EEXIST if the first is there
 */
export function makeFolders(from: DirectoryTree, names: readonly string[]): void {
  let parent = from;
  for (const name of names) {
    parent.makeFolder(name);
    parent.sync();
    parent = parent.folder(name);
  }
}

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT,
  "create-exclusive": constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
};

/** Linux takes at most this many buffers in one writev. */
const WRITEV_PARTS_MAX = 1024;

/** A file of the operating system. `fd` is public for flock(2) alone. */
export class SystemFile implements RandomAccessFile {
  readonly path: string;
  readonly fd: number;
  #open: boolean;

  /**
   * @param borrowed  see `borrow`
   * @throws the system's error (ENOENT, EACCES, EISDIR, …) with `code` and `path`.
   */
  constructor(path: string, mode: OpenMode, permissions = 0o600, borrowed?: number) {
    this.path = path;
    this.fd = borrowed ?? openSync(path, FLAGS[mode], permissions);
    this.#open = borrowed === undefined;
  }

  /**
   * A file that another thread of this process has open, by its descriptor: the same file also if there is another of
   * its name by now. Whoever opened it closes it when this one is no more used.
   */
  static borrow(path: string, fd: number): SystemFile {
    return new SystemFile(path, "read", undefined, fd);
  }

  size(): number {
    return fstatSync(this.fd).size;
  }

  read(offsetBytes: number, into: Uint8Array): void {
    const got = this.readSome(offsetBytes, into);
    if (got < into.length) throw new ShortReadError(this.path, offsetBytes, into.length, got);
  }

  readSome(offsetBytes: number, into: Uint8Array): number {
    let got = 0;
    while (got < into.length) {
      const n = readSync(this.fd, into, got, into.length - got, offsetBytes + got);
      if (n === 0) break;
      got += n;
    }
    return got;
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      done += writeSync(this.fd, bytes, done, bytes.length - done, offsetBytes + done);
    }
  }

  writeParts(offsetBytes: number, parts: readonly Uint8Array[]): void {
    const [first] = parts;
    if (first !== undefined && parts.length === 1) {
      this.write(offsetBytes, first);
      return;
    }
    for (const { at, some } of vectors(offsetBytes, parts)) {
      const done = writevSync(this.fd, some, at);
      for (const { start, bytes } of unwritten(some, done)) this.write(at + start, bytes);
    }
  }

  async writeBeside(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += await new Promise<number>((resolve, reject) => {
        const [at, left] = [offsetBytes + done, bytes.length - done];
        write(this.fd, bytes, done, left, at, (error, n) => (error ? reject(error) : resolve(n)));
      });
    }
  }

  async writePartsBeside(offsetBytes: number, parts: readonly Uint8Array[]): Promise<void> {
    for (const { at, some } of vectors(offsetBytes, parts)) {
      const done = await new Promise<number>((resolve, reject) => {
        writev(this.fd, some, at, (error, n) => (error ? reject(error) : resolve(n)));
      });
      for (const { start, bytes } of unwritten(some, done)) {
        await this.writeBeside(at + start, bytes);
      }
    }
  }

  truncate(sizeBytes: number): void {
    ftruncateSync(this.fd, sizeBytes);
  }

  sync(): void {
    fdatasyncSync(this.fd);
  }

  /** As `sync`, on another thread, while this one goes on: what is written meanwhile may or may not be covered. */
  syncBeside(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.fd);
  }
}

/** Parts that go behind one another from an offset on, as many at a time as one writev takes. */
function* vectors(
  offsetBytes: number,
  parts: readonly Uint8Array[],
): Generator<{ readonly at: number; readonly some: readonly Uint8Array[] }> {
  let at = offsetBytes;
  for (let from = 0; from < parts.length; from += WRITEV_PARTS_MAX) {
    const some = parts.slice(from, from + WRITEV_PARTS_MAX);
    yield { at, some };
    for (const part of some) at += part.length;
  }
}

/**
 * What a short writev (a signal, a full disk) has left over, part by part, so that the error is the system's own when it
 * is written.
 * @param start  of `bytes`, from where the first part begins
 */
export function unwritten(
  parts: readonly Uint8Array[],
  doneBytes: number,
): { readonly start: number; readonly bytes: Uint8Array }[] {
  const left: { start: number; bytes: Uint8Array }[] = [];
  let end = 0;
  for (const part of parts) {
    const start = Math.max(end, doneBytes);
    end += part.length;
    if (end > start) left.push({ start, bytes: part.subarray(start - end) });
  }
  return left;
}

export class SystemDirectory implements DirectoryTree {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** What this user may still write to its file system, in bytes. */
  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  /** What `make` would make: whole paths, those outside first. */
  static missing(path: string): string[] {
    const missing: string[] = [];
    for (let at = resolve(path); !existsSync(at) && dirname(at) !== at; at = dirname(at)) {
      missing.unshift(at);
    }
    return missing;
  }

  /** Makes it, and those above it, where they are not there yet; with 0700, and each name durable. */
  static make(path: string): SystemDirectory {
    const missing = SystemDirectory.missing(path);
    const above = new SystemDirectory(dirname(missing[0] ?? resolve(path)));
    makeFolders(
      above,
      missing.map((each) => basename(each)),
    );
    return new SystemDirectory(path);
  }

  openFile(name: string, mode: OpenMode, permissions = 0o600): RandomAccessFile {
    return new SystemFile(join(this.path, name), mode, permissions);
  }

  list(): string[] {
    return readdirSync(this.path).sort();
  }

  exists(name: string): boolean {
    return readdirSync(this.path).includes(name);
  }

  rename(from: string, to: string): void {
    renameSync(join(this.path, from), join(this.path, to));
  }

  remove(name: string): void {
    unlinkSync(join(this.path, name));
  }

  sync(): void {
    const fd = openSync(this.path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  async syncBeside(): Promise<void> {
    const handle = await open(this.path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  folder(name: string): SystemDirectory {
    return new SystemDirectory(join(this.path, name));
  }

  makeFolder(name: string, permissions = 0o700): void {
    mkdirSync(join(this.path, name), permissions);
  }

  removeFolder(name: string): void {
    rmdirSync(join(this.path, name));
  }
}

/** A descriptor whose writes go to the end, for a log; made with 0644 when missing. @throws the system's error */
export function openForAppending(path: string): number {
  return openSync(path, "a", 0o644);
}

/** All of a small file, wherever it is: a certificate, a configuration. @throws the system's error */
export function readWholeFile(path: string): Buffer {
  return readFileSync(path);
}

/** Another text when the file behind a path is another one, or was written to; undefined if there is none. */
export function fileStamp(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.ino}:${found.size}:${found.mtimeNs}`;
}

/** Names in a directory, in byte order; undefined if there is none. @throws the system's error */
export function namesIn(path: string): string[] | undefined {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** The nine bits of who may do what; undefined if there is nothing. */
export function permissionsOf(path: string): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && found.mode & 0o777;
}
