/** Damage to page files: by chance, but where it hurts. */
import { fnv1a64 } from "../../native-free/fnv1a64.ts";
import {
  readU16,
  readU32,
  readU64,
  viewOf,
  writeU16,
  writeU32,
  writeU64,
  writeU64Big,
} from "../../src/base/bytes.ts";
import { META_END } from "../../src/pagefile/meta.ts";
import { BRANCH, ELEMENT_BYTES, LEAF, PAGE_HEADER_BYTES } from "../../src/pagefile/page.ts";
import type { Rng } from "../support/rng.ts";

export interface Mutated {
  readonly bytes: Uint8Array;
  /** What was done, to be read with a failure. */
  readonly story: readonly string[];
}

const META_FIELDS = [16, 20, 24, 28, 32, 40, 48, 56, 64];
const META_CHECKSUM = 72;

interface Draft {
  bytes: Uint8Array;
  readonly pageBytes: number;
  readonly story: string[];
}

type Mutation = (draft: Draft, random: Rng) => string;

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  setBytes,
  setMetaField,
  setMetaField,
  setHeaderField,
  setHeaderField,
  setElementField,
  setElementField,
  setElementField,
  setBucketHeader,
  swapPages,
  copyPage,
  truncate,
  extend,
];

/** A damaged copy of `original`: one to four mutations; in half of the cases the metas' checksums are right again. */
export function mutate(original: Uint8Array, pageBytes: number, random: Rng): Mutated {
  const draft: Draft = { bytes: original.slice(), pageBytes, story: [] };
  for (let left = random.pick([1, 1, 2, 4]); left > 0; left--) {
    draft.story.push(random.pick(MUTATIONS)(draft, random));
  }
  if (random.bool()) {
    draft.story.push("checksums made right");
    for (const page of [0, 1]) fixChecksum(draft, page);
  }
  return draft;
}

function fixChecksum({ bytes, pageBytes }: Draft, page: number): void {
  const at = page * pageBytes;
  if (at + META_END > bytes.length) return;
  const sum = fnv1a64(bytes.subarray(at + PAGE_HEADER_BYTES, at + META_CHECKSUM));
  writeU64Big(viewOf(bytes), at + META_CHECKSUM, sum);
}

function pagesOf({ bytes, pageBytes }: Draft): number {
  return Math.max(1, Math.floor(bytes.length / pageBytes));
}

/** Values that have broken readers before, and neighbours of what is there. */
function nasty(old: number, own: number, pgid: number, random: Rng): bigint {
  return random.pick([
    0n,
    1n,
    2n,
    3n,
    0xffn,
    0xffffn,
    2n ** 31n - 1n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 52n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
    BigInt(own),
    BigInt(own + 1),
    BigInt(Math.max(0, pgid - 1)),
    BigInt(pgid),
    BigInt(pgid + 1),
    BigInt(random.int(Math.max(1, pgid))),
    BigInt.asUintN(64, BigInt(Math.min(old, 2 ** 53)) + 1n),
    BigInt.asUintN(64, BigInt(Math.min(old, 2 ** 53)) - 1n),
  ]);
}

function setField(draft: Draft, at: number, width: 2 | 4 | 8, random: Rng): string {
  const view = viewOf(draft.bytes);
  if (at + width > draft.bytes.length) return "nothing: beyond the end";
  const old = width === 2 ? readU16(view, at) : width === 4 ? readU32(view, at) : readU64(view, at);
  const own = Math.floor(at / draft.pageBytes);
  const value = nasty(old, own, pagesOf(draft), random);
  if (width === 8) writeU64Big(view, at, value);
  else if (width === 4) writeU32(view, at, Number(BigInt.asUintN(32, value)));
  else writeU16(view, at, Number(BigInt.asUintN(16, value)));
  return `u${width * 8} at ${at} (page ${own} + ${at % draft.pageBytes}): ${old} → ${value}`;
}

function flipBits(draft: Draft, random: Rng): string {
  const places: string[] = [];
  for (let left = random.pick([1, 1, 3, 16]); left > 0; left--) {
    const at = random.int(draft.bytes.length);
    const bit = random.int(8);
    draft.bytes[at] = (draft.bytes[at] as number) ^ (1 << bit);
    places.push(`${at}.${bit}`);
  }
  return `bits ${places.join(" ")}`;
}

function setBytes(draft: Draft, random: Rng): string {
  const at = random.int(draft.bytes.length);
  const length = Math.min(random.pick([1, 2, 8, 64, 512]), draft.bytes.length - at);
  const value = random.pick([0, 0xff, 1, random.int(256)]);
  draft.bytes.fill(value, at, at + length);
  return `${length} bytes at ${at} = ${value}`;
}

function setMetaField(draft: Draft, random: Rng): string {
  const at = random.int(2) * draft.pageBytes + random.pick(META_FIELDS);
  return `meta ${setField(draft, at, at % draft.pageBytes < 32 ? 4 : 8, random)}`;
}

