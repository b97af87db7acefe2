/**
 * The command `check`: the integrity walk, and beyond it what bbolt cannot know: rows of etcd's buckets that are not
 * what etcd stores there, a snapshot whose checksum is not its content's.
 */
import { KEY } from "../../backend/buckets.ts";
import { jsonText } from "../../base/json.ts";
import { decodeKeyValue } from "../../mvcc/key-value.ts";
import { checkTree } from "../../pagefile/check.ts";
import type { Page } from "../../pagefile/page.ts";
import { TRAILER_BYTES, verifyTrailer } from "../snapshot-trailer.ts";
import { type Context, writeFields, writeList } from "./context.ts";
import type { Rooted } from "./inspected.ts";
import { READING } from "./phases.ts";
import { eachRecord } from "./records.ts";
import { SchemaRows, SMALL_BUCKETS } from "./schema-rows.ts";
import { trailerJson, trailerText } from "./trailer.ts";
import { TreeMap } from "./tree-map.ts";
import { leavesOf, reporter, together } from "./walks.ts";

export interface CheckCommand {
  readonly name: "check";
}

export function inspectCheck(context: Context, view: Rooted): void {
  const { out, show, faults, progress } = context;
  const { source, meta } = view;
  const trailer = verifyTrailer({ path: source.path }, progress);
  if (trailer.kind === "mismatch") {
    const what = `expected sha256 ${trailer.expected}, got ${trailer.got}: the snapshot was damaged after it was saved`;
    faults.add(what, source.size() - TRAILER_BYTES);
  }
  progress.phase(READING, meta.pgid * source.pageBytes);
  const map = new TreeMap(meta);
  const visitor = together(
    map,
    leavesOf(SMALL_BUCKETS, new SchemaRows(source.pageBytes, faults)),
    leavesOf([KEY], { leaf: (page) => checkRows(context, page, source.pageBytes) }),
    { entered: reporter(progress, source.pageBytes) },
  );
  const result = checkTree(source, meta, visitor);
  for (const { what, offsetBytes } of result.faults) faults.add(what, offsetBytes);
  faults.count += result.faultCount - result.faults.length;
  const { pagesInUse, pagesFree } = result;
  const keys = map.buckets.slice(1).reduce((sum, bucket) => sum + bucket.keys, 0);
  if (context.json) {
    writeFields(context, {
      pages_in_use: pagesInUse,
      pages_free: pagesFree,
      buckets: map.bucketCount,
      keys,
      trailer: trailerJson(trailer),
      fault_count: faults.count,
    });
    writeList(context, "faults", (element) => {
      for (const { what, offsetBytes } of faults.kept) {
        element(jsonText({ offset: offsetBytes, what }));
      }
    });
    return;
  }
  out.write(`pages    ${pagesInUse} in use, ${pagesFree} free\n`);
  out.write(`buckets  ${map.bucketCount}, with ${keys} keys\n`);
  out.write(`SHA-256  ${trailerText(trailer)}\n`);
  out.write(faults.count === 0 ? "faults   none\n" : `${show.bad(`faults   ${faults.count}`)}\n`);
  for (const { what, offsetBytes } of faults.kept) out.write(`  offset ${offsetBytes}: ${what}\n`);
  const left = faults.count - faults.kept.length;
  if (left > 0) out.write(`  … and ${left} more\n`);
}

/** A put says its revision itself: there is no checksum, but this much must agree. */
function checkRows({ faults }: Context, page: Page, pageBytes: number): void {
  eachRecord(page, pageBytes, faults, (record) => {
    const { bytes, valueOffset, valueBytes, main, sub } = record;
    const kv = decodeKeyValue(bytes.subarray(valueOffset, valueOffset + valueBytes));
    const at = page.id * pageBytes + valueOffset - page.base;
    if (kv === undefined) {
      faults.add(`revision ${main}_${sub}: the value is no KeyValue`, at);
    } else if (!record.tombstone && Number(kv.modRevision) !== main) {
      faults.add(`revision ${main}_${sub}: the value says revision ${kv.modRevision}`, at);
    } else if (!record.tombstone && (kv.createRevision > kv.modRevision || kv.version < 1n)) {
      const says = `created at ${kv.createRevision}, version ${kv.version}`;
      faults.add(`revision ${main}_${sub}: the value says ${says}`, at);
    }
  });
}
