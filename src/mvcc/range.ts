/**
 * Range: which keys, in which order, how many, and their records.
 *
 * It runs in steps, so that a range over a million keys need not hold the event loop: run it to its end at once, or a
 * step at a time. Writes that come between steps have later revisions and are not seen.
 *
 * @see etcd server/etcdserver/txn/range.go
 */
import { compareBytes, latin1 } from "../base/bytes.ts";
import { EtcdError } from "../base/errors.ts";
import { decodeKeyValueAt, keyValueBytesMax, putKeyValue } from "../proto/key-value.ts";
import { type RangeRequest, SortOrder, SortTarget } from "../proto/messages.ts";
import { type KeyRange, rangeOf, type Store } from "./store.ts";

export interface RangeOutcome {
  /** Encoded KeyValues, in order; the bytes are the caller's own. */
  readonly kvs: readonly Uint8Array[];
  /** The limit has cut something off. */
  readonly more: boolean;
  /** Keys in the range at that revision, before filters and limit. */
  readonly count: number;
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** Keys that are looked at, or records that are read, in one step. */
const STEP_KEYS = 512;
/** Of records. */
const STEP_BYTES: number = 1024 * 1024;

interface Row {
  readonly main: number;
  readonly sub: number;
  readonly create: number;
  readonly version: number;
}

/**
 * @param counts  false: it stops where the limit is reached, and `count` is what it has seen
 * @param atRev  from `Store.readableRevision`; Infinity: now, changes of an open transaction included
 * @throws EtcdError COMPACTED if history at `atRev` is given up between steps
 */
export function* rangeSteps(
  store: Store,
  request: RangeRequest,
  atRev: number,
  counts = true,
): Generator<undefined, RangeOutcome> {
  const { start, end } = rangeOf(request.key, request.rangeEnd);
  if (end === "") return rangeOfOne(store, request, start, atRev);
  store.counts.ranges++;
  const isSorted = sorts(request);
  const limit = request.limit > 0 ? request.limit : Infinity;
  const rows: Row[] = [];
  let count = 0;
  let passed = 0;
  let enough = false;
  let from: string | undefined = start;
  while (from !== undefined) {
    assertReadable(store, atRev);
    let looked = 0;
    let last: string | undefined;
    store.index.range(from, end, atRev, (key, { main, sub, create, version }) => {
      count++;
      if (!request.countOnly && accepts(request, main, create)) {
        passed++;
        if (isSorted || rows.length < limit) rows.push({ main, sub, create, version });
      }
      last = key;
      enough = !counts && !isSorted && passed > limit;
      return ++looked < STEP_KEYS && !enough;
    });
    from = looked === STEP_KEYS && !enough ? `${last}\0` : undefined;
    if (from !== undefined) yield;
  }
  if (isSorted) sortRows(store, request, rows);
  const kvs: Uint8Array[] = [];
  const wanted = Math.min(rows.length, limit);
  let bytes = 0;
  for (let i = 0; i < wanted; i++) {
    const { main, sub } = rows[i] as Row;
    const kv = recordOf(store, main, sub, request.keysOnly);
    kvs.push(kv);
    bytes += kv.length;
    if (kvs.length % STEP_KEYS === 0 || bytes >= STEP_BYTES) {
      bytes = 0;
      yield;
      assertReadable(store, atRev);
    }
  }
  return { kvs, more: passed > wanted, count };
}

/** What a page may come to: the record that reaches one of them is its last. */
export interface PageLimits {
  readonly keys: number;
  readonly bytes: number;
}

export interface RangePage {
  readonly kvs: readonly Uint8Array[];
  /** Where the next one begins; undefined if there is none. */
  readonly next: string | undefined;
}

/**
 * The first KeyValues of a range, by key. For those who cannot hold all of it.
 * @param end  exclusive, "\0" for no end
 * @throws EtcdError COMPACTED
 */
export function rangePage(
  store: Store,
  { start, end }: KeyRange,
  atRev: number,
  keysOnly: boolean,
  limits: PageLimits,
): RangePage {
  assertReadable(store, atRev);
  const kvs: Uint8Array[] = [];
  let bytes = 0;
  let full = false;
  let next: string | undefined;
  store.index.range(start, end, atRev, (key, { main, sub }) => {
    if (full) {
      next = key;
      return false;
    }
    const kv = recordOf(store, main, sub, keysOnly);
    kvs.push(kv);
    bytes += kv.length;
    full = kvs.length >= limits.keys || bytes >= limits.bytes;
    return true;
  });
  return { kvs, next };
}

/** All of it at once. */
export function rangeAtOnce(store: Store, request: RangeRequest, atRev: number): RangeOutcome {
  if (request.rangeEnd.length === 0) return rangeOfOne(store, request, latin1(request.key), atRev);
  const steps = rangeSteps(store, request, atRev);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function rangeOfOne(store: Store, request: RangeRequest, key: string, atRev: number): RangeOutcome {
  store.counts.ranges++;
  const found = store.find(key, atRev);
  if (found === undefined) return { kvs: [], more: false, count: 0 };
  if (request.countOnly || !accepts(request, found.main, found.create)) {
    return { kvs: [], more: false, count: 1 };
  }
  return { kvs: [recordOf(store, found.main, found.sub, request.keysOnly)], more: false, count: 1 };
}

function assertReadable(store: Store, atRev: number): void {
  if (atRev < store.compactedRevision) throw new EtcdError("COMPACTED");
}

function accepts(request: RangeRequest, mod: number, create: number): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return (
    (minModRevision === 0 || mod >= minModRevision) &&
    (maxModRevision === 0 || mod <= maxModRevision) &&
    (minCreateRevision === 0 || create >= minCreateRevision) &&
    (maxCreateRevision === 0 || create <= maxCreateRevision)
  );
}

/** By key ascending they come. */
function sorts({ sortOrder, sortTarget }: RangeRequest): boolean {
  if (sortTarget < SortTarget.key || sortTarget > SortTarget.value) return false;
  return sortTarget !== SortTarget.key || sortOrder === SortOrder.descend;
}

/** They come by key, and where they are the same otherwise they stay so, in either direction. */
function sortRows(store: Store, { sortTarget, sortOrder }: RangeRequest, rows: Row[]): void {
  const sign = sortOrder === SortOrder.descend ? -1 : 1;
  if (sortTarget === SortTarget.version) rows.sort((a, b) => sign * (a.version - b.version));
  else if (sortTarget === SortTarget.create) rows.sort((a, b) => sign * (a.create - b.create));
  else if (sortTarget === SortTarget.mod) rows.sort((a, b) => sign * (a.main - b.main));
  else if (sortTarget === SortTarget.value) {
    const values = new Map(rows.map((row) => [row, valueAt(store, row)]));
    const bytesOf = (row: Row): Uint8Array => values.get(row) ?? EMPTY;
    rows.sort((a, b) => sign * compareBytes(bytesOf(a), bytesOf(b)));
  } else if (sign < 0) rows.reverse();
}

function valueAt(store: Store, { main, sub }: Row): Uint8Array {
  const copy = store.recordCopy(main, sub);
  return decodeKeyValueAt(copy, 0, copy.length)?.value ?? EMPTY;
}

function recordOf(store: Store, main: number, sub: number, keysOnly: boolean): Uint8Array {
  if (!keysOnly) return store.recordCopy(main, sub);
  const { bytes, offset, length } = store.record(main, sub);
  return withoutValue(bytes, offset, length);
}

function withoutValue(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const kv = decodeKeyValueAt(bytes, offset, length);
  if (kv === undefined) return bytes.slice(offset, offset + length);
  const { key, createRevision, modRevision, version, lease } = kv;
  const into = new Uint8Array(keyValueBytesMax(key.length, 0));
  const end = putKeyValue(into, 0, key, createRevision, modRevision, version, EMPTY, lease);
  return into.subarray(0, end);
}
