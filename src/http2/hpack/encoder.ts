/**
 * Writes header blocks. Fields that return go into the peer's table once and are a byte from then on. Nothing is ever
 * evicted to make room: a server says few different things, and so the indices settle after the first responses. What
 * differs from response to response is not indexed at all.
 *
 * @see RFC 7541, 6
 */
import type { HeaderList } from "../exchange.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { Entry } from "./entry.ts";
import { huffmanBytes, huffmanEncode } from "./huffman.ts";
import { STATIC_COUNT, STATIC_NAMES, staticIndexOf } from "./static-table.ts";

/** Of the encoder's table; a peer may want less. What a server repeats fits many times. */
const TABLE_BYTES_MAX = 4096;

/** Hardly ever the same twice. */
const VARYING: ReadonlySet<string> = new Set([
  "grpc-message",
  "grpc-status-details-bin",
  "content-length",
  "date",
  "etag",
  "last-modified",
  "location",
  "set-cookie",
  "x-etcd-index",
  "x-raft-index",
]);

/** Longer values would fill the table: they are sent in full. */
const INDEXED_VALUE_BYTES_MAX = 256;

export class HpackEncoder {
  readonly #table = new DynamicTable(TABLE_BYTES_MAX);
  /** A size to tell the peer at the start of the next block. */
  #toTell: number | undefined;

  /** Blocks encoded at one count of changes mean the same as long as it is the same. */
  get changes(): number {
    return this.#table.changes;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. Once made smaller, the table stays so. @see RFC 7541, 4.2 */
  limit(bytesMax: number): void {
    if (bytesMax >= this.#table.bytesMax) return;
    this.#table.resize(0);
    this.#table.resize(bytesMax);
    this.#toTell = bytesMax;
  }

  /** Something is to be said at the start of the next block: a block from before must not be used. */
  get tells(): boolean {
    return this.#toTell !== undefined;
  }

  /** No block of these fields is longer than this. */
  bytesMax(list: HeaderList): number {
    let bytes = 16;
    for (const [name, value] of list) bytes += name.length + value.length + 16;
    return bytes;
  }

  /** @returns the offset behind the block */
  encode(list: HeaderList, into: Buffer, offset: number): number {
    let at = offset;
    if (this.#toTell !== undefined) {
      // Zero first, so that the peer's table is as empty as this one.
      at = writeInteger(into, at, 0x20, 0x1f, 0);
      at = writeInteger(into, at, 0x20, 0x1f, this.#toTell);
      this.#toTell = undefined;
    }
    for (const [name, value] of list) at = this.#field(name, value, into, at);
    return at;
  }

  #field(name: string, value: string, into: Buffer, offset: number): number {
    const index = staticIndexOf(name, value) || this.#indexOf(name, value);
    if (index > 0) return writeInteger(into, offset, 0x80, 0x7f, index);
    const entry = new Entry(name, value);
    const indexed =
      !VARYING.has(name) &&
      value.length <= INDEXED_VALUE_BYTES_MAX &&
      this.#table.bytes + entry.bytes <= this.#table.bytesMax;
    const nameIndex = STATIC_NAMES.get(name) ?? this.#nameIndexOf(name);
    let at = indexed
      ? writeInteger(into, offset, 0x40, 0x3f, nameIndex)
      : writeInteger(into, offset, 0x00, 0x0f, nameIndex);
    if (nameIndex === 0) at = writeString(into, at, name);
    at = writeString(into, at, value);
    if (indexed) this.#table.add(entry);
    return at;
  }

  #indexOf(name: string, value: string): number {
    for (let index = 0; index < this.#table.count; index++) {
      const entry = this.#table.at(index);
      if (entry?.value === value && entry.name === name) return STATIC_COUNT + 1 + index;
    }
    return 0;
  }

  #nameIndexOf(name: string): number {
    for (let index = 0; index < this.#table.count; index++) {
      if (this.#table.at(index)?.name === name) return STATIC_COUNT + 1 + index;
    }
    return 0;
  }
}

/** @see RFC 7541, 5.1 */
export function writeInteger(
  into: Uint8Array,
  offset: number,
  pattern: number,
  prefix: number,
  value: number,
): number {
  let at = offset;
  if (value < prefix) {
    into[at++] = pattern | value;
    return at;
  }
  into[at++] = pattern | prefix;
  let rest = value - prefix;
  while (rest >= 0x80) {
    into[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[at++] = rest;
  return at;
}

function writeString(into: Buffer, offset: number, text: string): number {
  const coded = huffmanBytes(text);
  if (coded < text.length) {
    return huffmanEncode(text, into, writeInteger(into, offset, 0x80, 0x7f, coded));
  }
  const at = writeInteger(into, offset, 0, 0x7f, text.length);
  return at + into.write(text, at, "latin1");
}
