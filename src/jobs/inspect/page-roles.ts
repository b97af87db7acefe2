/** What each page of a file is to the root in force: reached by the tree, free, the free list's own, or lost. */
import { readFreelistPage } from "../../pagefile/free-pages.ts";
import { PageBitmap } from "../../pagefile/page-bitmap.ts";
import { PageRun } from "../../pagefile/page-runs.ts";
import { mapTree } from "./buckets.ts";
import type { Context } from "./context.ts";
import type { Rooted } from "./inspected.ts";
import type { BucketStats, TreeMap } from "./tree-map.ts";

export type PageRole =
  | { readonly kind: "meta" }
  /** A leaf or a branch; its overflow pages follow. */
  | { readonly kind: "tree"; readonly bucket: BucketStats; readonly alsoFree: boolean }
  | { readonly kind: "overflow"; readonly head: number }
  /** The tree leads here, and what stands here is no page of it. */
  | { readonly kind: "damaged" }
  | { readonly kind: "freelist" }
  | { readonly kind: "free" }
  /** Neither reached nor in the stored free list, or not reached by a tree that is damaged. */
  | { readonly kind: "lost" }
  /** In the file, and no part of the database: a snapshot's checksum, or room to grow into. */
  | { readonly kind: "beyond" };

export class PageRoles {
  readonly map: TreeMap;
  /** Pages there are to tell of: those in use or free that the file has. */
  readonly pages: number;
  readonly #stored: PageBitmap | undefined;
  readonly #freelist: { readonly id: number; readonly end: number } | undefined;
  readonly #derivable: boolean;

  constructor(context: Context, view: Rooted) {
    const { source, meta } = view;
    const { faults } = context;
    this.pages = Math.min(meta.pgid, Math.ceil(source.size() / source.pageBytes));
    this.map = mapTree(context, view);
    // What a damaged tree does not reach may still belong to it.
    this.#derivable = faults.count === 0;
    const id = meta.freelist;
    if (id === undefined) return;
    const read = faults.catching(() => {
      const page = new PageRun(source).single(Math.min(id, this.pages));
      return { page, ids: readFreelistPage(page, source.path, source.pageBytes) };
    });
    if (read === undefined) return;
    this.#freelist = { id, end: id + read.page.overflow + 1 };
    this.#stored = new PageBitmap(this.pages);
    for (const free of read.ids) if (free < this.pages) this.#stored.add(free);
  }

  of(id: number): PageRole {
    if (id < 2) return { kind: "meta" };
    if (id >= this.pages) return { kind: "beyond" };
    const bucket = this.map.ownerOf(id);
    if (bucket !== undefined) {
      if (!this.map.isHead(id)) return { kind: "overflow", head: this.map.headOf(id) };
      return { kind: "tree", bucket, alsoFree: this.#stored?.has(id) ?? false };
    }
    if (this.map.reached.has(id)) return { kind: "damaged" };
    if (this.#freelist !== undefined && id >= this.#freelist.id && id < this.#freelist.end) {
      return id === this.#freelist.id
        ? { kind: "freelist" }
        : { kind: "overflow", head: this.#freelist.id };
    }
    const free = this.#stored === undefined ? this.#derivable : this.#stored.has(id);
    return { kind: free ? "free" : "lost" };
  }
}
