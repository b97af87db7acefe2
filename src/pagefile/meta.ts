/**
 * The meta pages 0 and 1: the roots of the last two transactions.
 *
 *      16      20        24         28      32          40         48         56     64     72         80
 *      | magic | version | pageSize | flags | root: u64 | seq: u64 | freelist | pgid | txid | checksum |
 *
 * The checksum is FNV-1a 64 over bytes [16, 72) of the page; the page header is not under it.
 * Transaction T writes page T % 2. The valid meta with the higher txid is the file.
 */

import { fnv1a64 } from "../../native-free/fnv1a64.ts";
import {
  readU32,
  readU64,
  readU64Big,
  viewOf,
  writeU32,
  writeU64,
  writeU64Big,
} from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { invariant } from "../base/invariant.ts";
import { PAGE_BYTES_MAX, PAGE_BYTES_MIN } from "../base/limits.ts";
import { META, PAGE_HEADER_BYTES, writePageHeader } from "./page.ts";

const MAGIC = PAGE_HEADER_BYTES;
const VERSION = MAGIC + 4;
const PAGE_SIZE = VERSION + 4;
const META_FLAGS = PAGE_SIZE + 4;
const ROOT = META_FLAGS + 4;
const SEQUENCE = ROOT + 8;
const FREELIST_ID = SEQUENCE + 8;
const PGID = FREELIST_ID + 8;
const TXID = PGID + 8;
const CHECKSUM = TXID + 8;
/** Bytes from the start of the page to the end of the meta. */
export const META_END: number = CHECKSUM + 8;
invariant(META_END === 80, "a meta ends 80 bytes into its page");

export const MAGIC_NUMBER = 0xed0cdaed;
export const FORMAT_VERSION = 2;
/** In the place of a free list's page id: the list is not stored, readers derive it. */
const NOT_STORED = 0xffff_ffff_ffff_ffffn;

export interface Meta {
  readonly pageBytes: number;
  /** Page id of the root bucket's root page. */
  readonly root: number;
  readonly sequence: bigint;
  /** Page id of the stored free list; undefined when it is not stored. */
  readonly freelist: number | undefined;
  /** High-water mark: every page in use has an id below it. */
  readonly pgid: number;
  readonly txid: number;
}

/** A meta's fields as they stand there, whether they can be trusted or not. */
export interface RawMeta {
  readonly magic: number;
  readonly version: number;
  readonly pageBytes: number;
  readonly flags: number;
  readonly root: bigint;
  readonly sequence: bigint;
  /** All ones: not stored. */
  readonly freelist: bigint;
  readonly pgid: bigint;
  readonly txid: bigint;
  readonly checksum: bigint;
  /** What the checksum should be. */
  readonly computed: bigint;
}

/** Whether a raw free list id means that the list is not stored. */
export function isNotStored(freelist: bigint): boolean {
  return freelist === NOT_STORED;
}

/** The fields of a meta page image of at least 80 bytes, for whoever looks at a damaged one. */
export function rawMeta(image: Uint8Array): RawMeta {
  const view = viewOf(image);
  return {
    magic: readU32(view, MAGIC),
    version: readU32(view, VERSION),
    pageBytes: readU32(view, PAGE_SIZE),
    flags: readU32(view, META_FLAGS),
    root: readU64Big(view, ROOT),
    sequence: readU64Big(view, SEQUENCE),
    freelist: readU64Big(view, FREELIST_ID),
    pgid: readU64Big(view, PGID),
    txid: readU64Big(view, TXID),
    checksum: readU64Big(view, CHECKSUM),
    computed: fnv1a64(image.subarray(MAGIC, CHECKSUM)),
  };
}

export type MetaReading =
  | { readonly kind: "valid"; readonly meta: Meta }
  | {
      readonly kind: "invalid";
      /** bbolt's text for it. */
      readonly error: "invalid database" | "version mismatch" | "checksum error";
      /** The same in full, with the numbers. */
      readonly what: string;
      /** From the start of the page. */
      readonly offsetBytes: number;
    };

