/** A file to be looked at: with a root to walk from, or, when neither meta page is valid, as bare pages. */
import { statSync } from "node:fs";
import { SystemFile } from "../../../native-free/file.ts";
import { CorruptionError, StrataError } from "../../base/errors.ts";
import { PAGE_BYTES_DEFAULT, PAGE_BYTES_MAX, PAGE_BYTES_MIN } from "../../base/limits.ts";
import { MAGIC_NUMBER, META_END, rawMeta } from "../../pagefile/meta.ts";
import { type OfflineView, type ReadingMode, readOffline } from "../offline-file.ts";

export interface Rooted extends OfflineView {
  readonly kind: "rooted";
  readonly pageBytes: number;
}

export interface Rootless {
  readonly kind: "rootless";
  readonly file: SystemFile;
  /** From a meta that is not valid otherwise, or 4096. */
  readonly pageBytes: number;
  /** Why neither meta can be used. */
  readonly error: CorruptionError;
}

export type Inspected = Rooted | Rootless;

export type InspectReading = ReadingMode | { readonly mode: "rootless" };

/**
 * Reads a file by `read`, which may be called several times (see `readOffline`); without a valid meta it is called
 * once, with what there is.
 *
 * @throws CorruptionError, the system's errors; StrataError CHANGED when the file moved on at every attempt
 */
export async function readInspected<T>(
  path: string,
  read: (inspected: Inspected) => T,
): Promise<{ readonly value: T; readonly reading: InspectReading }> {
  assertRegularFile(path);
  let entered = false;
  try {
    return await readOffline(path, (view) => {
      entered = true;
      return read({ kind: "rooted", pageBytes: view.metas.pageBytes, ...view });
    });
  } catch (error) {
    if (entered || !(error instanceof CorruptionError)) throw error;
    const file = new SystemFile(path, "read");
    try {
      const value = read({ kind: "rootless", file, pageBytes: likelyPageBytes(file), error });
      return { value, reading: { mode: "rootless" } };
    } finally {
      file.close();
    }
  }
}

/** A pipe or a device would be waited for, or be read without an end. */
function assertRegularFile(path: string): void {
  const stat = statSync(path);
  if (!stat.isFile()) throw new StrataError("BAD_ARGUMENT", `${path}: not a regular file`);
  if (stat.size === 0) throw new CorruptionError(path, 0, "the file is empty");
}

function likelyPageBytes(file: SystemFile): number {
  const image = new Uint8Array(META_END);
  for (const at of [0, ...powersOfTwo()]) {
    image.fill(0);
    file.readSome(at, image);
    const { magic, pageBytes } = rawMeta(image);
    if (magic === MAGIC_NUMBER && (at === 0 || pageBytes === at) && isPageSize(pageBytes)) {
      return pageBytes;
    }
  }
  return PAGE_BYTES_DEFAULT;
}

function* powersOfTwo(): Generator<number> {
  for (let bytes = PAGE_BYTES_MIN; bytes <= PAGE_BYTES_MAX; bytes *= 2) yield bytes;
}

function isPageSize(bytes: number): boolean {
  return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) === 0;
}
