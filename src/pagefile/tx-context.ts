import type { PagePlace } from "../../native-free/page-cache.ts";
import type { Arena } from "./arena.ts";
import type { Part } from "./encode-part.ts";
import type { Page } from "./page.ts";
import type { WalkSource } from "./page-runs.ts";

/** What a bucket and a cursor need of the transaction they belong to. */
export interface TxContext {
  readonly path: string;
  readonly pageBytes: number;
  readonly writable: boolean;
  /** Where keys and values of this transaction are kept. */
  readonly arena: Arena;
  /** Counts changes, so that a cursor notices that the ground has moved. */
  mutations: number;
  /** @throws StrataError CLOSED after the end of the transaction */
  assertOpen(): void;
  /** @throws StrataError READ_ONLY or CLOSED */
  assertWritable(): void;
  /** A branch or leaf page. @throws CorruptionError if there is none at that id */
  page(id: number): Page;
  /** The same to be taken apart: the page is this transaction's alone, and is written anew. */
  pageToChange(id: number): Page;
  /** `page` without an object: sets `into` to where the page's bytes are. */
  find(id: number, into: PagePlace): void;
  /** Pages as they are stored, past the cache: for going through many without pushing out what others use. */
  storedPages(): WalkSource;
  /** A change failed half way: what is in memory is not whole, and only rollback is left. */
  breakBy(error: unknown): void;
  /** Gives a part a page of its own at commit; returns the page's id. */
  write(part: Part): number;
  /** Pages `id … id + overflow` leave the tree. */
  release(id: number, overflow: number): void;
}
