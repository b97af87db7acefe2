/** The command `meta`: both meta pages in full, valid or not. */
import { readU64Big, viewOf } from "../../base/bytes.ts";
import { type Json, jsonText } from "../../base/json.ts";
import {
  FORMAT_VERSION,
  isNotStored,
  META_END,
  type MetaReading,
  type RawMeta,
  rawMeta,
  readMeta,
} from "../../pagefile/meta.ts";
import { claimedFlags, claimedOverflow, pageTypeName } from "../../pagefile/page.ts";
import { type Context, writeFields, writeList } from "./context.ts";
import type { Inspected } from "./inspected.ts";
import { tableText } from "./table.ts";

export interface MetaCommand {
  readonly name: "meta";
}

export interface MetaLook {
  readonly page: 0 | 1;
  /** Where the page starts in the file. */
  readonly offset: number;
  /** What its header says. */
  readonly id: bigint;
  readonly flags: number;
  readonly overflow: number;
  readonly raw: RawMeta;
  /** Bytes of it that are in the file, of 80. */
  readonly got: number;
  readonly reading: MetaReading;
  readonly active: boolean;
  /** What speaks against it; undefined if nothing does. */
  readonly why: string | undefined;
}

/** Both meta pages as they stand there. */
export function lookAtMetas(inspected: Inspected): readonly [MetaLook, MetaLook] {
  return [lookAtMeta(inspected, 0), lookAtMeta(inspected, 1)];
}

function lookAtMeta(inspected: Inspected, page: 0 | 1): MetaLook {
  const { file, pageBytes } = inspected;
  const image = new Uint8Array(META_END);
  const offset = page * pageBytes;
  const got = file.readSome(offset, image);
  const view = viewOf(image);
  const reading = readMeta(image);
  let why = reading.kind === "invalid" ? reading.what : undefined;
  if (got < META_END) why = `the file ends ${got} bytes into the page`;
  else if (reading.kind === "valid" && reading.meta.pageBytes !== pageBytes) {
    why = `its page size ${reading.meta.pageBytes} is not the file's, ${pageBytes}`;
  }
  return {
    page,
    offset,
    id: readU64Big(view, 0),
    flags: claimedFlags(view, 0),
    overflow: claimedOverflow(view, 0),
    raw: rawMeta(image),
    got,
    reading,
    active: inspected.kind === "rooted" && inspected.metas.activePage === page,
    why,
  };
}

export function inspectMeta(context: Context, inspected: Inspected): void {
  const { out, show } = context;
  const metas = lookAtMetas(inspected);
  if (context.json) {
    writeFields(context, { page_size: inspected.pageBytes });
    writeList(context, "metas", (element) => {
      for (const meta of metas) element(jsonText(metaJson(meta)));
    });
    return;
  }
  out.write(metaTable(context, metas));
  for (const { page, why } of metas) {
    if (why !== undefined) out.write(`${show.bad(`page ${page}: ${why}`)}\n`);
  }
}

export function metaTable({ show }: Context, metas: readonly MetaLook[]): string {
  const rows: readonly (readonly [string, (meta: MetaLook) => string])[] = [
    [
      "validity",
      ({ why, active }) => (why !== undefined ? "INVALID" : active ? "valid, active" : "valid"),
    ],
    ["offset", ({ offset }) => `${offset}`],
    ["header id", ({ id }) => `${id}${headerId(id)}`],
    ["header flags", ({ flags }) => `${hex(flags, 2)} ${pageTypeName(flags)}`],
    ["header overflow", ({ overflow }) => `${overflow}`],
    ["magic", ({ raw }) => hex(raw.magic, 8)],
    ["version", ({ raw }) => `${raw.version}${raw.version === FORMAT_VERSION ? "" : " (unknown)"}`],
    ["page size", ({ raw }) => `${raw.pageBytes}`],
    ["flags", ({ raw }) => hex(raw.flags, 8)],
    ["root page", ({ raw }) => `${raw.root}`],
    ["root sequence", ({ raw }) => `${raw.sequence}`],
    ["freelist page", ({ raw }) => (isNotStored(raw.freelist) ? "not stored" : `${raw.freelist}`)],
    ["pages in use (pgid)", ({ raw }) => `${raw.pgid}`],
    ["txid", ({ raw }) => `${raw.txid}`],
    ["checksum", ({ raw }) => hex(raw.checksum, 16)],
    ["computed checksum", ({ raw }) => hex(raw.computed, 16)],
  ];
  return tableText(
    show,
    ["META", ...metas.map(({ page }) => `PAGE ${page}`)],
    ["left", "left", "left"],
    rows.map(([name, cell]) => [name, ...metas.map(cell)]),
  );
}

/** A snapshot's second meta stands on page 1 with its own id; anything but 0 and 1 is odd. */
function headerId(id: bigint): string {
  return id > 1n ? " (not a meta's)" : "";
}

export function metaJson(meta: MetaLook): Json {
  const { page, offset, id, flags, overflow, raw, active, why } = meta;
  return {
    page,
    offset,
    valid: why === undefined,
    active,
    why,
    header: { id, flags, type: pageTypeName(flags), overflow },
    magic: hex(raw.magic, 8),
    version: raw.version,
    page_size: raw.pageBytes,
    flags: raw.flags,
    root_page: raw.root,
    root_sequence: raw.sequence,
    freelist_page: isNotStored(raw.freelist) ? undefined : raw.freelist,
    pgid: raw.pgid,
    txid: raw.txid,
    checksum: hex(raw.checksum, 16),
    computed_checksum: hex(raw.computed, 16),
  };
}

export function hex(n: number | bigint, digits: number): string {
  return `0x${n.toString(16).padStart(digits, "0")}`;
}
