/** The command `pages`: every page of a file, and how many there are of each type. */
import { readU16, viewOf } from "../../base/bytes.ts";
import { type Json, jsonText } from "../../base/json.ts";
import {
  claimedFlags,
  claimedId,
  claimedOverflow,
  PAGE_HEADER_BYTES,
  pageTypeName,
} from "../../pagefile/page.ts";
import { shownPath } from "./buckets.ts";
import { type Context, writeList } from "./context.ts";
import type { Inspected, Rooted, Rootless } from "./inspected.ts";
import { type PageRole, PageRoles } from "./page-roles.ts";
import { READING } from "./phases.ts";
import { tableText } from "./table.ts";

export interface PagesCommand {
  readonly name: "pages";
}

/** One line of the list: a logical page, or a run of pages that are free or lost. */
interface Line {
  readonly id: number;
  readonly pages: number;
  readonly type: string;
  readonly count: number | undefined;
  readonly overflow: number | undefined;
  readonly bucket: string | undefined;
  readonly note: string | undefined;
}

const COUNT = 10;

export function inspectPages(context: Context, inspected: Inspected): void {
  if (inspected.kind === "rooted") listRooted(context, inspected);
  else listRootless(context, inspected);
}

function listRooted(context: Context, view: Rooted): void {
  const roles = new PageRoles(context, view);
  const headers = new Headers(view);
  const totals = new Map<string, number>();
  const lines = function* (): Generator<Line> {
    for (let id = 0; id < roles.pages; ) {
      const line = lineAt(roles, headers, id);
      totals.set(line.type, (totals.get(line.type) ?? 0) + line.pages);
      yield line;
      id += line.pages;
    }
  };
  const { map } = roles;
  const used = new Map([
    ["leaf", map.leafBytes],
    ["branch", map.branchBytes],
  ]);
  printLines(context, view.pageBytes, roles.pages, lines(), () =>
    [...totals].map(([type, pages]) => ({ type, pages, usedBytes: used.get(type) })),
  );
}

function lineAt(roles: PageRoles, headers: Headers, id: number): Line {
  const role = roles.of(id);
  if (role.kind === "free" || role.kind === "lost") {
    let end = id + 1;
    while (end < roles.pages && roles.of(end).kind === role.kind) end++;
    const { kind: type } = role;
    return {
      id,
      pages: end - id,
      type,
      count: undefined,
      overflow: undefined,
      bucket: undefined,
      note: undefined,
    };
  }
  const header = headers.at(id);
  const { flags, count, overflow } = header;
  const bucket = role.kind === "tree" ? shownPath(role.bucket) : undefined;
  let pages = 1;
  while (id + pages < roles.pages && isOverflowOf(roles.of(id + pages), id)) pages++;
  const type = role.kind === "tree" ? pageTypeName(flags) : role.kind;
  return { id, pages, type, count, overflow, bucket, note: noteOn(role, header, id) };
}

function isOverflowOf(role: PageRole, head: number): boolean {
  return role.kind === "overflow" && role.head === head;
}

function noteOn(role: PageRole, header: Header, id: number): string | undefined {
  if (role.kind === "tree" && role.alsoFree) return "in the free list too";
  if (header.id !== id) return `its header says page ${header.id}`;
  return undefined;
}

/** Without a root there is only what each page says of itself. */
function listRootless(context: Context, { file, pageBytes }: Rootless): void {
  const pages = Math.ceil(file.size() / pageBytes);
  const headers = new Headers({ file, pageBytes });
  context.progress.phase(READING, file.size());
  const totals = new Map<string, number>();
  const lines = function* (): Generator<Line> {
    for (let id = 0; id < pages; id++) {
      const header = headers.at(id);
      if (id % 256 === 0) context.progress.done(id * pageBytes);
      const { flags, count, overflow } = header;
      const own = header.id === id;
      const type = own ? pageTypeName(flags) : "unknown";
      totals.set(type, (totals.get(type) ?? 0) + 1);
      const note = own ? undefined : `its header says page ${header.id}`;
      yield { id, pages: 1, type, count, overflow, bucket: undefined, note };
    }
  };
  printLines(context, pageBytes, pages, lines(), () =>
    [...totals].map(([type, count]) => ({ type, pages: count, usedBytes: undefined })),
  );
}

