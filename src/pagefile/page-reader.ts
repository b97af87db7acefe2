/**
 * Reading a page file that is written on another thread. Which commit is read, the writer's thread says; pages come
 * through a cache of this thread's own.
 */
import type { RandomAccessFile } from "../../native-free/file.ts";
import { CachedPages } from "./cached-pages.ts";
import type { Meta } from "./meta.ts";
import { ReadTx } from "./tx.ts";

export class PageReader {
  readonly #file: RandomAccessFile;
  readonly #pages: CachedPages;

  /** @param file  closed by `close` */
  constructor(file: RandomAccessFile, pageBytes: number, cacheBytes: number) {
    this.#file = file;
    this.#pages = new CachedPages(file, pageBytes, cacheBytes);
  }

  /**
   * A view of one commit. Whoever calls keeps the writer from using its pages again until `done` is called, which is
   * when the view is closed.
   */
  view(meta: Meta, done: () => void = (): void => undefined): ReadTx {
    return new ReadTx(this.#pages, meta, done);
  }

  /** Pages that a commit has written, before its root is read: whatever the cache has of them is what was there before. */
  written(ids: Float64Array): void {
    for (const id of ids) this.#pages.cache.drop(id);
  }

  close(): void {
    this.#pages.close();
    this.#file.close();
  }
}
