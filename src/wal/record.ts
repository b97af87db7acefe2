/**
 * A record of the log, walpb.Record: 1 type, 2 crc, 3 data. The CRC is CRC-32C of the data of all records so far; the
 * type is not covered by it.
 */
import { FieldReader, putVarint, varintBytes } from "../proto/protobuf.ts";

export const RecordType = {
  metadata: 1,
  entry: 2,
  state: 3,
  crc: 4,
  snapshot: 5,
} as const;

export type RecordType = (typeof RecordType)[keyof typeof RecordType];

export function isRecordType(type: number): type is RecordType {
  return type >= RecordType.metadata && type <= RecordType.snapshot;
}

/** Type and CRC with their tags: the CRC's varint has up to 5 bytes, nearly always all of them. */
export const CRC_VARINT_BYTES_MAX = 5;
const BEFORE_CRC = 3;

/** From the record's begin to its data, if the CRC takes `crcBytes`. */
export function bytesBeforeData(crcBytes: number, dataBytes: number): number {
  return BEFORE_CRC + crcBytes + 1 + varintBytes(dataBytes);
}

/** Writes all of a record that comes before its data (for undefined: all of it); returns where it ends. */
export function putRecordHead(
  bytes: Uint8Array,
  at: number,
  type: RecordType,
  crc: number,
  dataBytes: number | undefined,
): number {
  bytes[at] = 0x08;
  bytes[at + 1] = type;
  bytes[at + 2] = 0x10;
  const end = putVarint(bytes, at + BEFORE_CRC, crc);
  if (dataBytes === undefined) return end;
  bytes[end] = 0x1a;
  return putVarint(bytes, end + 1, dataBytes);
}

/** Where the parts of a record are; made once and used for each. */
export class RecordView {
  type = 0;
  crc = 0;
  /** Of the data in the bytes that were decoded; both 0 if there is none. */
  dataStart = 0;
  dataEnd = 0;
  hasData = false;
  readonly #fields = new FieldReader();

  /** @returns what is wrong with it, if it is no record at all. Its type may still be unknown. */
  decode(bytes: Uint8Array, start: number, end: number): string | undefined {
    this.type = 0;
    this.crc = 0;
    this.dataStart = 0;
    this.dataEnd = 0;
    this.hasData = false;
    const fields = this.#fields.open(bytes, start, end);
    while (fields.next()) {
      if (fields.field === 1 && fields.is(0)) {
        this.type = fields.number;
      } else if (fields.field === 2 && fields.is(0)) {
        if (fields.high !== 0) fields.stop("a crc of more than 32 bits");
        this.crc = fields.low;
      } else if (fields.field === 3 && fields.is(2)) {
        this.dataStart = fields.start;
        this.dataEnd = fields.start + fields.length;
        this.hasData = true;
      }
    }
    return fields.fault;
  }
}