interface Total {
  readonly type: string;
  readonly pages: number;
  readonly usedBytes: number | undefined;
}

function printLines(
  context: Context,
  pageBytes: number,
  pages: number,
  lines: Iterable<Line>,
  totals: () => readonly Total[],
): void {
  const { out, show } = context;
  if (context.json) {
    writeList(context, "pages", (element) => {
      for (const line of lines) element(jsonText(lineJson(line)));
    });
    writeList(context, "types", (element) => {
      for (const { type, pages: count, usedBytes } of totals()) {
        element(jsonText({ type, pages: count, bytes: count * pageBytes, used_bytes: usedBytes }));
      }
    });
    return;
  }
  const width = Math.max(5, String(pages).length * 2 + 1);
  const head = `${"PAGE".padEnd(width)}  ${"TYPE".padEnd(8)}  ${"COUNT".padStart(6)}  ${"OVERFLOW".padStart(8)}  BUCKET`;
  out.write(`${show.head(head)}\n`);
  for (const { id, pages: own, type, count, overflow, bucket, note } of lines) {
    const range = own === 1 ? `${id}` : `${id}-${id + own - 1}`;
    const line = `${range.padEnd(width)}  ${type.padEnd(8)}  ${String(count ?? "-").padStart(6)}  ${String(overflow ?? "-").padStart(8)}  ${bucket ?? ""}`;
    out.write(`${line.trimEnd()}${note === undefined ? "" : `  ${show.bad(note)}`}\n`);
  }
  out.write("\n");
  out.write(
    tableText(
      show,
      ["TYPE", "PAGES", "BYTES", "USED BYTES", "FILL"],
      ["left", "right", "right", "right", "right"],
      totals().map(({ type, pages: count, usedBytes }) => {
        const bytes = count * pageBytes;
        if (usedBytes === undefined) return [type, count, bytes, "-", "-"];
        return [type, count, bytes, usedBytes, `${((100 * usedBytes) / bytes).toFixed(1)}%`];
      }),
    ),
  );
}

function lineJson({ id, pages, type, count, overflow, bucket, note }: Line): Json {
  const free = type === "free" ? true : undefined;
  return { id, pages, type, free, count, overflow, bucket, note };
}

interface Header {
  readonly id: number;
  readonly flags: number;
  readonly count: number;
  readonly overflow: number;
}

/** Page headers, from large reads in the order of the file. */
class Headers {
  readonly #file: Pick<Rootless, "file">["file"];
  readonly #pageBytes: number;
  readonly #piece: Uint8Array;
  #first = -1;
  #got = 0;

  constructor({ file, pageBytes }: Pick<Rootless, "file" | "pageBytes">) {
    this.#file = file;
    this.#pageBytes = pageBytes;
    this.#piece = new Uint8Array(16 * Math.max(pageBytes, 4096));
  }

  at(id: number): Header {
    const pages = this.#piece.length / this.#pageBytes;
    if (this.#first < 0 || id < this.#first || id >= this.#first + pages) {
      this.#first = id;
      this.#got = this.#file.readSome(id * this.#pageBytes, this.#piece);
    }
    const at = (id - this.#first) * this.#pageBytes;
    if (at + PAGE_HEADER_BYTES > this.#got) return { id: -1, flags: 0, count: 0, overflow: 0 };
    const view = viewOf(this.#piece);
    return {
      id: claimedId(view, at),
      flags: claimedFlags(view, at),
      count: readU16(view, at + COUNT),
      overflow: claimedOverflow(view, at),
    };
  }
}
