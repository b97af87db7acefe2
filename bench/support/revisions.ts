/** A database as etcd would have it: buckets `key` and `meta`, a revision a row with 300 bytes of value. */
import { KEY, META } from "../../src/backend/buckets.ts";
import { encodeRevision } from "../../src/backend/revision.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { Noise } from "../../test/support/workload.ts";

const TX_PUTS = 10_000;
const ROW_BYTES = 300;
/** `k` and five digits, written one after another, again and again. */
const USER_KEYS = 100_000;
/** etcd's first change. */
const FIRST_REVISION = 2;

/** Rows are `revisions` KeyValues of `rowBytes` each, in order, as etcd fills its file: 90 % a page. */
export function makeRevisions(path: string, revisions: number, rowBytes: number = ROW_BYTES): void {
  const file = openPageFile(path);
  file.update((tx) => {
    tx.createBucket(KEY);
    tx.createBucket(META);
  });
  const noise = new Noise(rowBytes);
  for (let from = 0; from < revisions; from += TX_PUTS) {
    const tx = file.beginWrite();
    const bucket = tx.bucket(KEY);
    if (bucket === undefined) throw new Error("the bucket was just made");
    bucket.fillPercent = 0.9;
    for (let i = from; i < Math.min(from + TX_PUTS, revisions); i++) {
      bucket.put(encodeRevision(i + FIRST_REVISION, 0), keyValue(i, noise.valueOf(i)));
    }
    tx.commit();
  }
  file.close();
}

/** The KeyValue of row `i`: as long as `random` in all, with a value of whatever is left beside the rest. */
function keyValue(i: number, random: Uint8Array): Uint8Array {
  const key = i % USER_KEYS;
  const name = Buffer.from(`k${key.toString().padStart(5, "0")}`);
  const head = [0x0a, name.length, ...name, 0x10, ...varint(key + FIRST_REVISION)];
  head.push(0x18, ...varint(i + FIRST_REVISION), 0x20, ...varint(Math.floor(i / USER_KEYS) + 1));
  const left = random.length - head.length - 1;
  const lengthBytes = varint(left).length;
  const length = varint(left - lengthBytes);
  if (length.length !== lengthBytes) throw new Error(`no row is ${random.length} bytes long`);
  head.push(0x2a, ...length);
  const bytes = new Uint8Array(random);
  bytes.set(head);
  return bytes;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}
