/** A page file's bytes under the knife: to make, by hand and on purpose, files that no writer makes. */
import {
  readU16,
  readU32,
  readU64,
  viewOf,
  writeU16,
  writeU32,
  writeU64,
} from "../../src/base/bytes.ts";
import { encodeMetaPage, type Meta, readMetas } from "../../src/pagefile/meta.ts";
import { PageFile, type PageFileOptions } from "../../src/pagefile/page-file.ts";
import type { WriteTx } from "../../src/pagefile/tx.ts";
import { MemoryFile } from "./memory-file.ts";

export class Surgery {
  bytes: Uint8Array;
  readonly pageBytes: number;

  constructor(bytes: Uint8Array) {
    this.bytes = Uint8Array.from(bytes);
    this.pageBytes = readMetas(new MemoryFile(this.bytes)).pageBytes;
  }

  /** A new file after the given transactions. */
  static of(options: PageFileOptions, ...changes: readonly ((tx: WriteTx) => void)[]): Surgery {
    const memory = new MemoryFile();
    const file = PageFile.open(memory, options);
    for (const change of changes) file.update(change);
    return new Surgery(memory.bytes);
  }

  get meta(): Meta {
    return readMetas(new MemoryFile(this.bytes)).active;
  }

  /** Changes the meta in force; its checksum is right again. */
  setMeta(change: { readonly [K in keyof Meta]?: Meta[K] }): void {
    const { active, activePage } = readMetas(new MemoryFile(this.bytes));
    const image = encodeMetaPage({ ...active, ...change }, activePage);
    this.bytes.set(image, activePage * this.pageBytes);
  }

  /** Page id of a top-level bucket's root page; 0 for an inline one. */
  rootOf(name: string): number {
    const file = PageFile.open(this.file(), { readOnly: true });
    return file.view((tx) => tx.bucket(Buffer.from(name))?.rootId ?? -1);
  }

  at(page: number, offset = 0): number {
    return page * this.pageBytes + offset;
  }

  /** Offset of element `i` of a page in the file. */
  element(page: number, i: number): number {
    return this.at(page, 16 + 16 * i);
  }

  /** Offset of the key of a leaf's element in the file. */
  leafKey(page: number, i: number): number {
    return this.element(page, i) + this.u32(this.element(page, i) + 4);
  }

  /** Offset of the key of a branch's element in the file. */
  branchKey(page: number, i: number): number {
    return this.element(page, i) + this.u32(this.element(page, i));
  }

  child(page: number, i: number): number {
    return readU64(viewOf(this.bytes), this.element(page, i) + 8);
  }

  count(page: number): number {
    return readU16(viewOf(this.bytes), this.at(page, 10));
  }

  u32(offset: number): number {
    return readU32(viewOf(this.bytes), offset);
  }

  setU16(offset: number, value: number): void {
    writeU16(viewOf(this.bytes), offset, value);
  }

  setU32(offset: number, value: number): void {
    writeU32(viewOf(this.bytes), offset, value);
  }

  setU64(offset: number, value: number): void {
    writeU64(viewOf(this.bytes), offset, value);
  }

  /** A file with these bytes; what is written to it does not come back here. */
  file(): MemoryFile {
    return new MemoryFile(this.bytes.slice());
  }

  /** What the check says of it, in words. */
  faults(): string[] {
    const file = PageFile.open(this.file(), { readOnly: true });
    return file.check().faults.map(({ what }) => what);
  }
}
