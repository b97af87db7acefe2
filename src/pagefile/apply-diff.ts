/** Doing to a copy what a difference says: transactions of a bounded size, so that others have their turn between them. */
import { invariant } from "../base/invariant.ts";
import type { Bucket } from "./bucket.ts";
import type { TreeDiff } from "./diff.ts";
import { FILL_PERCENT_DEFAULT } from "./node.ts";
import type { PageFile } from "./page-file.ts";
import type { WriteTx } from "./tx.ts";

/** Where one transaction ends and the next begins. */
const TX_CHANGES = 8192;
const TX_BYTES = 2 * 1024 * 1024;

export interface ApplyOptions {
  /** How full pages of a top-level bucket are made where they are cut. Default: bbolt's half. */
  readonly fillPercent?: (bucket: Uint8Array) => number;
}

export class DiffApplier {
  /** Keys and buckets so far. */
  changes = 0;
  /** Of what was put. */
  bytes = 0;
  readonly #file: PageFile;
  readonly #diff: TreeDiff;
  readonly #fillPercent: (bucket: Uint8Array) => number;
  /** Names of the buckets that the difference has entered. */
  readonly #path: Uint8Array[] = [];

  /** @param file  the copy, as the difference's older root is */
  constructor(file: PageFile, diff: TreeDiff, options: ApplyOptions = {}) {
    this.#file = file;
    this.#diff = diff;
    this.#fillPercent = options.fillPercent ?? ((): number => FILL_PERCENT_DEFAULT);
  }

  /** One transaction's worth. @returns false if there was nothing left to do. @throws what a commit throws */
  step(): boolean {
    const diff = this.#diff;
    if (!diff.next()) return false;
    this.#file.update((tx) => {
      const buckets = this.#reopen(tx);
      const changesMax = this.changes + TX_CHANGES;
      const bytesMax = this.bytes + TX_BYTES;
      do this.#apply(tx, buckets);
      while (this.changes < changesMax && this.bytes < bytesMax && diff.next());
    });
    return true;
  }

  #reopen(tx: WriteTx): Bucket[] {
    const buckets: Bucket[] = [];
    for (const name of this.#path) {
      const bucket = (buckets[buckets.length - 1] ?? tx).bucket(name);
      invariant(bucket !== undefined, "a bucket that was entered is there");
      this.#setFill(bucket);
      buckets.push(bucket);
    }
    return buckets;
  }

  #apply(tx: WriteTx, buckets: Bucket[]): void {
    const diff = this.#diff;
    const around = buckets[buckets.length - 1];
    switch (diff.kind) {
      case "leave":
        buckets.pop();
        this.#path.pop();
        return;
      case "create":
      case "enter": {
        const name = diff.key().slice();
        const outer = around ?? tx;
        const bucket = diff.kind === "create" ? outer.createBucket(name) : outer.bucket(name);
        invariant(bucket !== undefined, "a bucket of both roots is in the copy");
        if (bucket.sequence !== diff.sequence) bucket.setSequence(diff.sequence);
        this.#path.push(name);
        this.#setFill(bucket);
        buckets.push(bucket);
        break;
      }
      case "deleteBucket":
        (around ?? tx).deleteBucket(diff.key());
        break;
      case "put":
        invariant(around !== undefined, "the file's root has buckets and no values");
        around.put(diff.key(), diff.value());
        this.bytes += diff.keyBytes + diff.valueBytes;
        break;
      case "delete":
        invariant(around !== undefined, "the file's root has buckets and no values");
        around.delete(diff.key());
    }
    this.changes++;
  }

  #setFill(bucket: Bucket): void {
    bucket.fillPercent = this.#fillPercent(this.#path[0] as Uint8Array);
  }
}
