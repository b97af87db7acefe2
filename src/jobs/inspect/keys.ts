/** The commands `keys` and `get`: what the user's keys were at a revision, or every revision that is left. */
import { KEY } from "../../backend/buckets.ts";
import { jsonFields } from "../../base/json.ts";
import { printableText } from "../../base/quote.ts";
import { shownLease } from "../../lease/lease-record.ts";
import { decodeKeyValue, type KeyValue } from "../../mvcc/key-value.ts";
import type { ProgressWriter } from "../progress.ts";
import { type Context, writeFields, writeList } from "./context.ts";
import type { Rooted } from "./inspected.ts";
import { KeyIndex, type KeyIndexOptions } from "./key-index.ts";
import { PRINTING, READING } from "./phases.ts";
import { eachRecord, type KeyFilter, matches, type RecordView } from "./records.ts";
import { checkedRevision, type RevisionMarks, readMarks } from "./revision-marks.ts";
import { RowReader } from "./row-reader.ts";
import { counted, type Show } from "./show.ts";
import { EnoughSeen, walkBuckets } from "./walks.ts";

export interface KeysCommand extends KeyFilter {
  readonly name: "keys" | "get";
  /** 0 = the current one. */
  readonly revision: number;
  /** Every revision, tombstones among them, in their order. */
  readonly history: boolean;
  /** 0 = all. */
  readonly limit: number;
}

/** @throws StrataError COMPACTED or FUTURE, before anything is printed */
export function inspectKeys(context: Context, view: Rooted, command: KeysCommand): void {
  const { progress } = context;
  progress.phase(READING, view.meta.pgid * view.pageBytes);
  const marks = readMarks(view, progress);
  const revision = checkedRevision(command.revision, marks);
  const { current, compacted } = marks;
  const header = { revision: current, compact_revision: compacted < 0 ? undefined : compacted };
  if (context.json) writeFields(context, { header, at_revision: revision });
  if (command.history) printHistory(context, view, command, revision, marks);
  else printKeys(context, view, command, revision, marks);
}

/** What the keys were at `revision`: one pass over the revisions up to it. */
export function indexKeys(
  context: Context,
  view: Rooted,
  filter: KeyFilter,
  revision: number,
  options: KeyIndexOptions = {},
): KeyIndex {
  const index = new KeyIndex(options);
  eachRow(context, view, (record) => {
    if (record.main > revision) throw new EnoughSeen();
    if (matches(filter, record)) index.add(record);
  });
  return index;
}

function eachRow(context: Context, view: Rooted, each: (record: RecordView) => void): void {
  const { faults, progress } = context;
  const visitor = {
    leaf: (page: Parameters<typeof eachRecord>[0]): void =>
      eachRecord(page, view.pageBytes, faults, each),
  };
  walkBuckets(view, [KEY], visitor, faults, progress);
}

function printKeys(
  context: Context,
  view: Rooted,
  command: KeysCommand,
  revision: number,
  marks: RevisionMarks,
): void {
  const { out, show, progress } = context;
  const index = indexKeys(context, view, command, revision);
  const entries = index.sorted();
  const count = command.limit === 0 ? entries.length : Math.min(command.limit, entries.length);
  const report = printing(progress, count);
  const columns = new Columns(marks.current);
  const rows = (print: (kv: KeyValue) => void): void => {
    new RowReader(view, index, context.faults).read(entries.subarray(0, count), (kv, i) => {
      print(kv);
      report(i);
    });
  };
  if (context.json) {
    writeList(context, "kvs", (element) => rows((kv) => element(kvJson(kv, show))));
    writeFields(context, {
      count: entries.length,
      more: count < entries.length ? true : undefined,
    });
    return;
  }
  const at = `at revision ${revision}`;
  if (command.name === "get") {
    rows((kv) => out.write(kvText(kv, show)));
    if (count === 0) out.write(`no such key ${at}\n`);
    return;
  }
  out.write(`${show.head(columns.head())}\n`);
  rows((kv) => out.write(`${columns.row(kv, show)}\n`));
  const shown = count < entries.length ? `${count} of ` : "";
  out.write(`\n${shown}${counted(entries.length, "key")} ${at}\n`);
}

