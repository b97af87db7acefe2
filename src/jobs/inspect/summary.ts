/** The command `summary`: what an operator wants to know of a file at a glance, from one walk over it. */
import { KEY } from "../../backend/buckets.ts";
import type { Json } from "../../base/json.ts";
import { quoted } from "../../base/quote.ts";
import { shownMember } from "../../membership/member-record.ts";
import { checkTree } from "../../pagefile/check.ts";
import {
  hasTrailer,
  TRAILER_BYTES,
  type TrailerStatus,
  verifyTrailer,
} from "../snapshot-trailer.ts";
import { bucketJson, bucketTable } from "./buckets.ts";
import { type Context, writeFields } from "./context.ts";
import type { Inspected, Rooted, Rootless } from "./inspected.ts";
import { KeyIndex } from "./key-index.ts";
import { lookAtMetas, type MetaLook, metaJson } from "./meta.ts";
import { READING } from "./phases.ts";
import { eachRecord } from "./records.ts";
import { marksOf, type RevisionMarks } from "./revision-marks.ts";
import { RowReader } from "./row-reader.ts";
import { SchemaRows, SMALL_BUCKETS } from "./schema-rows.ts";
import { keyFields, shownBytes } from "./show.ts";
import { tableText } from "./table.ts";
import { trailerJson, trailerText } from "./trailer.ts";
import { type BucketStats, TreeMap } from "./tree-map.ts";
import { leavesOf, reporter, together } from "./walks.ts";

export interface SummaryCommand {
  readonly name: "summary";
}

/** How many of the largest keys are named. */
const LARGEST = 5;
/** Buckets that the summary lists; `buckets` lists all. */
const BUCKETS_SHOWN = 50;

export function inspectSummary(context: Context, inspected: Inspected): void {
  if (inspected.kind === "rootless") {
    summariseRootless(context, inspected);
    return;
  }
  const summary = summarise(context, inspected);
  if (context.json) writeFields(context, summaryJson(summary));
  else writeSummary(context, summary);
}

interface Summary {
  readonly view: Rooted;
  readonly metas: readonly MetaLook[];
  readonly fileBytes: number;
  readonly trailer: TrailerStatus;
  /** Between the last page and the trailer, or the end. */
  readonly trailingBytes: number;
  readonly pagesInUse: number;
  readonly pagesFree: number;
  readonly faultCount: number;
  readonly buckets: readonly BucketStats[];
  readonly rows: SchemaRows;
  /** Undefined for a file that has no bucket `key`: it is not etcd's. */
  readonly store: StoreSummary | undefined;
}

interface StoreSummary {
  readonly marks: RevisionMarks;
  readonly liveKeys: number;
  readonly revisions: number;
  readonly tombstones: number;
  readonly largest: readonly LargeKey[];
  readonly busiest: readonly LargeKey[];
}

interface LargeKey {
  readonly key: Uint8Array;
  /** Of the value that is alive; undefined if the key is deleted. */
  readonly valueBytes: number | undefined;
  readonly revisions: number;
  /** Of all its revisions. */
  readonly historyBytes: number;
}

