/**
 * Copy-compaction: a tree read in order and built anew, page by page, without what was free or half empty.
 *
 * The result is a whole bbolt file whose two metas lead to the same root, as those of a hot backup do: the source's
 * txid on its own page and the one before it on the other. The free list is not stored, there being nothing to list.
 */
import { viewOf, writeU64, writeU64Big } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { BUCKET_DEPTH_MAX } from "../base/limits.ts";
import { BUCKET_HEADER_BYTES, inlinePage, readBucketHeader } from "./bucket.ts";
import { BulkLoader } from "./bulk-load.ts";
import { encodeMetaPage, type Meta } from "./meta.ts";
import {
  BUCKET_ELEMENT,
  leafFlags,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  type Page,
} from "./page.ts";
import { PageBitmap } from "./page-bitmap.ts";
import { PageOutput, type PieceSink } from "./page-output.ts";
import type { WalkSource } from "./page-runs.ts";
import { TreeWalk } from "./walk.ts";

/** etcd's fill percent when it defragments. */
export const COMPACT_FILL_PERCENT = 0.9;

export interface CompactOptions {
  /** How full pages are made, 0.1 … 1. */
  readonly fillPercent?: number;
  /** Called at every page of the source with the number of pages read so far: for progress, and to stop by throwing. */
  readonly onPages?: (pages: number) => void;
}

export interface Compacted {
  /** Of the copy. */
  readonly meta: Meta;
  /** Keys with values, and buckets, wherever they are. */
  readonly keys: number;
  readonly buckets: number;
  /** Pages that the source's tree uses; the rest of it is free. */
  readonly sourcePages: number;
}

/**
 * Copies the tree of `meta` into a new file through `sink`; the metas come last. Nothing is synced.
 *
 * @param sink  called with pieces in ascending order, then with the two meta pages; without it nothing is written and
 *   the result says what would be
 * @throws CorruptionError at the first thing in the source that the format does not allow
 */
export function compactTree(
  source: WalkSource,
  meta: Meta,
  sink: PieceSink | undefined,
  options: CompactOptions = {},
): Compacted {
  const output = new PageOutput(source.pageBytes, 2, sink);
  const copy = new TreeCopy(source, output, options);
  const root = copy.rootBucket(meta.root);
  output.flush();
  const copied = writeMetas(meta, root, output.nextId, sink);
  return { meta: copied, keys: copy.keys, buckets: copy.buckets, sourcePages: copy.pages };
}

/**
 * The two metas of a copy, which lead to one root.
 * @param pgid  pages of the copy
 */
export function writeMetas(
  { pageBytes, sequence, txid: sourceTxid }: Meta,
  root: number,
  pgid: number,
  sink: PieceSink | undefined,
): Meta {
  const txid = Math.max(sourceTxid, 1);
  const copied: Meta = { pageBytes, root, sequence, freelist: undefined, pgid, txid };
  if (sink !== undefined) {
    for (const at of [txid, txid - 1]) {
      const page = at % 2;
      sink(page * pageBytes, encodeMetaPage({ ...copied, txid: at }, page));
    }
  }
  return copied;
}

class TreeCopy {
  keys = 0;
  buckets = 0;
  pages = 2;
  readonly #source: WalkSource;
  readonly #output: PageOutput;
  readonly #fillPercent: number;
  readonly #walk: TreeWalk;
  #loader: BulkLoader;

  constructor(source: WalkSource, output: PageOutput, options: CompactOptions) {
    this.#source = source;
    this.#output = output;
    this.#fillPercent = options.fillPercent ?? COMPACT_FILL_PERCENT;
    this.#loader = this.#newLoader();
    const { onPages } = options;
    this.#walk = new TreeWalk(
      source,
      {
        leaf: (page, depth) => this.#leaf(page, depth),
        // Buckets inside are copied where their parent's elements are, not after them.
        enterBucket: () => false,
        entered: (pages) => {
          this.pages += pages;
          onPages?.(this.pages);
        },
      },
      { reached: new PageBitmap(source.pgid), order: true },
    );
  }

  /** @returns the page id of the copy's root */
  rootBucket(rootId: number): number {
    this.#walk.bucket(rootId, 0);
    const root = this.#loader.finish(false, 0n);
    if (typeof root !== "number") throw new Error("a root bucket is never inline");
    return root;
  }

  #newLoader(): BulkLoader {
    return new BulkLoader(this.#output, this.#fillPercent);
  }

  #leaf(page: Page, depth: number): void {
    const { count } = page;
    let buckets = 0;
    for (let i = 0; i < count; i++) buckets += leafFlags(page, i) & BUCKET_ELEMENT;
    this.keys += count - buckets;
    this.buckets += buckets;
    if (buckets === 0) {
      this.#loader.addPage(page);
      return;
    }
    for (let i = 0; i < count; i++) {
      const offset = leafKeyOffset(page, i);
      const keyBytes = leafKeyBytes(page, i);
      if ((leafFlags(page, i) & BUCKET_ELEMENT) === 0) {
        this.#loader.add(page.bytes, offset, keyBytes, leafValueBytes(page, i), 0);
      } else {
        const element = this.#bucket(page, i, depth + 1);
        this.#loader.add(element, 0, keyBytes, element.length - keyBytes, BUCKET_ELEMENT);
      }
    }
  }

  /** Copies a bucket inside; returns its name and its new value side by side. */
  #bucket(page: Page, i: number, depth: number): Uint8Array {
    const { path, pageBytes } = this.#source;
    if (depth > BUCKET_DEPTH_MAX) {
      const what = `buckets nest deeper than ${BUCKET_DEPTH_MAX}`;
      throw new CorruptionError(path, page.id * pageBytes, what);
    }
    const offset = leafKeyOffset(page, i);
    const keyBytes = leafKeyBytes(page, i);
    const valueOffset = offset + keyBytes;
    const valueBytes = leafValueBytes(page, i);
    const name = page.bytes.slice(offset, valueOffset);
    const { rootId, sequence } = readBucketHeader(page.bytes, valueOffset, valueBytes, path);
    const outer = this.#loader;
    this.#loader = this.#newLoader();
    if (rootId === 0) this.#leaf(inlinePage(page.bytes, valueOffset, valueBytes, path), depth);
    else this.#walk.bucket(rootId, depth);
    const value = this.#loader.finish(true, sequence);
    this.#loader = outer;
    return typeof value === "number" ? withHeader(name, value, sequence) : joined(name, value);
  }
}

/** A bucket's name and value, side by side. */
export function withHeader(name: Uint8Array, rootId: number, sequence: bigint): Uint8Array {
  const header = new Uint8Array(BUCKET_HEADER_BYTES);
  const view = viewOf(header);
  writeU64(view, 0, rootId);
  writeU64Big(view, 8, sequence);
  return joined(name, header);
}

export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
