/** The command `buckets`: the tree of buckets, and what each takes. */
import type { Json } from "../../base/json.ts";
import { jsonText } from "../../base/json.ts";
import { printableText, quoted } from "../../base/quote.ts";
import { TreeWalk } from "../../pagefile/walk.ts";
import { type Context, writeFields, writeList } from "./context.ts";
import type { Rooted } from "./inspected.ts";
import { READING } from "./phases.ts";
import type { Show } from "./show.ts";
import { tableText } from "./table.ts";
import { BUCKETS_KEPT, type BucketStats, TreeMap } from "./tree-map.ts";
import { newBitmap, reporter, together } from "./walks.ts";

export interface BucketsCommand {
  readonly name: "buckets";
}

export function inspectBuckets(context: Context, view: Rooted): void {
  const map = mapTree(context, view);
  const buckets = map.buckets.slice(1);
  if (context.json) {
    writeList(context, "buckets", (element) => {
      for (const bucket of buckets) element(jsonText(bucketJson(bucket)));
    });
    writeFields(context, { count: map.bucketCount });
    return;
  }
  context.out.write(bucketTable(buckets, context.show));
  if (map.bucketCount >= BUCKETS_KEPT) {
    context.out.write(`… ${map.bucketCount} buckets in all, the last line has what is left\n`);
  }
}

/** Walks the whole tree; faults go to the context. */
export function mapTree(context: Context, view: Rooted): TreeMap {
  const { faults, progress } = context;
  const { source, meta } = view;
  progress.phase(READING, meta.pgid * source.pageBytes);
  const reached = newBitmap(view);
  const map = new TreeMap(meta, reached);
  const entered = reporter(progress, source.pageBytes);
  const visitor = {
    ...together(map, { entered }),
    fault: (what: string, offsetBytes: number): void => faults.add(what, offsetBytes),
  };
  new TreeWalk(source, visitor, { reached, order: false }).bucket(meta.root, 0);
  return map;
}

export function bucketTable(buckets: readonly BucketStats[], show: Show): string {
  return tableText(
    show,
    ["BUCKET", "ROOT PAGE", "SEQUENCE", "KEYS", "DEPTH", "PAGES", "BYTES"],
    ["left", "right", "right", "right", "right", "right", "right"],
    buckets.map(({ path, rootId, sequence, keys, depth, pages, usedBytes }) => [
      `${"  ".repeat(path.length - 1)}${nameText(path.at(-1))}`,
      rootId === 0 ? "inline" : rootId,
      sequence,
      keys,
      depth,
      pages,
      usedBytes,
    ]),
  );
}

export function bucketJson(bucket: BucketStats): Json {
  const { path, rootId, sequence, keys, buckets, depth, pages, usedBytes } = bucket;
  return {
    path,
    path_text: shownPath(bucket),
    inline: rootId === 0 ? true : undefined,
    root_page: rootId === 0 ? undefined : rootId,
    sequence,
    keys,
    buckets,
    depth,
    pages,
    bytes: usedBytes,
  };
}

/** `alpha/nested`; `root` for the bucket of buckets. */
export function shownPath({ path }: BucketStats): string {
  return path.length === 0 ? "(root)" : path.map(nameText).join("/");
}

function nameText(name: Uint8Array | undefined): string {
  if (name === undefined) return "";
  const text = printableText(name);
  return text === undefined || /["\s/]/.test(text) ? quoted(name) : text;
}
