/**
 * Directories and files that are nowhere but in memory, with the same surface and the same refusals as the system's.
 *
 * What is lost: everything, when the process ends. A sync does nothing, and is never slow. A tree belongs to the thread
 * that made it. Permissions are not kept.
 */
import {
  type DirectoryTree,
  type OpenMode,
  type RandomAccessFile,
  ShortReadError,
} from "./file.ts";
import { type SystemErrorCode, systemError } from "./system-error.ts";

/**
 * A file grows by this much and is never moved. Small enough that a small file wastes little; large enough that a read
 * of a page or a log record hardly ever crosses from one to the next, and 2 GiB are 32,768 of them.
 */
const CHUNK_BYTES = 64 * 1024;

/** A chunk that nobody wrote to takes no memory: a log's segment, laid out in advance with a truncate, is free. */
class FileNode {
  /** In every chunk, what lies at and after it is zero. */
  size = 0;
  /** A missing one is all zeros. */
  readonly #chunks: (Uint8Array | undefined)[] = [];

  read(offsetBytes: number, into: Uint8Array): number {
    const end = Math.min(offsetBytes + into.length, this.size);
    for (let at = offsetBytes; at < end; ) {
      const start = at % CHUNK_BYTES;
      const n = Math.min(CHUNK_BYTES - start, end - at);
      const chunk = this.#chunks[(at - start) / CHUNK_BYTES];
      const to = at - offsetBytes;
      if (chunk === undefined) into.fill(0, to, to + n);
      else into.set(chunk.subarray(start, start + n), to);
      at += n;
    }
    return Math.max(0, end - offsetBytes);
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const end = offsetBytes + bytes.length;
    for (let at = offsetBytes; at < end; ) {
      const start = at % CHUNK_BYTES;
      const n = Math.min(CHUNK_BYTES - start, end - at);
      const from = at - offsetBytes;
      this.#chunk((at - start) / CHUNK_BYTES).set(bytes.subarray(from, from + n), start);
      at += n;
    }
    this.size = Math.max(this.size, end);
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.size) {
      const inLast = sizeBytes % CHUNK_BYTES;
      this.#chunks.length = Math.min(this.#chunks.length, Math.ceil(sizeBytes / CHUNK_BYTES));
      if (inLast > 0) this.#chunks[(sizeBytes - inLast) / CHUNK_BYTES]?.fill(0, inLast);
    }
    this.size = sizeBytes;
  }

  #chunk(index: number): Uint8Array {
    const known = this.#chunks[index];
    if (known !== undefined) return known;
    // One by one: an array that is set far beyond its end becomes a slow one.
    while (this.#chunks.length < index) this.#chunks.push(undefined);
    const made = new Uint8Array(CHUNK_BYTES);
    this.#chunks[index] = made;
    return made;
  }
}

class FolderNode {
  readonly entries: Map<string, FileNode | FolderNode> = new Map();
}

/** The root of a tree, or a directory in it, found anew by its name at each call, as the system's. */
export class MemoryTree implements DirectoryTree {
  readonly path: string;
  readonly #find: () => FolderNode;

  /** A new, empty tree. @param path  what it calls itself in paths and errors. */
  constructor(path?: string);
  constructor(path: string, find: () => FolderNode);
  constructor(path = "/memory", find?: () => FolderNode) {
    const root = new FolderNode();
    this.path = path;
    this.#find = find ?? (() => root);
  }

