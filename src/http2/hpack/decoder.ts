/** Reads header blocks. @see RFC 7541, 3 and 6 */
import { DynamicTable } from "./dynamic-table.ts";
import { Entry } from "./entry.ts";
import { huffmanDecode, huffmanDecodedBytesMax } from "./huffman.ts";
import { STATIC_COUNT, STATIC_TABLE } from "./static-table.ts";

/** Both sides' tables have lost step: the connection cannot be used any more. */
export class CompressionError extends Error {
  override readonly name: string = "CompressionError";
}

/** Takes the fields of a block, in order. */
export interface FieldSink {
  field(entry: Entry): void;
}

/** Longer strings are decoded in a buffer of their own, which is not kept. */
const SCRATCH_BYTES = 1024;
const scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** Up to here, putting characters together is cheaper than asking the buffer for a string. */
const SHORT_STRING_BYTES = 16;

export class HpackDecoder {
  readonly table: DynamicTable;
  readonly #tableBytesMax: number;
  /** Where the reading is. */
  #at = 0;

  /** @param tableBytesMax  as announced to the peer: SETTINGS_HEADER_TABLE_SIZE */
  constructor(tableBytesMax: number) {
    this.table = new DynamicTable(tableBytesMax);
    this.#tableBytesMax = tableBytesMax;
  }

  /** @throws CompressionError */
  decode(block: Buffer, start: number, end: number, sink: FieldSink): void {
    this.#at = start;
    let fields = 0;
    while (this.#at < end) {
      const first = block[this.#at] as number;
      if (first >= 0x80) {
        const index = first === 0xff ? this.#integer(block, end, 0x7f) : this.#short(first & 0x7f);
        sink.field(this.#entry(index));
      } else if (first >= 0x40) {
        const entry = this.#literal(block, end, 0x3f);
        this.table.add(entry);
        sink.field(entry);
      } else if (first >= 0x20) {
        const bytesMax = this.#integer(block, end, 0x1f);
        if (fields > 0) throw new CompressionError("a size update after a field");
        if (bytesMax > this.#tableBytesMax)
          throw new CompressionError("a table larger than agreed");
        this.table.resize(bytesMax);
        continue;
      } else {
        sink.field(this.#literal(block, end, 0x0f));
      }
      fields++;
    }
  }

  #short(value: number): number {
    this.#at++;
    return value;
  }

  #entry(index: number): Entry {
    const entry =
      index <= STATIC_COUNT ? STATIC_TABLE[index] : this.table.at(index - STATIC_COUNT - 1);
    if (entry === undefined) throw new CompressionError("no such index");
    return entry;
  }

  #literal(block: Buffer, end: number, prefix: number): Entry {
    const index = this.#integer(block, end, prefix);
    const name = index === 0 ? this.#string(block, end) : this.#entry(index).name;
    return new Entry(name, this.#string(block, end));
  }

  /** @see RFC 7541, 5.1 */
  #integer(block: Buffer, end: number, prefix: number): number {
    if (this.#at >= end) throw new CompressionError("the block ends within a field");
    let value = (block[this.#at++] as number) & prefix;
    if (value < prefix) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= end) throw new CompressionError("the block ends within an integer");
      const byte = block[this.#at++] as number;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new CompressionError("an integer beyond any sense");
  }

  #string(block: Buffer, end: number): string {
    if (this.#at >= end) throw new CompressionError("the block ends within a field");
    const huffman = (block[this.#at] as number) >= 0x80;
    const bytes = this.#integer(block, end, 0x7f);
    const start = this.#at;
    if (bytes > end - start) throw new CompressionError("a string longer than its block");
    this.#at += bytes;
    if (!huffman) return latin1(block, start, start + bytes);
    const room = huffmanDecodedBytesMax(bytes);
    const into = room <= SCRATCH_BYTES ? scratch : Buffer.allocUnsafeSlow(room);
    const length = huffmanDecode(block, start, start + bytes, into);
    if (length < 0) throw new CompressionError("not the Huffman code");
    return latin1(into, 0, length);
  }
}

function latin1(bytes: Buffer, start: number, end: number): string {
  if (end - start > SHORT_STRING_BYTES) return bytes.toString("latin1", start, end);
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}
