/**
 * A file with one to seven bytes behind its last record reads as torn. A log that was all zeros behind its records was
 * continued as it was, also if its length was odd; and laying out zeros up to an odd length made such a file.
 */
import { expect, test } from "vitest";
import { readLog } from "../../src/wal/reader.ts";
import { segmentsOf } from "../../src/wal/segment-name.ts";
import { createWal, openWal } from "../../src/wal/wal.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";

const START = { index: 0, term: 0 };

test("a segment of odd length is evened out when it is opened", async () => {
  const wal = createWal(new PowerCutDisk(), "wal", new Uint8Array(20), { stepBytes: 0 });
  await wal.close();
  const [segment] = segmentsOf(wal.directory.list());
  const file = wal.directory.openFile(segment?.name ?? "", "write");
  file.truncate(file.size() + 43);
  const again = openWal(wal.directory, START, { stepBytes: 0 }).wal;
  expect(file.size() % 8).toBe(0);
  // Its frame is 40 bytes, and would leave 3.
  await again.append([{ type: 0, term: 1, index: 1, data: new Uint8Array(11) }]);
  await again.close();
  expect(readLog(wal.directory, START, "write").entries).toHaveLength(1);
});

test("a segment grows by whole frames, whatever its length is to be", async () => {
  for (let dataBytes = 7900; dataBytes < 8150; dataBytes++) {
    const options = { segmentBytes: 8190, stepBytes: 1001 };
    const wal = createWal(new PowerCutDisk(), "wal", new Uint8Array(20), options);
    await wal.append([{ type: 0, term: 1, index: 1, data: new Uint8Array(dataBytes) }]);
    expect(readLog(wal.directory, START, "write").entries).toHaveLength(1);
    await wal.close();
  }
});
