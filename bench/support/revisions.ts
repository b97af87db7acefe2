/** A database as etcd would have it: buckets `key` and `meta`, a revision a row with 300 bytes of value. */
import { KEY, META } from "../../src/backend/buckets.ts";
import { encodeRevision } from "../../src/mvcc/revision.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { Noise } from "../../test/support/workload.ts";

const TX_PUTS = 10_000;
const VALUE_BYTES = 300;
/** Keys are written this often each: `k` and five digits, so that the KeyValue around them is of one length. */
const USER_KEYS = 100_000;

/** Rows are `revisions` KeyValues of VALUE_BYTES each, in order, as etcd fills its file: 90 % a page. */
export function makeRevisions(path: string, revisions: number): void {
  const file = openPageFile(path);
  file.update((tx) => {
    tx.createBucket(KEY);
    tx.createBucket(META);
  });
  const noise = new Noise(VALUE_BYTES);
  for (let from = 0; from < revisions; from += TX_PUTS) {
    const tx = file.beginWrite();
    const bucket = tx.bucket(KEY);
    if (bucket === undefined) throw new Error("the bucket was just made");
    bucket.fillPercent = 0.9;
    for (let i = from; i < Math.min(from + TX_PUTS, revisions); i++) {
      bucket.put(encodeRevision(i + 2, 0), keyValue(i % USER_KEYS, noise.valueOf(i)));
    }
    tx.commit();
  }
  file.close();
}

/** A KeyValue with a key of six bytes and, for the rest of its 300 bytes, a value. */
function keyValue(key: number, random: Uint8Array): Uint8Array {
  const name = Buffer.from(`k${key.toString().padStart(5, "0")}`);
  const bytes = new Uint8Array(random);
  const valueBytes = VALUE_BYTES - 8 - 3;
  bytes.set([0x0a, name.length, ...name, 0x2a, (valueBytes & 0x7f) | 0x80, valueBytes >> 7]);
  return bytes;
}
