/** The whole content of a page file as a model, and the first thing in which two models differ. */
import { latin1 } from "../../src/base/bytes.ts";
import type { Bucket } from "../../src/pagefile/bucket.ts";
import type { ReadTx, WriteTx } from "../../src/pagefile/tx.ts";
import { ModelBucket } from "./page-file-model.ts";

/** What a transaction sees, values copied. @throws StrataError where the file is damaged */
export function contentOf(tx: ReadTx | WriteTx): ModelBucket {
  const content = new ModelBucket();
  for (const { name, bucket } of tx.buckets()) {
    content.entries.set(latin1(name), contentOfBucket(bucket));
  }
  return content;
}

export function contentOfBucket(bucket: Bucket): ModelBucket {
  const content = new ModelBucket();
  content.sequence = bucket.sequence;
  const cursor = bucket.cursor();
  for (let more = cursor.first(); more; more = cursor.next()) {
    const inner = cursor.isBucket ? bucket.bucket(cursor.key()) : undefined;
    const value = inner === undefined ? (cursor.value()?.slice() ?? new Uint8Array(0)) : undefined;
    content.entries.set(latin1(cursor.key()), value ?? contentOfBucket(inner as Bucket));
  }
  return content;
}

/** Undefined when both hold the same; else where they differ, in words. */
export function difference(a: ModelBucket, b: ModelBucket, path = ""): string | undefined {
  if (a.sequence !== b.sequence) return `${path}: sequence ${a.sequence}, not ${b.sequence}`;
  for (const key of a.entries.keys()) {
    if (!b.entries.has(key)) return `${path}/${JSON.stringify(key)} is too many`;
  }
  for (const [key, wanted] of b.entries) {
    const found = a.entries.get(key);
    const at = `${path}/${JSON.stringify(key)}`;
    if (found === undefined) return `${at} is missing`;
    if (found instanceof ModelBucket || wanted instanceof ModelBucket) {
      if (!(found instanceof ModelBucket && wanted instanceof ModelBucket)) {
        return `${at} is a bucket on one side alone`;
      }
      const inside = difference(found, wanted, at);
      if (inside !== undefined) return inside;
    } else if (Buffer.compare(found, wanted) !== 0) {
      return `${at} has another value`;
    }
  }
  return undefined;
}
