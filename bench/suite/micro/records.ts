/** The log's records, where nothing waits for a disk. */
import { createCrc32cArena } from "../../../native-free/crc32c.ts";
import { RecordBuffer } from "../../../src/wal/record-buffer.ts";
import { OURS, type Size } from "../question.ts";
import { bytesSize, type MicroCase, nanosecondsEach, sizesOf, type Work } from "./micro-case.ts";

const RECORDS = 1000;
const ARENA_BYTES = 2 ** 20;
const SIZES = sizesOf(bytesSize, 64, 256, 1024, 4096);

/** Entries framed, and hashed where they then lie. */
function frame({ valueBytes }: Size): Work {
  const records = new RecordBuffer(createCrc32cArena(ARENA_BYTES), 0);
  const data = Uint8Array.from({ length: valueBytes }, (_, i) => i);
  return nanosecondsEach(RECORDS, () => {
    records.crc = 0;
    for (let i = 0; i < RECORDS; i++) {
      records.addEntry({ type: 0, term: 2, index: 1_000_000 + i, data });
      // As a writer does once they are written.
      if (records.byteLength > ARENA_BYTES / 2) records.clear();
    }
    records.clear();
    return records.crc;
  });
}

export const RECORDS_OF_LOG: readonly MicroCase[] = [
  {
    name: "memory/wal/frame",
    about:
      "an entry of the log made a record: framed, hashed, padded, in the arena it is written from",
    unit: "ns",
    better: "less",
    sizes: SIZES,
    subjects: { [OURS]: frame },
  },
];
