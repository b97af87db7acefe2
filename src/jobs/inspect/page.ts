/**
 * The command `page N`: one page's header and elements. Of a damaged page it says what is wrong and shows what can be
 * shown: every element is looked at for itself.
 *
 * A page is shown as it stands in the file, free ones and stale ones included, so password hashes are masked in any.
 */
import { withoutPasswordHashes } from "../../auth/password-mask.ts";
import { KEY } from "../../backend/buckets.ts";
import { hex, latin1, readU32, readU64, viewOf } from "../../base/bytes.ts";
import { StrataError } from "../../base/errors.ts";
import { type Json, jsonText } from "../../base/json.ts";
import { inlinePage, readBucketHeader } from "../../pagefile/bucket.ts";
import { readFreelistPage } from "../../pagefile/free-pages.ts";
import {
  BRANCH,
  BUCKET_ELEMENT,
  claimedId,
  ELEMENT_BYTES,
  FREELIST,
  LEAF,
  leafKeyBytes,
  leafKeyOffset,
  leafValueBytes,
  META,
  PAGE_HEADER_BYTES,
  Page,
  pageFault,
  pageTypeName,
} from "../../pagefile/page.ts";
import { shownPath } from "./buckets.ts";
import { type Context, writeFields, writeList } from "./context.ts";
import { describeKey, describeRow } from "./describe.ts";
import type { Inspected } from "./inspected.ts";
import { lookAtMetas, metaJson, metaTable } from "./meta.ts";
import { type PageRole, PageRoles } from "./page-roles.ts";
import { counted } from "./show.ts";

export interface PageCommand {
  readonly name: "page";
  readonly id: number;
}

/** A page claims its length itself; this much of it is believed. */
const PAGE_SHOWN_BYTES = 256 * 1024 * 1024;
const DUMP_BYTES = 256;

/** @throws StrataError BAD_ARGUMENT if the file has no such page */
export function inspectPage(context: Context, inspected: Inspected, { id }: PageCommand): void {
  const { file, pageBytes } = inspected;
  const { out, show, json } = context;
  const filePages = Math.ceil(file.size() / pageBytes);
  if (id >= filePages) {
    throw new StrataError("BAD_ARGUMENT", `${context.path}: no page ${id}: there are ${filePages}`);
  }
  const role = inspected.kind === "rooted" ? roleOf(context, inspected, id) : undefined;
  const overflow = role?.kind === "overflow";
  const page = readPage(inspected, id, overflow);
  const where = { offsetBytes: 0 };
  const what = overflow ? undefined : faultOf(page, id, where);
  const fault = role === undefined || isUsed(role) ? what : undefined;
  if (fault !== undefined) context.faults.add(fault, id * pageBytes + where.offsetBytes);
  const type = overflow ? "overflow" : pageTypeName(page.flags);
  const header = {
    id: claimedId(page.view, 0),
    flags: page.flags,
    count: page.count,
    overflow: page.overflow,
  };
  if (json) {
    writeFields(context, {
      page: id,
      offset: id * pageBytes,
      bytes: page.length,
      type,
      role: role && roleText(role),
      header: overflow ? undefined : header,
      fault: what,
    });
  } else {
    out.write(`page      ${id}: ${type}, offset ${id * pageBytes}, ${page.length} bytes\n`);
    if (role !== undefined) out.write(`role      ${roleText(role)}\n`);
    if (!overflow) {
      out.write(
        `header    id ${header.id}, flags 0x${header.flags.toString(16).padStart(2, "0")}, count ${header.count}, overflow ${header.overflow}\n`,
      );
    }
    if (what !== undefined) out.write(`${show.bad(`fault     ${what}`)}\n`);
    out.write("\n");
  }
  if (overflow) return;
  if (page.flags === META && id < 2) writeMeta(context, inspected, id);
  else if (page.flags === LEAF) writeLeaf(context, page, role);
  else if (page.flags === BRANCH) writeBranch(context, page, role);
  else if (page.flags === FREELIST) writeFreelist(context, page, pageBytes);
  else writeDump(context, page);
}

