/**
 * Goes through the records of a log, segment after segment, and checks each: its frame, its protobuf, its CRC.
 *
 * Reads 1 MiB at a time into an arena where the CRC is computed in place. A longer record gets a buffer of its own,
 * only after the file was found to be long enough for it.
 */
import { type Crc32cArena, crc32c } from "../../native-free/crc32c.ts";
import type { Directory, RandomAccessFile } from "../../native-free/file.ts";
import { viewOf } from "../base/bytes.ts";
import { EMPTY_BYTES } from "../proto/protobuf.ts";
import { borrowArena, giveBackArena } from "./arena-pool.ts";
import {
  FRAME_HEADER_BYTES,
  frameBytes,
  isEndAt,
  isTorn,
  isZero,
  RECORD_BYTES_LIMIT,
  recordBytesAt,
} from "./frame.ts";
import { isRecordType, RecordType, RecordView } from "./record.ts";
import type { SegmentName } from "./segment-name.ts";
import { WalError, type WalFault } from "./wal-error.ts";

/** etcd has no limit since 3.5.5, and none of its requests comes near this: a hostile file that is long enough might. */
const READ_BYTES_MAX = 2 ** 28;

export interface ScanEnd {
  /** The last segment, and where the next record would go in it. */
  readonly segment: SegmentName;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** The running CRC after the last good record. */
  readonly crc: number;
  /** Set if the last segment ends within a record; what comes after that cannot be read. */
  readonly torn: string | undefined;
  /**
   * Set if there is something other than zeros behind a length of zero: what a power loss leaves of records whose
   * beginning was lost. Nothing of it was ever acknowledged, and a writer zeroes it.
   */
  readonly garbageOffsetBytes: number | undefined;
}

/**
 * Calls `visit` for each good record, in order.
 *
 * @param segments  without gaps, at least one.
 * @throws WalError crc-mismatch or bad-record; nothing is wrong with a torn last record here
 */
export function scanRecords(
  directory: Directory,
  segments: readonly SegmentName[],
  visit: (scanner: RecordScanner) => void,
): ScanEnd {
  const arena = borrowArena();
  const scanner = new RecordScanner(directory, segments, arena);
  try {
    while (scanner.next()) visit(scanner);
    return scanner.result();
  } finally {
    scanner.close();
    giveBackArena(arena);
  }
}

export class RecordScanner {
  /** The record under the scanner: what it is, and where its data is in `bytes`. Valid until the next one. */
  readonly record: RecordView = new RecordView();
  bytes: Uint8Array = EMPTY_BYTES;
  /** Of its frame in `segment`. */
  offsetBytes = 0;
  crc = 0;
  readonly #directory: Directory;
  readonly #segments: readonly SegmentName[];
  readonly #arena: Crc32cArena;
  readonly #view: DataView;
  #number = -1;
  #file: RandomAccessFile | undefined;
  #size = 0;
  #nextOffset = 0;
  /** The part of the file that the arena holds. */
  #windowStart = 0;
  #windowEnd = 0;
  #kept: Uint8Array | undefined;
  #torn: string | undefined;
  #garbageOffset: number | undefined;

  constructor(directory: Directory, segments: readonly SegmentName[], arena: Crc32cArena) {
    this.#directory = directory;
    this.#segments = segments;
    this.#arena = arena;
    this.#view = viewOf(arena.bytes);
    this.#openNext();
  }

