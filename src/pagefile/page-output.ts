/**
 * Pages written one after another from the beginning of a new file: for copies, which know the order of their pages.
 * Memory is one piece, whatever the file's size.
 */
import { newSlab, type Slab } from "../../native-free/page-cache.ts";

/** Takes the bytes of a piece; pieces come in ascending order without gaps. */
export type PieceSink = (offsetBytes: number, bytes: Uint8Array) => void;

/** Room for one logical page. It must be filled before the next is asked for. */
export interface PageRoom extends Slab {
  readonly id: number;
  /** Where the page starts in `bytes`. */
  readonly base: number;
}

const PIECE_BYTES = 1024 * 1024;

export class PageOutput {
  readonly pageBytes: number;
  readonly #sink: PieceSink | undefined;
  readonly #piece: Slab | undefined;
  #nextId: number;
  /** Page at which the piece begins, and bytes of it that are given away. */
  #pieceId: number;
  #filled = 0;

  /**
   * @param firstId  id of the first page that is written
   * @param sink  where pieces go; without one nothing is written and pages are only counted
   */
  constructor(pageBytes: number, firstId: number, sink: PieceSink | undefined) {
    this.pageBytes = pageBytes;
    this.#sink = sink;
    this.#piece = sink && newSlab(PIECE_BYTES);
    this.#nextId = firstId;
    this.#pieceId = firstId;
  }

  /** Pages are counted, not written: what is asked for by `room` must not be filled. */
  get dry(): boolean {
    return this.#sink === undefined;
  }

  /** The id that the next page will have; after the last, the file's high-water mark. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Counts a page without writing it. @returns its id */
  count(pages: number): number {
    const id = this.#nextId;
    this.#nextId += pages;
    return id;
  }

  room(pages: number): PageRoom {
    const wanted = pages * this.pageBytes;
    const piece = this.#piece;
    if (piece === undefined) throw new Error("pages of a dry run are counted, not written");
    // One with memory of its own goes before whatever is filled after it.
    if (this.#large !== undefined || this.#filled + wanted > PIECE_BYTES) this.flush();
    const id = this.#nextId;
    this.#nextId += pages;
    if (wanted > PIECE_BYTES) {
      // Larger than a piece: memory of its own, which the next flush writes.
      const own = newSlab(wanted);
      this.#large = own;
      return { ...own, id, base: 0 };
    }
    const base = this.#filled;
    this.#filled += wanted;
    return { bytes: piece.bytes, view: piece.view, id, base };
  }

  #large: Slab | undefined;

  /** Writes what is filled. */
  flush(): void {
    const { pageBytes } = this;
    if (this.#filled > 0 && this.#piece !== undefined) {
      this.#sink?.(this.#pieceId * pageBytes, this.#piece.bytes.subarray(0, this.#filled));
      this.#pieceId += this.#filled / pageBytes;
      this.#filled = 0;
    }
    if (this.#large !== undefined) {
      this.#sink?.(this.#pieceId * pageBytes, this.#large.bytes);
      this.#pieceId += this.#large.bytes.length / pageBytes;
      this.#large = undefined;
    }
  }
}