  openFile(name: string, mode: OpenMode): RandomAccessFile {
    const { entries } = this.#find();
    let node = entries.get(name);
    if (node instanceof FolderNode) throw this.#error("EISDIR", "open", name);
    if (node !== undefined && mode === "create-exclusive")
      throw this.#error("EEXIST", "open", name);
    if (node === undefined) {
      if (mode === "read" || mode === "write") throw this.#error("ENOENT", "open", name);
      node = new FileNode();
      entries.set(name, node);
    }
    return new MemoryFile(this.#join(name), node, mode !== "read");
  }

  list(): string[] {
    return [...this.#find().entries.keys()].sort();
  }

  exists(name: string): boolean {
    return this.#find().entries.has(name);
  }

  rename(from: string, to: string): void {
    const { entries } = this.#find();
    const node = entries.get(from);
    if (node === undefined) throw this.#error("ENOENT", "rename", from);
    const target = entries.get(to);
    if (target === node) return;
    const ofFolder = node instanceof FolderNode;
    if (target instanceof FolderNode) {
      if (!ofFolder) throw this.#error("EISDIR", "rename", to);
      if (target.entries.size > 0) throw this.#error("ENOTEMPTY", "rename", to);
    } else if (target !== undefined && ofFolder) {
      throw this.#error("ENOTDIR", "rename", to);
    }
    entries.delete(from);
    entries.set(to, node);
  }

  remove(name: string): void {
    const { entries } = this.#find();
    const node = entries.get(name);
    if (node === undefined) throw this.#error("ENOENT", "unlink", name);
    if (node instanceof FolderNode) throw this.#error("EISDIR", "unlink", name);
    entries.delete(name);
  }

  sync(): void {
    this.#find();
  }

  async syncBeside(): Promise<void> {
    this.sync();
  }

  folder(name: string): MemoryTree {
    return new MemoryTree(this.#join(name), () => this.#folder(name, "open"));
  }

  makeFolder(name: string): void {
    const { entries } = this.#find();
    if (entries.has(name)) throw this.#error("EEXIST", "mkdir", name);
    entries.set(name, new FolderNode());
  }

  removeFolder(name: string): void {
    if (this.#folder(name, "rmdir").entries.size > 0) throw this.#error("ENOTEMPTY", "rmdir", name);
    this.#find().entries.delete(name);
  }

  #folder(name: string, syscall: string): FolderNode {
    const node = this.#find().entries.get(name);
    if (node === undefined) throw this.#error("ENOENT", syscall, name);
    if (!(node instanceof FolderNode)) throw this.#error("ENOTDIR", syscall, name);
    return node;
  }

  #join(name: string): string {
    return `${this.path}/${name}`;
  }

  #error(code: SystemErrorCode, syscall: string, name: string): NodeJS.ErrnoException {
    return systemError(code, syscall, this.#join(name));
  }
}

/** A file of a tree as one caller has it open. */
class MemoryFile implements RandomAccessFile {
  readonly path: string;
  readonly #node: FileNode;
  readonly #writable: boolean;
  #open = true;

  constructor(path: string, node: FileNode, writable: boolean) {
    this.path = path;
    this.#node = node;
    this.#writable = writable;
  }

  size(): number {
    this.#mustBeOpen("fstat");
    return this.#node.size;
  }

  read(offsetBytes: number, into: Uint8Array): void {
    const got = this.readSome(offsetBytes, into);
    if (got < into.length) throw new ShortReadError(this.path, offsetBytes, into.length, got);
  }

  readSome(offsetBytes: number, into: Uint8Array): number {
    this.#mustBeOpen("read");
    mustBePosition(offsetBytes);
    return this.#node.read(offsetBytes, into);
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    this.#mustBeOpen("write");
    mustBePosition(offsetBytes);
    if (!this.#writable) throw systemError("EBADF", "write");
    this.#node.write(offsetBytes, bytes);
  }

  writeParts(offsetBytes: number, parts: readonly Uint8Array[]): void {
    let at = offsetBytes;
    for (const part of parts) {
      this.write(at, part);
      at += part.length;
    }
  }

  truncate(sizeBytes: number): void {
    this.#mustBeOpen("ftruncate");
    mustBePosition(sizeBytes);
    if (!this.#writable) throw systemError("EINVAL", "ftruncate");
    this.#node.truncate(sizeBytes);
  }

  sync(): void {
    this.#mustBeOpen("fdatasync");
  }

  async syncBeside(): Promise<void> {
    this.sync();
  }

  close(): void {
    this.#open = false;
  }

  #mustBeOpen(syscall: string): void {
    if (!this.#open) throw systemError("EBADF", syscall);
  }
}

/** Node refuses others as the programmer's error that they are. */
function mustBePosition(offsetBytes: number): void {
  if (!Number.isSafeInteger(offsetBytes) || offsetBytes < 0) {
    throw new RangeError(`The value of "position" is out of range: ${offsetBytes}`);
  }
}