function summarise(context: Context, view: Rooted): Summary {
  const { faults, progress } = context;
  const { source, meta, pageBytes } = view;
  const trailer = verifyTrailer({ path: source.path }, progress);
  if (trailer.kind === "mismatch") {
    const what = `expected sha256 ${trailer.expected}, got ${trailer.got}: the snapshot was damaged after it was saved`;
    faults.add(what, source.size() - TRAILER_BYTES);
  }
  progress.phase(READING, meta.pgid * pageBytes);
  const map = new TreeMap(meta);
  const rows = new SchemaRows(pageBytes, faults);
  const index = new KeyIndex({ history: true });
  let last = 0;
  const visitor = together(
    map,
    leavesOf(SMALL_BUCKETS, rows),
    leavesOf([KEY], {
      leaf: (page) =>
        eachRecord(page, pageBytes, faults, (record) => {
          last = Math.max(last, record.main);
          index.add(record);
        }),
    }),
    { entered: reporter(progress, pageBytes) },
  );
  const { faults: found, faultCount, pagesInUse, pagesFree } = checkTree(source, meta, visitor);
  for (const { what, offsetBytes } of found) faults.add(what, offsetBytes);
  faults.count += faultCount - found.length;
  const fileBytes = source.size();
  const trailerBytes = hasTrailer(fileBytes) ? TRAILER_BYTES : 0;
  const isStore = map.buckets.some(({ path }) => path.length === 1 && isKey(path[0]));
  return {
    view,
    metas: lookAtMetas(view),
    fileBytes,
    trailer,
    trailingBytes: Math.max(0, fileBytes - trailerBytes - meta.pgid * pageBytes),
    pagesInUse,
    pagesFree,
    faultCount: faults.count,
    buckets: map.buckets.slice(1),
    rows,
    store: isStore ? storeSummary(context, view, index, last, rows) : undefined,
  };
}

function isKey(name: Uint8Array | undefined): boolean {
  return name !== undefined && Buffer.from(name).equals(KEY);
}

function storeSummary(
  context: Context,
  view: Rooted,
  index: KeyIndex,
  last: number,
  rows: SchemaRows,
): StoreSummary {
  const reader = new RowReader(view, index, context.faults);
  const large = (entry: number): LargeKey => {
    let valueBytes: number | undefined;
    if (index.isAlive(entry)) {
      reader.read(Uint32Array.of(entry), (kv) => {
        valueBytes = kv.value.length;
      });
    }
    return {
      key: index.keys.key(entry),
      valueBytes,
      revisions: index.rows(entry),
      historyBytes: index.historyBytes(entry),
    };
  };
  const { count } = index.keys;
  const aliveBytes = (entry: number): number => (index.isAlive(entry) ? index.rowBytes(entry) : 0);
  return {
    marks: marksOf(last, rows.scheduled, rows.finished),
    liveKeys: index.alive,
    revisions: index.revisions,
    tombstones: index.tombstones,
    largest: top(count, aliveBytes).map(large),
    busiest: top(count, (entry) => index.historyBytes(entry)).map(large),
  };
}

/** The entries with the highest figures above zero, highest first; the first come first among equals. */
function top(count: number, figure: (entry: number) => number): number[] {
  const best: number[] = [];
  for (let entry = 0; entry < count; entry++) {
    const own = figure(entry);
    if (own === 0) continue;
    let at = best.length;
    while (at > 0 && figure(best[at - 1] as number) < own) at--;
    if (at < LARGEST) best.splice(at, 0, entry);
    if (best.length > LARGEST) best.pop();
  }
  return best;
}

type Row = readonly [name: string, text: string];

function writeSummary(context: Context, summary: Summary): void {
  const { out, show } = context;
  const { buckets, store } = summary;
  const rows: Row[] = [...fileRows(summary), ...(store ? storeRows(summary.rows, store) : [])];
  out.write(
    tableText(
      show,
      [],
      ["left", "left"],
      rows.map(([name, text]) => [show.head(name), text]),
    ),
  );
  out.write("\n");
  out.write(bucketTable(buckets.slice(0, BUCKETS_SHOWN), show));
  if (buckets.length > BUCKETS_SHOWN) out.write(`… and ${buckets.length - BUCKETS_SHOWN} more\n`);
  if (store === undefined) return;
  const table = (title: string, keys: readonly LargeKey[]): void => {
    if (keys.length === 0) return;
    out.write("\n");
    out.write(
      tableText(
        show,
        [title, "VALUE BYTES", "REVISIONS", "HISTORY BYTES"],
        ["left", "right", "right", "right"],
        keys.map(({ key, valueBytes, revisions, historyBytes }) => [
          show.keyStart(key),
          valueBytes ?? "deleted",
          revisions,
          historyBytes,
        ]),
      ),
    );
  };
  table("LARGEST LIVE", store.largest);
  table("MOST HISTORY", store.busiest);
}

