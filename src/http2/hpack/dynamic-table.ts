/** The fields that one side of a connection has told the other to remember, newest first. @see RFC 7541, 2.3.2 and 4 */
import { type Entry, FIELD_OVERHEAD_BYTES } from "./entry.ts";

export class DynamicTable {
  /** A ring. Made by the first field: many connections never send one. */
  #ring: (Entry | undefined)[] = [];
  /** Where the next one goes. */
  #next = 0;
  #count = 0;
  #bytes = 0;
  #bytesMax: number;
  /** Counts changes: what was worked out with the table holds as long as this is the same. */
  changes = 0;

  /** @param bytesMax  where `resize` may go at most, and where the size begins */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** @param index  0 is the newest */
  at(index: number): Entry | undefined {
    if (index >= this.#count) return undefined;
    const ring = this.#ring;
    return ring[(this.#next - 1 - index + ring.length) % ring.length];
  }

  /** A field larger than the whole table empties it, and is not in it. */
  add(entry: Entry): void {
    this.changes++;
    while (this.#count > 0 && this.#bytes + entry.bytes > this.#bytesMax) this.#evict();
    if (entry.bytes > this.#bytesMax) return;
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#ring.length;
    this.#count++;
    this.#bytes += entry.bytes;
  }

  resize(bytesMax: number): void {
    if (bytesMax !== this.#bytesMax) this.changes++;
    this.#bytesMax = bytesMax;
    while (this.#bytes > bytesMax) this.#evict();
  }

  #evict(): void {
    const ring = this.#ring;
    const oldest = (this.#next - this.#count + ring.length) % ring.length;
    this.#bytes -= ring[oldest]?.bytes ?? 0;
    ring[oldest] = undefined;
    this.#count--;
  }

  #grow(): void {
    const most = Math.ceil(this.#bytesMax / FIELD_OVERHEAD_BYTES);
    const larger: (Entry | undefined)[] = [];
    for (let index = this.#count - 1; index >= 0; index--) larger.push(this.at(index));
    const size = Math.max(Math.min(this.#count * 2, most), this.#count + 1, 8);
    while (larger.length < size) larger.push(undefined);
    this.#ring = larger;
    this.#next = this.#count;
  }
}