  /**
   * As `bytes`, with the same data in the same place, but never used again: for who keeps a view of it. One copy of
   * many records at a time is quicker than one of each, and easier on the garbage collector.
   */
  get keptBytes(): Uint8Array {
    if (this.bytes !== this.#arena.bytes) return this.bytes;
    this.#kept ??= this.bytes.slice(0, this.#windowEnd - this.#windowStart);
    return this.#kept;
  }

  get segment(): SegmentName {
    return this.#segments[this.#number] as SegmentName;
  }

  /** Full path of the segment, for errors. */
  get path(): string {
    return this.#file?.path ?? this.#directory.path;
  }

  /** To the next record; false at the end, torn or not. */
  next(): boolean {
    for (;;) {
      this.offsetBytes = this.#nextOffset;
      const left = this.#size - this.offsetBytes;
      if (left > 0 && left < FRAME_HEADER_BYTES) {
        return this.#tear(`${left} bytes of a length field`);
      }
      if (left > 0) {
        this.#load(FRAME_HEADER_BYTES);
        const at = this.offsetBytes - this.#windowStart;
        if (!isEndAt(this.#view, at)) return this.#take(at, left);
      }
      if (this.#number + 1 === this.#segments.length) {
        if (left > 0) this.#garbageOffset = this.#findGarbage();
        return false;
      }
      this.#openNext();
    }
  }

  result(): ScanEnd {
    return {
      segment: this.segment,
      offsetBytes: this.#nextOffset,
      sizeBytes: this.#size,
      crc: this.crc,
      torn: this.#torn,
      garbageOffsetBytes: this.#garbageOffset,
    };
  }

  fail(fault: WalFault, what: string): never {
    throw new WalError(fault, this.path, this.offsetBytes, what);
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #take(at: number, left: number): boolean {
    const recordBytes = recordBytesAt(this.#view, at);
    if (recordBytes === undefined) this.fail("bad-record", "length and padding do not agree");
    const frame = frameBytes(recordBytes);
    if (frame > left) {
      const why = `a record of ${recordBytes} bytes, ${left - FRAME_HEADER_BYTES} left`;
      // No writer's length, and a length is not torn: not what a power loss leaves.
      if (recordBytes >= RECORD_BYTES_LIMIT) this.fail("bad-record", why);
      return this.#tear(why);
    }
    if (recordBytes > READ_BYTES_MAX) this.fail("bad-record", `a record of ${recordBytes} bytes`);
    const { record } = this;
    let start: number;
    if (frame <= this.#arena.bytes.length) {
      this.#load(frame);
      this.bytes = this.#arena.bytes;
      start = this.offsetBytes - this.#windowStart + FRAME_HEADER_BYTES;
    } else {
      this.bytes = new Uint8Array(frame - FRAME_HEADER_BYTES);
      this.#file?.read(this.offsetBytes + FRAME_HEADER_BYTES, this.bytes);
      start = 0;
    }
    const fault = record.decode(this.bytes, start, start + recordBytes);
    if (fault !== undefined) return this.#refuse(start, frame, "bad-record", fault);
    if (record.type === RecordType.crc) {
      if (record.hasData) this.fail("bad-record", "a crc record has no data");
      if (this.crc !== 0 && this.crc !== record.crc) {
        this.fail("crc-mismatch", `the log so far has crc ${this.crc}, not ${record.crc}`);
      }
      this.crc = record.crc;
    } else {
      const crc = this.#continueCrc();
      if (crc !== record.crc) {
        const what = `${record.crc} is not the crc of the log up to here, ${crc}`;
        return this.#refuse(start, frame, "crc-mismatch", what);
      }
      this.crc = crc;
    }
    if (!isRecordType(record.type)) this.fail("bad-record", `unexpected block type ${record.type}`);
    this.#nextOffset = this.offsetBytes + frame;
    return true;
  }

  #continueCrc(): number {
    const { dataStart, dataEnd } = this.record;
    if (this.bytes === this.#arena.bytes) return this.#arena.crc(dataStart, dataEnd, this.crc);
    return crc32c(this.bytes.subarray(dataStart, dataEnd), this.crc);
  }

  /** A record that is wrong: torn if it lacks a sector and nothing is to follow it, corrupt if not. */
  #refuse(start: number, frame: number, fault: WalFault, what: string): false {
    const end = start + frame - FRAME_HEADER_BYTES;
    if (!isTorn(this.bytes, start, end, this.offsetBytes + FRAME_HEADER_BYTES)) {
      this.fail(fault, what);
    }
    return this.#tear(`${what}; a sector of it is missing`);
  }

  #tear(why: string): false {
    if (this.#number + 1 < this.#segments.length) {
      this.fail("bad-record", `${why}, and segments follow`);
    }
    this.#torn = why;
    return false;
  }

  #openNext(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#number++;
    this.#file = this.#directory.openFile(this.segment.name, "read");
    this.#size = this.#file.size();
    this.#nextOffset = 0;
    this.offsetBytes = 0;
    this.#windowStart = 0;
    this.#windowEnd = 0;
    this.#kept = undefined;
  }

  /** Has the arena hold at least `bytes` from the frame on: they are in the file and fit. */
  #load(bytes: number): void {
    if (this.offsetBytes + bytes <= this.#windowEnd) return;
    const into = this.#arena.bytes;
    const wanted = Math.min(into.length, this.#size - this.offsetBytes);
    this.#file?.read(this.offsetBytes, into.subarray(0, wanted));
    this.#windowStart = this.offsetBytes;
    this.#windowEnd = this.offsetBytes + wanted;
    this.#kept = undefined;
  }

  /** The first byte from the frame on that is not zero. */
  #findGarbage(): number | undefined {
    const into = this.#arena.bytes;
    for (let from = this.offsetBytes; from < this.#size; from += into.length) {
      const bytes = into.subarray(0, Math.min(into.length, this.#size - from));
      this.#file?.read(from, bytes);
      if (!isZeroQuickly(bytes)) return from + bytes.findIndex((byte) => byte !== 0);
    }
    return undefined;
  }
}

const ZEROS = new Uint8Array(64 * 1024);

/** 64 MB of zeros are looked at when a log is opened: by memcmp, not byte by byte. */
function isZeroQuickly(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (piece.length < ZEROS.length) return isZero(piece, 0, piece.length);
    if (Buffer.compare(piece, ZEROS) !== 0) return false;
  }
  return true;
}
