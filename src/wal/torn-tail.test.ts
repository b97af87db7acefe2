import { describe, expect, test } from "vitest";
import type { DirectoryTree } from "../../native-free/file.ts";
import { PowerCutDisk } from "../../test/support/power-cut-disk.ts";
import { rng } from "../../test/support/rng.ts";
import { readRecords } from "../../test/support/wal-records.ts";
import { equalBytes } from "../base/bytes.ts";
import { StrataError } from "../base/errors.ts";
import type { Entry } from "./entry.ts";
import { encodeMetadata } from "./metadata.ts";
import { type LogContents, readLog } from "./reader.ts";
import { repairWal } from "./repair.ts";
import { segmentsOf } from "./segment-name.ts";
import { createWal, openWal } from "./wal.ts";
import { WalError } from "./wal-error.ts";

const START = { index: 0, term: 0 };

function entry(index: number, data: Uint8Array | undefined, term = 1): Entry {
  return { type: 0, term, index, data };
}

/** A log of entries with data of these lengths, and a state behind each. */
async function logOf(
  lengths: readonly number[],
  segmentBytes = 64_000_000,
): Promise<DirectoryTree> {
  const disk = new PowerCutDisk();
  const metadata = encodeMetadata({ nodeId: 0x1234_5678_9abc_def0n, clusterId: 2n ** 64n - 1n });
  const wal = createWal(disk, "wal", metadata, {
    segmentBytes,
    stepBytes: 0,
    schedule: queueMicrotask,
  });
  const chance = rng(1);
  for (const [i, length] of lengths.entries()) {
    const state = { term: 1, vote: 2n ** 63n + 5n, commit: i + 1 };
    await wal.append(
      [
        entry(
          i + 1,
          chance.bytes(length).map((byte) => byte | 1),
        ),
      ],
      state,
    );
  }
  await wal.close();
  return disk.folder("wal");
}

function bytesOf(directory: DirectoryTree, name: string): Uint8Array {
  const file = directory.openFile(name, "read");
  const bytes = new Uint8Array(file.size());
  file.read(0, bytes);
  file.close();
  return bytes;
}

function put(directory: DirectoryTree, name: string, bytes: Uint8Array): void {
  const file = directory.openFile(name, "create");
  file.truncate(0);
  file.write(0, bytes);
  file.close();
}

function only(directory: DirectoryTree): string {
  const [segment, ...more] = segmentsOf(directory.list());
  if (segment === undefined || more.length > 0) throw new Error("one segment, please");
  return segment.name;
}