function roleOf(context: Context, inspected: Inspected & { kind: "rooted" }, id: number): PageRole {
  // What is wrong elsewhere is not this page's: `check` tells of it.
  const faults = context.faults.count;
  const roles = new PageRoles(context, inspected);
  context.faults.count = faults;
  context.faults.kept.length = Math.min(context.faults.kept.length, faults);
  return roles.of(id);
}

function isUsed(role: PageRole): boolean {
  return role.kind !== "free" && role.kind !== "lost" && role.kind !== "beyond";
}

function roleText(role: PageRole): string {
  switch (role.kind) {
    case "meta":
      return "meta";
    case "tree":
      return `in the tree of bucket ${shownPath(role.bucket)}${role.alsoFree ? ", and in the free list too" : ""}`;
    case "overflow":
      return `overflow of page ${role.head}: it has no header of its own`;
    case "damaged":
      return "the tree leads here, and this is no page of it";
    case "freelist":
      return "the free list";
    case "free":
      return "free: what stands there is of an earlier transaction";
    case "beyond":
      return "no part of the database: it lies behind the pages in use";
    case "lost":
      return "neither reached by the tree nor known to be free";
  }
}

/** The page with as much of its overflow as the file has; short pages are filled with zeros. */
function readPage({ file, pageBytes }: Inspected, id: number, alone: boolean): Page {
  const head = new Uint8Array(pageBytes);
  file.readSome(id * pageBytes, head);
  if (alone) return new Page(id, head, viewOf(head), 0, pageBytes);
  const claimed = (readU32(viewOf(head), 12) + 1) * pageBytes;
  const length = Math.min(
    claimed,
    Math.max(pageBytes, file.size() - id * pageBytes),
    PAGE_SHOWN_BYTES,
  );
  const bytes = length === pageBytes ? head : new Uint8Array(length);
  if (length > pageBytes) file.readSome(id * pageBytes, bytes);
  return new Page(id, bytes, viewOf(bytes), 0, length);
}

function faultOf(page: Page, id: number, where: { offsetBytes: number }): string | undefined {
  const what = pageFault(page, where);
  if (what !== undefined) return what;
  where.offsetBytes = 8;
  if (id < 2 && page.flags !== META) return `page ${id}: invalid type: ${pageTypeName(page.flags)}`;
  return undefined;
}

function writeMeta(context: Context, inspected: Inspected, id: number): void {
  const meta = lookAtMetas(inspected)[id === 0 ? 0 : 1];
  if (context.json) {
    writeFields(context, { meta: metaJson(meta) });
    return;
  }
  context.out.write(metaTable(context, [meta]));
  if (meta.why !== undefined) context.out.write(`${context.show.bad(meta.why)}\n`);
}

function writeFreelist(context: Context, page: Page, pageBytes: number): void {
  const ids = context.faults.catching(() => readFreelistPage(page, context.path, pageBytes));
  if (ids === undefined) {
    if (!context.json) writeDump(context, page);
    return;
  }
  if (context.json) {
    writeList(context, "free", (element) => {
      for (const id of ids) element(String(id));
    });
    return;
  }
  context.out.write(`${counted(ids.length, "page")} free\n`);
  for (const range of ranges(ids)) context.out.write(`  ${range}\n`);
}

function* ranges(ids: readonly number[]): Generator<string> {
  for (let i = 0; i < ids.length; ) {
    const first = ids[i] as number;
    let length = 1;
    while (ids[i + length] === first + length) length++;
    yield length === 1 ? `${first}` : `${first}-${first + length - 1}`;
    i += length;
  }
}

interface Element {
  readonly index: number;
  readonly flags: number | undefined;
  readonly pos: number;
  readonly keyBytes: number;
  readonly valueBytes: number | undefined;
  readonly child: number | undefined;
  /** Undefined when they would lie outside the page. */
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
}

