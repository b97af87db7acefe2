/**
 * `compactTree` in steps, for whoever has other things to do on the same thread: slower, element by element, and byte
 * for byte the same copy.
 */
import type { Bucket } from "./bucket.ts";
import { BulkLoader } from "./bulk-load.ts";
import { COMPACT_FILL_PERCENT, type Compacted, joined, withHeader, writeMetas } from "./compact.ts";
import { BUCKET_ELEMENT } from "./page.ts";
import { PageOutput, type PieceSink } from "./page-output.ts";
import type { ReadTx } from "./tx.ts";

/** Of a step. */
const STEP_ELEMENTS = 128;
const STEP_BYTES = 16 * 1024;

/**
 * Yields between two steps the bytes of keys and values copied so far. The view must stay open, and its pages unused.
 * @see compactTree
 */
export function* copyInSteps(
  tx: ReadTx,
  sink: PieceSink | undefined,
  fillPercent: number = COMPACT_FILL_PERCENT,
): Generator<number, Compacted> {
  const output = new PageOutput(tx.pageBytes, 2, sink);
  let keys = 0;
  let buckets = 0;
  let bytes = 0;
  let yieldedBytes = 0;

  function* copied(bucket: Pick<Bucket, "bucket" | "cursor">): Generator<number, BulkLoader> {
    const loader = new BulkLoader(output, fillPercent);
    const cursor = bucket.cursor();
    let elements = 0;
    for (let more = cursor.first(); more; more = cursor.next()) {
      if (!cursor.isBucket) {
        loader.add(cursor.bytes, cursor.keyOffset, cursor.keyBytes, cursor.valueBytes, 0);
        keys++;
        bytes += cursor.keyBytes + cursor.valueBytes;
      } else {
        const name = cursor.key().slice();
        const inner = bucket.bucket(name);
        if (inner === undefined) continue;
        const value = (yield* copied(inner)).finish(true, inner.sequence);
        const element =
          typeof value === "number" ? withHeader(name, value, inner.sequence) : joined(name, value);
        loader.add(element, 0, name.length, element.length - name.length, BUCKET_ELEMENT);
        buckets++;
      }
      if (++elements < STEP_ELEMENTS && bytes < yieldedBytes + STEP_BYTES) continue;
      yield bytes;
      elements = 0;
      yieldedBytes = bytes;
    }
    return loader;
  }

  const root = (yield* copied(tx)).finish(false, 0n);
  if (typeof root !== "number") throw new Error("a root bucket is never inline");
  output.flush();
  const meta = writeMetas(tx.meta, root, output.nextId, sink);
  return { meta, keys, buckets, sourcePages: 0 };
}