function printHistory(
  context: Context,
  view: Rooted,
  command: KeysCommand,
  revision: number,
  marks: RevisionMarks,
): void {
  const { out, show, faults } = context;
  const columns = new Columns(marks.current);
  let count = 0;
  let more = false;
  const rows = (print: (record: RecordView, kv: KeyValue) => void): void => {
    eachRow(context, view, (record) => {
      if (record.main > revision) throw new EnoughSeen();
      if (!matches(command, record)) return;
      if (command.limit !== 0 && count === command.limit) {
        more = true;
        throw new EnoughSeen();
      }
      const { bytes, valueOffset, valueBytes } = record;
      const kv = decodeKeyValue(bytes.subarray(valueOffset, valueOffset + valueBytes));
      if (kv === undefined) {
        const at = (record.page?.id ?? 0) * view.pageBytes + valueOffset - (record.page?.base ?? 0);
        faults.add(`revision ${record.main}_${record.sub}: the value is no KeyValue`, at);
        return;
      }
      count++;
      print(record, kv);
    });
  };
  if (context.json) {
    writeList(context, "revisions", (element) =>
      rows((record, kv) => element(revisionJson(record, kv, show))),
    );
    writeFields(context, { count, more: more ? true : undefined });
    return;
  }
  out.write(`${show.head(columns.historyHead())}\n`);
  rows((record, kv) => out.write(`${columns.historyRow(record, kv, show)}\n`));
  const why = more ? `, and there are more: the limit is ${command.limit}` : "";
  const from = marks.compacted > 0 ? `, compacted at ${marks.compacted}` : "";
  out.write(`\n${counted(count, "revision")} up to ${revision}${from}${why}\n`);
}

/** How often printing reports: every so many keys. */
const REPORT_KEYS = 1024;

function printing(progress: ProgressWriter, keys: number): (i: number) => void {
  // Progress is counted in bytes; a key counts as one kilobyte, the unit in which it travels.
  progress.phase(PRINTING, keys * 1024);
  return (i) => {
    if (i % REPORT_KEYS === 0) progress.done(i * 1024);
  };
}

/** Columns that are wide enough for every number to come, so that rows can be printed as they are found. */
class Columns {
  readonly #width: number;

  constructor(current: number) {
    this.#width = Math.max(7, String(current).length);
  }

  head(): string {
    const names = ["CREATE", "MOD", "VERSION"].map((name) => name.padStart(this.#width));
    return `${names.join("  ")}  ${"LEASE".padEnd(16)}  KEY = VALUE`;
  }

  row(kv: KeyValue, show: Show): string {
    return `${this.#number(kv.createRevision)}  ${this.#number(kv.modRevision)}  ${this.#number(kv.version)}  ${lease(kv).padEnd(16)}  ${show.key(kv.key)} = ${show.valueStart(kv.value)}`;
  }

  historyHead(): string {
    const names = ["CREATE", "VERSION"].map((name) => name.padStart(this.#width));
    return `${"REVISION".padEnd(this.#width + 4)}  ${names.join("  ")}  ${"LEASE".padEnd(16)}  KEY = VALUE`;
  }

  historyRow({ main, sub, tombstone }: RecordView, kv: KeyValue, show: Show): string {
    const revision = `${main}_${sub}`.padEnd(this.#width + 4);
    if (tombstone) {
      const none = "-".padStart(this.#width);
      return `${revision}  ${none}  ${none}  ${"-".padEnd(16)}  ${show.key(kv.key)} deleted`;
    }
    return `${revision}  ${this.#number(kv.createRevision)}  ${this.#number(kv.version)}  ${lease(kv).padEnd(16)}  ${show.key(kv.key)} = ${show.valueStart(kv.value)}`;
  }

  #number(n: bigint): string {
    return n.toString().padStart(this.#width);
  }
}

function lease(kv: KeyValue): string {
  return kv.lease === 0n ? "-" : shownLease(kv.lease);
}

function kvText(kv: KeyValue, show: Show): string {
  return [
    `key       ${show.key(kv.key)}`,
    `create    ${kv.createRevision}`,
    `mod       ${kv.modRevision}`,
    `version   ${kv.version}`,
    `lease     ${lease(kv)}`,
    `value     ${show.value(kv.value)}`,
    "",
  ].join("\n");
}

/**
 * etcdctl's fields, and text beside what is in base64 where it can be read. Put together here and not by `jsonText`:
 * there may be a million.
 */
function kvJson(kv: KeyValue, show: Show): string {
  return `{${bytesJson("key", kv.key)}${revisionsJson(kv)}${valueJson(kv, show)}${leaseJson(kv)}}`;
}

function revisionJson({ main, sub, tombstone }: RecordView, kv: KeyValue, show: Show): string {
  const head = `{"main":${main},"sub":${sub},`;
  if (tombstone) return `${head}"tombstone":true,${bytesJson("key", kv.key)}}`;
  return `${head}${bytesJson("key", kv.key)}${revisionsJson(kv)}${valueJson(kv, show)}${leaseJson(kv)}}`;
}

function revisionsJson({ createRevision, modRevision, version }: KeyValue): string {
  return `,"create_revision":${createRevision},"mod_revision":${modRevision},"version":${version}`;
}

function valueJson({ value }: KeyValue, show: Show): string {
  if (show.redact) return `,${jsonFields(show.valueFields("value", value))}`;
  return value.length === 0 ? "" : `,${bytesJson("value", value)}`;
}

function leaseJson({ lease: id }: KeyValue): string {
  return id === 0n ? "" : `,"lease":${id}`;
}

function bytesJson(name: string, bytes: Uint8Array): string {
  const text = printableText(bytes);
  const encoded = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return text === undefined
    ? `"${name}":"${encoded}"`
    : `"${name}":"${encoded}","${name}_text":${JSON.stringify(text)}`;
}