function* elementsOf(page: Page): Generator<Element> {
  const { view, bytes, length } = page;
  const leaf = page.flags === LEAF;
  const room = Math.floor((length - PAGE_HEADER_BYTES) / ELEMENT_BYTES);
  for (let index = 0; index < Math.min(page.count, room); index++) {
    const at = PAGE_HEADER_BYTES + index * ELEMENT_BYTES;
    const pos = readU32(view, at + (leaf ? 4 : 0));
    const keyBytes = readU32(view, at + (leaf ? 8 : 4));
    const valueBytes = leaf ? readU32(view, at + 12) : 0;
    const start = at + pos;
    const end = start + keyBytes;
    const inside = end + valueBytes <= length;
    yield {
      index,
      flags: leaf ? readU32(view, at) : undefined,
      pos,
      keyBytes,
      valueBytes: leaf ? valueBytes : undefined,
      child: leaf ? undefined : readU64(view, at + 8),
      key: inside ? bytes.subarray(start, end) : undefined,
      value: inside && leaf ? bytes.subarray(end, end + valueBytes) : undefined,
    };
  }
}

/**
 * The top-level bucket that a page belongs to: of those inside, nobody knows what is in them. A page that belongs to
 * none may be an old one of bucket `key`; what looks like its rows is shown so.
 */
function bucketOf(role: PageRole | undefined): Uint8Array | undefined {
  if (role?.kind !== "tree") return KEY;
  const { path } = role.bucket;
  return path.length === 1 ? path[0] : undefined;
}

function writeBranch(context: Context, page: Page, role: PageRole | undefined): void {
  const { out, show } = context;
  const bucket = bucketOf(role);
  if (context.json) {
    writeList(context, "elements", (element) => {
      for (const { index, pos, keyBytes, child, key } of elementsOf(page)) {
        const decoded = key && describeKey(bucket, key);
        element(
          jsonText({ index, pos, key_bytes: keyBytes, child, ...rawFields("key", key), decoded }),
        );
      }
    });
    return;
  }
  out.write(
    `${show.head("    #        POS    KSIZE       CHILD  HEX OF KEY                            KEY")}\n`,
  );
  for (const { index, pos, keyBytes, child, key } of elementsOf(page)) {
    const numbers = `${pad(index, 5)}  ${pad(pos, 9)}  ${pad(keyBytes, 7)}  ${pad(child ?? 0, 10)}`;
    const decoded = key && describeKey(bucket, key);
    out.write(`${numbers}  ${hexStart(key)}  ${decoded ?? rawText(show, key)}\n`);
  }
}

function writeLeaf(context: Context, page: Page, role: PageRole | undefined): void {
  const { out, show } = context;
  const bucket = bucketOf(role);
  const describe = ({ key, value }: Element): string | undefined =>
    bucket && key && value && describeRow(bucket, key, value, show);
  if (context.json) {
    writeList(context, "elements", (element) => {
      for (const each of elementsOf(page)) {
        const { index, flags, pos, keyBytes, valueBytes, key } = each;
        element(
          jsonText({
            index,
            flags,
            pos,
            key_bytes: keyBytes,
            value_bytes: valueBytes,
            ...rawFields("key", key),
            ...valueFields(context, each),
            bucket: bucketJson(each),
            decoded: describe(each),
          }),
        );
      }
    });
    return;
  }
  out.write(
    `${show.head("    #  FLAGS        POS    KSIZE      VSIZE  HEX OF KEY                            KEY = VALUE")}\n`,
  );
  for (const each of elementsOf(page)) {
    const { index, flags, pos, keyBytes, valueBytes, key, value } = each;
    const numbers = `${pad(index, 5)}  ${pad(flags ?? 0, 5)}  ${pad(pos, 9)}  ${pad(keyBytes, 7)}  ${pad(valueBytes ?? 0, 9)}`;
    const isBucket = ((flags ?? 0) & BUCKET_ELEMENT) !== 0;
    const shown =
      describe(each) ??
      (isBucket
        ? `${rawText(show, key)} ${bucketText(each)}`
        : `${rawText(show, key)} = ${value === undefined ? "(outside the page)" : show.valueStart(withoutPasswordHashes(value))}`);
    out.write(`${numbers}  ${hexStart(key)}  ${shown}\n`);
    for (const row of inlineRows(each)) {
      const text =
        (key && describeRow(key, row.key, row.value, show)) ??
        `${show.key(row.key)} = ${show.valueStart(withoutPasswordHashes(row.value))}`;
      out.write(`${" ".repeat(82)}  ${text}\n`);
    }
  }
}