function fileRows(summary: Summary): Row[] {
  const { view, metas, fileBytes, trailer, trailingBytes, pagesInUse, pagesFree, faultCount } =
    summary;
  const { meta, pageBytes } = view;
  const sizeBytes = meta.pgid * pageBytes;
  const other = metas.find(({ active }) => !active);
  return [
    ["page size", `${pageBytes}`],
    ["txid", `${meta.txid}`],
    [
      "active meta",
      `page ${view.metas.activePage}: root page ${meta.root}, ${freelistText(meta.freelist)}`,
    ],
    ["other meta", other === undefined ? "-" : otherText(other)],
    ["size", `${sizeBytes} (${shownBytes(sizeBytes)})`],
    [
      "pages",
      `${meta.pgid}: ${pagesInUse} in use, ${pagesFree} free (${shownBytes(pagesFree * pageBytes)})`,
    ],
    ["file length", `${fileBytes} (${shownBytes(fileBytes)})`],
    ["trailing bytes", `${trailingBytes}`],
    ["SHA-256", trailerText(trailer)],
    ["faults", faultCount === 0 ? "none" : `${faultCount} (see the command check)`],
  ];
}

function freelistText(freelist: number | undefined): string {
  return freelist === undefined ? "free list not stored" : `free list on page ${freelist}`;
}

function otherText({ page, why, raw }: MetaLook): string {
  return why === undefined
    ? `page ${page}: valid, txid ${raw.txid}`
    : `page ${page}: INVALID: ${why}`;
}

function storeRows(rows: SchemaRows, store: StoreSummary): Row[] {
  const { marks, liveKeys, revisions, tombstones } = store;
  const { members, removedMembers, alarms } = rows;
  const nothing = "-";
  return [
    ["revision", `${marks.current}`],
    ["compacted", compactedText(marks)],
    ["live keys", `${liveKeys}`],
    ["revisions kept", `${revisions}, ${tombstones} of them tombstones`],
    ["leases", `${rows.leases}`],
    [
      "alarms",
      alarms.map(({ alarm, memberId }) => `${alarm} on ${shownMember(memberId)}`).join(", ") ||
        "none",
    ],
    ["auth", authText(rows)],
    ["consistent index", `${rows.consistentIndex ?? nothing}`],
    ["term", `${rows.term ?? nothing}`],
    ["storage version", text(rows.storageVersion) ?? nothing],
    ["cluster version", text(rows.clusterVersion) ?? nothing],
    ...optional("downgrade", text(rows.downgrade)),
    ...optional("conf state", text(rows.confState)),
    ...members.map(
      ({ id, name, peerUrls, clientUrls, isLearner }): Row => [
        isLearner ? "learner" : "member",
        `${shownMember(id)} ${inline(name) || "(unnamed)"}, peer ${urls(peerUrls)}, client ${urls(clientUrls)}`,
      ],
    ),
    ...removedMembers.map((id): Row => ["removed member", shownMember(id)]),
  ];
}

function optional(name: string, value: string | undefined): Row[] {
  return value === undefined ? [] : [[name, value]];
}

function urls(list: readonly string[]): string {
  return list.length === 0 ? "-" : list.map(inline).join(" ");
}

/** Text of the file for one line of a terminal. */
function text(value: string | undefined): string | undefined {
  return value === undefined ? undefined : inline(value);
}

function inline(value: string): string {
  const shown = quoted(Buffer.from(value)).slice(1, -1).replaceAll('\\"', '"');
  return shown.length > 500 ? `${shown.slice(0, 500)}…` : shown;
}

function compactedText({ scheduled, finished }: RevisionMarks): string {
  if (scheduled < 0 && finished < 0) return "never";
  if (scheduled > finished) {
    const before = finished < 0 ? "none finished before" : `${finished} finished before`;
    return `${scheduled} scheduled and not finished, ${before}`;
  }
  return `${finished}`;
}