function setHeaderField(draft: Draft, random: Rng): string {
  const page = random.int(pagesOf(draft)) * draft.pageBytes;
  const [offset, width] = random.pick([
    [0, 8],
    [8, 2],
    [10, 2],
    [12, 4],
  ] as const);
  if (offset === 8 && random.bool() && page + 10 <= draft.bytes.length) {
    const flags = random.pick([0, 1, 2, 3, 4, 16, 18]);
    writeU16(viewOf(draft.bytes), page + 8, flags);
    return `flags at ${page + 8} = ${flags}`;
  }
  return `header ${setField(draft, page + offset, width, random)}`;
}

/** A page that looks like a tree's: damage in free pages is not worth much. */
function treePage(draft: Draft, random: Rng): { at: number; flags: number; count: number } {
  const view = viewOf(draft.bytes);
  let at = 0;
  for (let tries = 0; tries < 20; tries++) {
    at = random.int(pagesOf(draft)) * draft.pageBytes;
    if (at + PAGE_HEADER_BYTES > draft.bytes.length) continue;
    const flags = readU16(view, at + 8);
    const count = readU16(view, at + 10);
    if ((flags === LEAF || flags === BRANCH) && count > 0) return { at, flags, count };
  }
  return { at, flags: 0, count: 1 };
}

function setElementField(draft: Draft, random: Rng): string {
  const { at, flags, count } = treePage(draft, random);
  const i = random.pick([0, count - 1, random.int(count)]);
  const element = at + PAGE_HEADER_BYTES + i * ELEMENT_BYTES;
  if (flags === BRANCH && random.bool()) {
    return `branch element ${i}: child ${setField(draft, element + 8, 8, random)}`;
  }
  return `element ${i} of flags ${flags}: ${setField(draft, element + 4 * random.int(4), 4, random)}`;
}

/** Root and sequence of a bucket, and the header of the page inside. */
function setBucketHeader(draft: Draft, random: Rng): string {
  const view = viewOf(draft.bytes);
  const { at, flags, count } = treePage(draft, random);
  if (flags !== LEAF) return "nothing: no leaf found";
  const from = random.int(count);
  for (let i = from; i < count; i++) {
    const element = at + PAGE_HEADER_BYTES + i * ELEMENT_BYTES;
    if (element + ELEMENT_BYTES > draft.bytes.length || readU32(view, element) !== 1) continue;
    const value = element + readU32(view, element + 4) + readU32(view, element + 8);
    const [offset, width] = random.pick([
      [0, 8],
      [0, 8],
      [8, 8],
      [16, 8],
      [24, 2],
      [26, 2],
      [28, 4],
      [32, 4],
      [36, 4],
      [40, 4],
      [44, 4],
    ] as const);
    return `bucket ${i} + ${offset}: ${setField(draft, value + offset, width, random)}`;
  }
  return "nothing: no bucket found";
}

function swapPages(draft: Draft, random: Rng): string {
  const { bytes, pageBytes } = draft;
  const a = random.int(pagesOf(draft));
  const b = random.int(pagesOf(draft));
  const was = bytes.slice(a * pageBytes, (a + 1) * pageBytes);
  if (was.length < pageBytes) return "nothing: not a page long";
  bytes.copyWithin(a * pageBytes, b * pageBytes, (b + 1) * pageBytes);
  bytes.set(was, b * pageBytes);
  return `pages ${a} and ${b} swapped${ownIds(draft, [a, b], random)}`;
}

function copyPage(draft: Draft, random: Rng): string {
  const { bytes, pageBytes } = draft;
  const from = random.int(pagesOf(draft));
  const to = random.int(pagesOf(draft));
  bytes.copyWithin(to * pageBytes, from * pageBytes, (from + 1) * pageBytes);
  return `page ${from} copied over page ${to}${ownIds(draft, [to], random)}`;
}

/** Half of the pages that were moved are told where they are now. */
function ownIds({ bytes, pageBytes }: Draft, pages: readonly number[], random: Rng): string {
  if (random.bool()) return "";
  for (const page of pages) {
    if ((page + 1) * pageBytes <= bytes.length) writeU64(viewOf(bytes), page * pageBytes, page);
  }
  return ", ids made right";
}

function truncate(draft: Draft, random: Rng): string {
  const whole = random.int(pagesOf(draft)) * draft.pageBytes;
  const size = Math.max(1, random.bool() ? whole : random.int(draft.bytes.length));
  draft.bytes = draft.bytes.slice(0, size);
  return `cut to ${size} bytes`;
}

function extend(draft: Draft, random: Rng): string {
  const more = random.pick([1, 32, draft.pageBytes, 3 * draft.pageBytes + 7]);
  const fill = random.pick([0, 0xff, 2]);
  const larger = new Uint8Array(draft.bytes.length + more).fill(fill);
  larger.set(draft.bytes);
  draft.bytes = larger;
  return `${more} bytes of ${fill} more`;
}
