/**
 * Records on their way to the disk, each with the CRC of the log up to it. They are encoded once, where they are hashed
 * and written from: in an arena. What does not fit is set aside until it is written.
 */
import type { Crc32cArena } from "../../native-free/crc32c.ts";
import { crc32c } from "../../native-free/crc32c.ts";
import { viewOf } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import { EMPTY_BYTES, varintBytes } from "../proto/protobuf.ts";
import { type Entry, entryHeadBytes, putEntryHead } from "./entry.ts";
import { FRAME_HEADER_BYTES, frameBytes, paddingOf, putFrameHeader } from "./frame.ts";
import { bytesBeforeData, CRC_VARINT_BYTES_MAX, putRecordHead, RecordType } from "./record.ts";

/** Copying a longer entry costs more than writing it from where it is. */
const COPIED_BYTES_MAX = 64 * 1024;

/** The longest that an entry's record can be: its CRC is not known yet. */
export function entryRecordBytesMax(entry: Entry): number {
  const bytes = entryHeadBytes(entry) + (entry.data?.length ?? 0);
  return bytesBeforeData(CRC_VARINT_BYTES_MAX, bytes) + bytes;
}

export class RecordBuffer {
  /** Of the log up to the last record in here. */
  crc: number;
  readonly #arena: Crc32cArena;
  readonly #view: DataView;
  #used = 0;
  #aside: Uint8Array[] = [];
  #asideBytes = 0;

  constructor(arena: Crc32cArena, crc: number) {
    this.#arena = arena;
    this.#view = viewOf(arena.bytes);
    this.crc = crc;
  }

  get byteLength(): number {
    return this.#asideBytes + this.#used;
  }

  /** Keeps the data itself, not a copy, of an entry of more than 64 KiB: it must not change until it is written. */
  addEntry(entry: Entry): void {
    const { data = EMPTY_BYTES } = entry;
    const headBytes = entryHeadBytes(entry);
    const dataBytes = headBytes + data.length;
    if (data.length > COPIED_BYTES_MAX) {
      this.#addLongEntry(entry, data, headBytes);
      return;
    }
    const at = this.#reserve(dataBytes);
    const { bytes } = this.#arena;
    const end = putEntryHead(bytes, at, entry);
    invariant(end === at + headBytes, "an entry's head is as long as announced");
    bytes.set(data, end);
    this.#seal(RecordType.entry, at, dataBytes);
  }

  /** A record of any other type. */
  add(type: RecordType, data: Uint8Array): void {
    const at = this.#reserve(data.length);
    this.#arena.bytes.set(data, at);
    this.#seal(type, at, data.length);
  }

  /** The first record of a segment: no data, and the CRC so far. */
  addCrc(): void {
    const start = this.#room(frameBytes(CRC_VARINT_BYTES_MAX + 3));
    const { bytes } = this.#arena;
    const begin = start + FRAME_HEADER_BYTES;
    const end = putRecordHead(bytes, begin, RecordType.crc, this.crc, undefined);
    this.#close(start, end);
  }

  /** All of it, in order, valid until `clear`. */
  parts(): Uint8Array[] {
    return [...this.#aside, this.#arena.bytes.subarray(0, this.#used)];
  }

  /** The same, and no record to come is written over it. Long entries' data is still their callers'. */
  ownParts(): Uint8Array[] {
    return [...this.#aside, this.#arena.bytes.slice(0, this.#used)];
  }

  /** Forgets the records, but not the CRC: they were written. */
  clear(): void {
    this.#used = 0;
    this.#aside = [];
    this.#asideBytes = 0;
  }

  /** Where the data of a record goes: as if its CRC took five bytes. */
  #reserve(dataBytes: number): number {
    const before = bytesBeforeData(CRC_VARINT_BYTES_MAX, dataBytes);
    return this.#room(frameBytes(before + dataBytes)) + FRAME_HEADER_BYTES + before;
  }

  #seal(type: RecordType, dataAt: number, dataBytes: number): void {
    const { bytes } = this.#arena;
    this.crc = this.#arena.crc(dataAt, dataAt + dataBytes, this.crc);
    const begin = this.#used + FRAME_HEADER_BYTES;
    const dataBegin = begin + bytesBeforeData(varintBytes(this.crc), dataBytes);
    // One CRC in sixteen takes four bytes or fewer.
    if (dataBegin < dataAt) bytes.copyWithin(dataBegin, dataAt, dataAt + dataBytes);
    const headEnd = putRecordHead(bytes, begin, type, this.crc, dataBytes);
    invariant(headEnd === dataBegin, "a record's head is as long as announced");
    this.#close(this.#used, dataBegin + dataBytes);
  }

  /** Frames the record that begins behind `start`. */
  #close(start: number, end: number): void {
    const recordBytes = end - start - FRAME_HEADER_BYTES;
    putFrameHeader(this.#view, start, recordBytes);
    const padding = paddingOf(recordBytes);
    this.#arena.bytes.fill(0, end, end + padding);
    this.#used = end + padding;
  }

  /** @returns where `bytes` have room in the arena. */
  #room(bytes: number): number {
    invariant(bytes <= this.#arena.bytes.length, "a short record fits into the arena", { bytes });
    if (this.#used + bytes > this.#arena.bytes.length) this.#setAside();
    return this.#used;
  }

  #setAside(): void {
    if (this.#used === 0) return;
    this.#aside.push(this.#arena.bytes.slice(0, this.#used));
    this.#asideBytes += this.#used;
    this.#used = 0;
  }

  #addLongEntry(entry: Entry, data: Uint8Array, headBytes: number): void {
    const entryHead = new Uint8Array(headBytes);
    putEntryHead(entryHead, 0, entry);
    this.crc = crc32c(data, crc32c(entryHead, this.crc));
    const dataBytes = headBytes + data.length;
    const before = bytesBeforeData(varintBytes(this.crc), dataBytes);
    const head = new Uint8Array(FRAME_HEADER_BYTES + before + headBytes);
    putFrameHeader(viewOf(head), 0, before + dataBytes);
    putRecordHead(head, FRAME_HEADER_BYTES, RecordType.entry, this.crc, dataBytes);
    head.set(entryHead, FRAME_HEADER_BYTES + before);
    this.#setAside();
    this.#aside.push(head, data, new Uint8Array(paddingOf(before + dataBytes)));
    this.#asideBytes += frameBytes(before + dataBytes);
  }
}