/** Reads one meta page image of at least 80 bytes; checks in bbolt's order. */
export function readMeta(image: Uint8Array): MetaReading {
  invariant(image.length >= META_END, "a meta page image is at least 80 bytes");
  const view = viewOf(image);
  const magic = readU32(view, MAGIC);
  if (magic !== MAGIC_NUMBER) {
    const what = `invalid database (magic ${hex32(magic)}, a bbolt file has ${hex32(MAGIC_NUMBER)})`;
    return { kind: "invalid", error: "invalid database", what, offsetBytes: MAGIC };
  }
  const version = readU32(view, VERSION);
  if (version !== FORMAT_VERSION) {
    const what = `version mismatch (format version ${version}, only ${FORMAT_VERSION} is known)`;
    return { kind: "invalid", error: "version mismatch", what, offsetBytes: VERSION };
  }
  const stored = readU64Big(view, CHECKSUM);
  const computed = fnv1a64(image.subarray(MAGIC, CHECKSUM));
  if (stored !== computed) {
    const what = `checksum error (meta says ${hex64(stored)}, its bytes give ${hex64(computed)})`;
    return { kind: "invalid", error: "checksum error", what, offsetBytes: CHECKSUM };
  }
  const pageBytes = readU32(view, PAGE_SIZE);
  if (
    pageBytes < PAGE_BYTES_MIN ||
    pageBytes > PAGE_BYTES_MAX ||
    (pageBytes & (pageBytes - 1)) !== 0
  ) {
    // bbolt believes any size here; a page of no bytes, or of 4 GiB, can only be a forgery.
    const what = `invalid database (page size ${pageBytes} is no power of two from ${PAGE_BYTES_MIN} to ${PAGE_BYTES_MAX})`;
    return { kind: "invalid", error: "invalid database", what, offsetBytes: PAGE_SIZE };
  }
  const freelist = readU64Big(view, FREELIST_ID);
  const meta: Meta = {
    pageBytes,
    root: readU64(view, ROOT),
    sequence: readU64Big(view, SEQUENCE),
    freelist: freelist === NOT_STORED ? undefined : Number(freelist),
    pgid: readU64(view, PGID),
    txid: readU64(view, TXID),
  };
  // A txid that has no successor, or a size that no disk holds: forged as well, and numbers here end at 2^53.
  if (meta.txid >= Number.MAX_SAFE_INTEGER || meta.pgid * pageBytes > Number.MAX_SAFE_INTEGER) {
    const what = `invalid database (txid ${meta.txid}, ${meta.pgid} pages: beyond 2^53)`;
    return { kind: "invalid", error: "invalid database", what, offsetBytes: PGID };
  }
  return { kind: "valid", meta };
}

/** A whole, zero-padded meta page with its checksum. @param pageId  0 or 1 */
export function encodeMetaPage(meta: Meta, pageId: number): Uint8Array {
  const image = new Uint8Array(meta.pageBytes);
  const view = viewOf(image);
  writePageHeader(view, 0, pageId, META, 0, 0);
  writeU32(view, MAGIC, MAGIC_NUMBER);
  writeU32(view, VERSION, FORMAT_VERSION);
  writeU32(view, PAGE_SIZE, meta.pageBytes);
  writeU64(view, ROOT, meta.root);
  writeU64Big(view, SEQUENCE, meta.sequence);
  if (meta.freelist === undefined) writeU64Big(view, FREELIST_ID, NOT_STORED);
  else writeU64(view, FREELIST_ID, meta.freelist);
  writeU64(view, PGID, meta.pgid);
  writeU64(view, TXID, meta.txid);
  writeU64Big(view, CHECKSUM, fnv1a64(image.subarray(MAGIC, CHECKSUM)));
  return image;
}

/** What the two meta pages of a file say. */
export interface MetaPair {
  readonly pageBytes: number;
  readonly readings: readonly [MetaReading, MetaReading];
  /** The meta in force: the valid one with the higher txid, page 0 when they are equal. */
  readonly active: Meta;
  /** The page it stands on: 0 or 1. */
  readonly activePage: 0 | 1;
}

/** The little of a file that the metas are read through. */
export interface MetaSource {
  readonly path: string;
  size(): number;
  readSome(offsetBytes: number, into: Uint8Array): number;
}

/**
 * Reads both metas, finding the page size as bbolt ≥ 1.3.7 does: from meta 0, or else from the first valid meta at
 * 1 KiB, 2 KiB, 4 KiB, ….
 *
 * @throws CorruptionError when neither meta is valid: the reason is page 0's
 */
export function readMetas(source: MetaSource): MetaPair {
  const fileBytes = source.size();
  const first = readMeta(imageAt(source, 0));
  const pageBytes =
    first.kind === "valid" ? first.meta.pageBytes : findPageBytes(source, fileBytes);
  if (fileBytes < 2 * pageBytes) {
    if (first.kind === "invalid" && first.error === "invalid database")
      throw damaged(source.path, first);
    throw new CorruptionError(source.path, fileBytes, `file size too small ${fileBytes}`);
  }
  const second = readMeta(imageAt(source, pageBytes));
  const sameSize = second.kind === "valid" && second.meta.pageBytes === pageBytes;
  if (sameSize && (first.kind === "invalid" || second.meta.txid > first.meta.txid)) {
    return { pageBytes, readings: [first, second], active: second.meta, activePage: 1 };
  }
  if (first.kind === "valid") {
    return { pageBytes, readings: [first, second], active: first.meta, activePage: 0 };
  }
  throw damaged(source.path, first);
}

function damaged(path: string, reading: MetaReading & { kind: "invalid" }): CorruptionError {
  return new CorruptionError(path, reading.offsetBytes, reading.what);
}

function imageAt(source: MetaSource, offsetBytes: number): Uint8Array {
  const image = new Uint8Array(META_END);
  source.readSome(offsetBytes, image);
  return image;
}

/** @see pagefile.md §7: positions of 1024 << i below the file's size less 1 KiB, else the system's page size. */
function findPageBytes(source: MetaSource, fileBytes: number): number {
  for (let at = PAGE_BYTES_MIN; at <= PAGE_BYTES_MAX && at < fileBytes - 1024; at *= 2) {
    const reading = readMeta(imageAt(source, at));
    if (reading.kind === "valid" && reading.meta.pageBytes === at) return at;
  }
  return 4096;
}

function hex32(n: number): string {
  return `0x${n.toString(16).padStart(8, "0")}`;
}

function hex64(n: bigint): string {
  return `0x${n.toString(16).padStart(16, "0")}`;
}