function authText({ authEnabled, authRevision, users, roles }: SchemaRows): string {
  const on = authEnabled ? "on" : "off";
  return `${on}, revision ${authRevision ?? "-"}, ${users.length} users, ${roles.length} roles`;
}

function summaryJson(summary: Summary): { readonly [name: string]: Json | undefined } {
  const { view, metas, rows, store } = summary;
  const { meta, pageBytes } = view;
  return {
    page_size: pageBytes,
    txid: meta.txid,
    metas: metas.map(metaJson),
    size: meta.pgid * pageBytes,
    pages: meta.pgid,
    pages_in_use: summary.pagesInUse,
    pages_free: summary.pagesFree,
    file_length: summary.fileBytes,
    trailing_bytes: summary.trailingBytes,
    trailer: trailerJson(summary.trailer),
    fault_count: summary.faultCount,
    buckets: summary.buckets.map(bucketJson),
    ...(store && storeJson(rows, store)),
  };
}

function storeJson(
  rows: SchemaRows,
  store: StoreSummary,
): { readonly [name: string]: Json | undefined } {
  const { marks } = store;
  return {
    revision: marks.current,
    scheduled_compact_revision: marks.scheduled < 0 ? undefined : marks.scheduled,
    finished_compact_revision: marks.finished < 0 ? undefined : marks.finished,
    live_keys: store.liveKeys,
    revisions: store.revisions,
    tombstones: store.tombstones,
    leases: rows.leases,
    alarms: rows.alarms.map(({ alarm, memberId }) => ({ member_id: memberId, alarm })),
    auth: {
      enabled: rows.authEnabled,
      revision: rows.authRevision,
      users: rows.users.map(({ name, roles, hasPassword, noPassword }) => ({
        name,
        roles,
        has_password: hasPassword,
        no_password: noPassword,
      })),
      roles: rows.roles.map(({ name, permissions }) => ({
        name,
        permissions: permissions.map(({ type, key, rangeEnd }) => ({
          type,
          ...keyFields(key),
          range_end: rangeEnd.length === 0 ? undefined : rangeEnd,
        })),
      })),
    },
    consistent_index: rows.consistentIndex,
    term: rows.term,
    conf_state: rows.confState,
    storage_version: rows.storageVersion,
    cluster_version: rows.clusterVersion,
    downgrade: rows.downgrade,
    members: rows.members.map(({ id, name, peerUrls, clientUrls, isLearner }) => ({
      id,
      id_hex: shownMember(id),
      name,
      peer_urls: peerUrls,
      client_urls: clientUrls,
      is_learner: isLearner,
    })),
    removed_members: rows.removedMembers.map((id) => ({ id, id_hex: shownMember(id) })),
    largest_live: store.largest.map(largeJson),
    most_history: store.busiest.map(largeJson),
  };
}

function largeJson({ key, valueBytes, revisions, historyBytes }: LargeKey): Json {
  return { ...keyFields(key), value_bytes: valueBytes, revisions, history_bytes: historyBytes };
}

/** Neither meta is valid: what is left to say. */
function summariseRootless(context: Context, inspected: Rootless): void {
  const { out, show } = context;
  const { file, pageBytes } = inspected;
  const fileBytes = file.size();
  const metas = lookAtMetas(inspected);
  if (context.json) {
    writeFields(context, {
      page_size: pageBytes,
      file_length: fileBytes,
      metas: metas.map(metaJson),
    });
    return;
  }
  const rows: Row[] = [
    ["file length", `${fileBytes} (${shownBytes(fileBytes)})`],
    ["page size", `${pageBytes}, supposed`],
    ...metas.map((meta): Row => [`meta page ${meta.page}`, meta.why ?? "valid"]),
  ];
  out.write(
    tableText(
      show,
      [],
      ["left", "left"],
      rows.map(([name, text]) => [show.head(name), text]),
    ),
  );
}