/** The rows of an inline bucket; none where it is damaged or something else. */
function inlineRows({ flags, value }: Element): { key: Uint8Array; value: Uint8Array }[] {
  const page = value !== undefined && flags === BUCKET_ELEMENT ? inlineOf(value) : undefined;
  if (page === undefined) return [];
  return Array.from({ length: page.count }, (_, i) => {
    const start = leafKeyOffset(page, i);
    const end = start + leafKeyBytes(page, i);
    return {
      key: page.bytes.subarray(start, end),
      value: page.bytes.subarray(end, end + leafValueBytes(page, i)),
    };
  });
}

function inlineOf(value: Uint8Array): Page | undefined {
  try {
    if (readBucketHeader(value, 0, value.length, "").rootId !== 0) return undefined;
    return inlinePage(value, 0, value.length, "");
  } catch {
    return undefined; // It is shown as what it says it is, and the check tells what is wrong.
  }
}

function bucketText({ value }: Element): string {
  if (value === undefined || value.length < 16) return "bucket (damaged)";
  const { rootId, sequence } = readBucketHeader(value, 0, value.length, "");
  const root = rootId === 0 ? "inline" : `root page ${rootId}`;
  return `bucket, ${root}, sequence ${sequence}`;
}

function bucketJson({ flags, value }: Element): Json | undefined {
  if (((flags ?? 0) & BUCKET_ELEMENT) === 0 || value === undefined || value.length < 16) {
    return undefined;
  }
  const { rootId, sequence } = readBucketHeader(value, 0, value.length, "");
  return { inline: rootId === 0, root_page: rootId === 0 ? undefined : rootId, sequence };
}

function valueFields(
  { show }: Context,
  { flags, value }: Element,
): Record<string, Json | undefined> {
  if (value === undefined) return { outside: true };
  // A bucket's value holds its rows when it is inline: they are redacted as values are.
  if (show.redact && value.length <= 16 && flags === BUCKET_ELEMENT) return { value };
  return show.valueFields("value", withoutPasswordHashes(value));
}

function rawFields(name: string, bytes: Uint8Array | undefined): Record<string, Json | undefined> {
  return bytes === undefined ? { outside: true } : { [name]: withoutPasswordHashes(bytes) };
}

/** As many bytes as a revision has. */
const HEX_BYTES = 18;

function hexStart(bytes: Uint8Array | undefined): string {
  const shown = hex(withoutPasswordHashes(bytes ?? new Uint8Array(0)).subarray(0, HEX_BYTES));
  return shown.padEnd(2 * HEX_BYTES);
}

function rawText(show: Context["show"], bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "(outside the page)" : show.key(withoutPasswordHashes(bytes));
}

/** The beginning of a page that is no more than bytes; nothing when values are to be left out. */
function writeDump({ out, json, show }: Context, page: Page): void {
  if (json || show.redact) return;
  const bytes = withoutPasswordHashes(page.bytes).slice(0, DUMP_BYTES);
  // A page that was another's overflow may begin within a hash.
  const cut = /^[./A-Za-z0-9]{1,53}/.exec(latin1(bytes));
  if (cut !== null) bytes.fill(0x2a, 0, cut[0].length);
  for (let at = 0; at < bytes.length; at += 16) {
    const row = Buffer.from(bytes.subarray(at, at + 16));
    const text = row.toString("latin1").replace(/[^ -~]/g, ".");
    const pairs = row.toString("hex").replace(/../g, "$& ");
    out.write(`${at.toString(16).padStart(4, "0")}  ${pairs} ${text}\n`);
  }
}

function pad(n: number, width: number): string {
  return String(n).padStart(width);
}
