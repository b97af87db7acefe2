/** A page file that takes a while to copy: revisions with values, some deleted so that there is room to gain. */

import { encodeRevision } from "../../src/backend/revision.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { openPageFile } from "../../src/pagefile/open.ts";

const PUTS_PER_TX = 10_000;

/** Writes `revisions` rows of `valueBytes` into bucket `key` of a new file, then deletes all but each `keep`-th. */
export function makeBigPageFile(
  path: string,
  revisions: number,
  valueBytes: number,
  keep: number,
): void {
  const file = openPageFile(path, { noSync: true });
  const name = utf8("key");
  const value = new Uint8Array(valueBytes);
  for (let from = 0; from < revisions; from += PUTS_PER_TX) {
    file.update((tx) => {
      const bucket = tx.createBucketIfNotExists(name);
      bucket.fillPercent = 0.9;
      for (let i = from; i < Math.min(from + PUTS_PER_TX, revisions); i++) {
        value.fill(i & 0xff);
        bucket.put(encodeRevision(i + 2, 0), value);
      }
    });
  }
  for (let from = 0; from < revisions && keep > 1; from += PUTS_PER_TX) {
    file.update((tx) => {
      const bucket = tx.createBucketIfNotExists(name);
      for (let i = from; i < Math.min(from + PUTS_PER_TX, revisions); i++) {
        if (i % keep !== 0) bucket.delete(encodeRevision(i + 2, 0));
      }
    });
  }
  file.close();
}