describe("a log that ends anywhere in its last record", () => {
  test.each([
    ["short", 20],
    ["over a sector's end", 700],
    ["over many", 5000],
  ])("%s: reads without it, is repaired, and goes on", async (_, length) => {
    const directory = await logOf([100, 100]);
    const name = only(directory);
    const goodBytes = bytesOf(directory, name);
    const grown = openWal(directory, START, { stepBytes: 0, schedule: queueMicrotask }).wal;
    await grown.append([entry(3, rng(2).bytes(length))]);
    await grown.close();
    const whole = bytesOf(directory, name);

    const step = length > 1000 ? 7 : 1;
    for (let end = goodBytes.length; end < whole.length; end += step) {
      put(directory, name, whole.subarray(0, end));
      const isClean = end === goodBytes.length;
      const read = readLog(directory, START, "read");
      expect(read.entries).toHaveLength(2);
      expect([read.end.torn === undefined, read.end.offsetBytes]).toEqual([
        isClean,
        goodBytes.length,
      ]);
      if (!isClean) {
        expect(() => readLog(directory, START, "write")).toThrow(
          expect.objectContaining({ fault: "torn", offsetBytes: goodBytes.length }),
        );
      }
      const { wal, contents, repaired } = openWal(directory, START, {
        repair: true,
        stepBytes: 0,
        schedule: queueMicrotask,
      });
      expect(contents.entries).toHaveLength(2);
      expect(repaired?.keptBytes).toBe(isClean ? undefined : goodBytes.length);
      if (!isClean)
        expect(equalBytes(bytesOf(directory, `${name}.broken`), whole.subarray(0, end))).toBe(true);
      await wal.append([entry(3, new Uint8Array([1]))]);
      await wal.close();
      expect(readLog(directory, START, "write").entries).toHaveLength(3);
    }
  });

  test("with the zeros of a preallocated segment behind it, cut at every sector", async () => {
    const directory = await logOf([100, 3000]);
    const name = only(directory);
    const whole = bytesOf(directory, name);
    const { records } = readRecords(directory);
    expect(records.at(-2)?.kind).toBe("entry");
    for (let cut = 512; cut < whole.length; cut += 512) {
      const torn = new Uint8Array(8192);
      torn.set(whole.subarray(0, cut));
      put(directory, name, torn);
      const { wal, contents } = openWal(directory, START, { repair: true });
      expect(contents.entries).toHaveLength(1);
      await wal.close();
    }
  });

  test("a missing sector in an older record: repaired, and all from there on dropped, as etcd does", async () => {
    const directory = await logOf([100, 3000, 100, 100]);
    const name = only(directory);
    const bytes = bytesOf(directory, name);
    bytes.fill(0, 1024, 1536);
    put(directory, name, bytes);
    const report = repairWal(directory);
    expect(report).toMatchObject({ segment: name, brokenCopy: `${name}.broken` });
    expect(readLog(directory, START, "write").entries).toHaveLength(1);
    expect(repairWal(directory)).toBeUndefined();
  });

  test("garbage behind a length of zero is told, and zeroed by the next writer", async () => {
    const directory = await logOf([100]);
    const name = only(directory);
    const good = bytesOf(directory, name);
    const bytes = new Uint8Array(good.length + 4096);
    bytes.set(good);
    bytes.fill(0xab, good.length + 700, good.length + 900);
    put(directory, name, bytes);
    const { end, entries } = readLog(directory, START, "write");
    expect(end.garbageOffsetBytes).toBe(good.length + 700);
    expect(entries).toHaveLength(1);
    const { wal } = openWal(directory);
    await wal.append([entry(2, undefined)]);
    await wal.close();
    expect(readLog(directory, START, "write").end.garbageOffsetBytes).toBeUndefined();
  });

  test("all that is torn in a segment's head, or not in the last segment, is corruption", async () => {
    const directory = await logOf([3000, 3000, 3000, 3000, 3000, 3000, 10], 4096);
    const segments = segmentsOf(directory.list());
    expect(segments.length).toBeGreaterThan(2);
    const [first, , last] = [segments[0], segments[1], segments.at(-1)];
    if (first === undefined || last === undefined) throw new Error("no segments");
    const whole = bytesOf(directory, first.name);
    put(directory, first.name, whole.subarray(0, whole.length - 3));
    expect(() => readLog(directory, START, "read")).toThrow(
      expect.objectContaining({ fault: "bad-record" }),
    );
    put(directory, first.name, whole);
    put(directory, last.name, bytesOf(directory, last.name).subarray(0, 20));
    expect(() => repairWal(directory)).toThrow(/head/);
    expect(() => openWal(directory, START, { repair: true })).toThrow(WalError);
  });
});

describe("one bit is wrong", () => {
  test("anywhere: found, or harmless", async () => {
    const directory = await logOf([0, 9, 600, 3]);
    const name = only(directory);
    const whole = bytesOf(directory, name);
    const before = readLog(directory, START, "write");
    const unseen: number[] = [];
    const counts = { corrupt: 0, torn: 0, garbage: 0 };
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = whole.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      put(directory, name, bytes);
      let read: LogContents;
      try {
        read = readLog(directory, START, "read");
      } catch (error) {
        if (!(error instanceof StrataError)) throw error;
        counts.corrupt++;
        continue;
      }
      if (read.end.torn !== undefined) counts.torn++;
      else if (read.end.garbageOffsetBytes !== undefined) counts.garbage++;
      else {
        expect(read.entries).toEqual(before.entries);
        expect(read.metadata).toEqual(before.metadata);
        expect(read.hardState).toEqual(before.hardState);
        unseen.push(bit);
      }
    }
    // Padding is not covered by any CRC, and says nothing; the first record is nothing but a crc of zero.
    expect(unseen.filter((bit) => bit >= 16 * 8 && whole[bit >> 3] !== 0)).toEqual([]);
    expect(counts.corrupt).toBeGreaterThan(whole.length * 7);
    expect(unseen.length).toBeLessThan(whole.length);
  });
});
