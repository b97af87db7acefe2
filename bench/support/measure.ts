/** The clock, the memory and the digests of our side. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { SystemFile } from "../../native-free/file.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { StrataError } from "../../src/base/errors.ts";
import type { Bucket } from "../../src/pagefile/bucket.ts";
import { PageFile, type PageFileOptions } from "../../src/pagefile/page-file.ts";
import { scanBucket } from "../../src/pagefile/scan.ts";
import type { ReadTx, WriteTx } from "../../src/pagefile/tx.ts";
import type { Measured } from "../../test/support/judge.ts";
import { Noise, REVISION_BYTES } from "../../test/support/workload.ts";

export const KEY_BUCKET: Uint8Array = utf8("key");

/** Of the wall and of the processors: beside busy neighbours, only the second can be compared. */
export interface Clock {
  readonly startMs: number;
  readonly cpu: NodeJS.CpuUsage;
}

export function startClock(): Clock {
  return { startMs: performance.now(), cpu: process.cpuUsage() };
}

/** Stops a clock, before a digest takes time and memory of its own. */
export function stopped(ops: number, { startMs, cpu }: Clock): Omit<Measured, "digest"> {
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { ops, seconds, cpuSeconds: (user + system) / 1e6, peakRssBytes: peakRssBytes() };
}

/** The kernel's figure for this program, as the judge takes its own; 0 where there is no such file. */
function peakRssBytes(): number {
  let status: string;
  try {
    status = readFileSync("/proc/self/status", "latin1");
  } catch {
    return 0;
  }
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

export function openToWrite(path: string, options: PageFileOptions = {}): PageFile {
  return PageFile.open(new SystemFile(path, "create"), options);
}

export function openToRead(path: string, options: PageFileOptions = {}): PageFile {
  return PageFile.open(new SystemFile(path, "read"), { ...options, readOnly: true });
}

export function keyBucket(tx: ReadTx | WriteTx): Bucket {
  const bucket = tx.bucket(KEY_BUCKET);
  if (bucket === undefined) throw new StrataError("NOT_FOUND", `${tx.path}: no bucket "key"`);
  return bucket;
}

/** A key that is set again and again, as a caller's would be. */
export function newKey(): { readonly bytes: Uint8Array; readonly view: DataView } {
  const view = new DataView(new ArrayBuffer(REVISION_BYTES));
  return { bytes: new Uint8Array(view.buffer), view };
}

/** Noise repeats its windows after this many. */
const WINDOWS = 65_536;

/** All values that there are: value i is at i % 65,536. Made before the clock starts, since they cost Go nothing. */
export function allValues(valueBytes: number): readonly Uint8Array[] {
  const noise = new Noise(valueBytes);
  return Array.from({ length: WINDOWS }, (_, i) => noise.valueOf(i));
}

export function valueAt(values: readonly Uint8Array[], i: number): Uint8Array {
  return values[i % WINDOWS] as Uint8Array;
}

/** The judge's digest of what is in the bucket now. */
export function contentDigest(file: PageFile): string {
  const hash = createHash("sha256");
  const piece = new Uint8Array(1024 * 1024);
  const view = new DataView(piece.buffer);
  let end = 0;
  const add = (bytes: Uint8Array, offset: number, length: number): void => {
    if (end + 4 + length > piece.length) {
      hash.update(piece.subarray(0, end));
      end = 0;
    }
    view.setUint32(end, length);
    piece.set(bytes.subarray(offset, offset + length), end + 4);
    end += 4 + length;
  };
  file.view((tx) =>
    scanBucket(tx, keyBucket(tx), (bytes, keyOffset, keyBytes, valueOffset, valueBytes) => {
      add(bytes, keyOffset, keyBytes);
      add(bytes, valueOffset, valueBytes);
    }),
  );
  return hash.update(piece.subarray(0, end)).digest("hex");
}
