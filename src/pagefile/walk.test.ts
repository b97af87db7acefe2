import { expect, test } from "vitest";
import { Surgery } from "../../test/support/page-file-surgery.ts";
import { latin1 } from "../base/bytes.ts";
import { CorruptionError } from "../base/errors.ts";
import { leafKeyBytes, leafKeyOffset } from "./page.ts";
import { PageBitmap } from "./page-bitmap.ts";
import { PageFile } from "./page-file.ts";
import { TreeWalk, type WalkVisitor } from "./walk.ts";

const surgery = Surgery.of({ pageBytes: 1024 }, (tx) => {
  for (const name of ["a", "b"]) {
    const bucket = tx.createBucket(Buffer.from(name));
    for (let i = 0; i < 50; i++) bucket.put(Buffer.from(`${name}${i + 10}`), new Uint8Array(100));
    bucket.createBucket(Buffer.from(`${name}30-in`)).put(Buffer.from("k"), Buffer.from("v"));
  }
});

function walk(file: Surgery, visitor: WalkVisitor): PageBitmap {
  const opened = PageFile.open(file.file(), { readOnly: true });
  const reached = new PageBitmap();
  new TreeWalk(opened.walkSource(), visitor, { reached, order: false }).bucket(opened.meta.root, 0);
  return reached;
}

test("buckets come in key order, each inside the one that holds it, leaves with all their keys", () => {
  const story: string[] = [];
  let keys = 0;
  let pages = 0;
  const reached = walk(surgery, {
    enterBucket: ({ bytes, nameOffset, nameBytes, depth }) => {
      story.push(`+${depth} ${latin1(bytes, nameOffset, nameOffset + nameBytes)}`);
      return true;
    },
    leaveBucket: (depth) => story.push(`-${depth}`),
    leaf: (page, depth) => {
      if (depth > 0) keys += page.count;
      for (let i = 1; i < page.count; i++) {
        expect(leafKeyOffset(page, i)).toBeGreaterThan(leafKeyOffset(page, i - 1));
        expect(leafKeyBytes(page, i)).toBeGreaterThan(0);
      }
    },
    entered: (more) => {
      pages += more;
    },
  });
  expect(story).toEqual(["+1 a", "+2 a30-in", "-2", "-1", "+1 b", "+2 b30-in", "-2", "-1"]);
  expect(keys).toBe(2 * (50 + 1 + 1));
  expect(pages).toBe(reached.count);
});

test("a bucket that is passed over is not read", () => {
  const all = walk(surgery, {}).count;
  const some = walk(surgery, { enterBucket: ({ depth }) => depth !== 1 }).count;
  expect(some).toBe(1);
  expect(all).toBeGreaterThan(10);
});

test("the first fault ends a walk that has nobody to tell it to, and no walk goes round in circles", () => {
  const circle = new Surgery(surgery.bytes);
  const root = circle.rootOf("a");
  circle.setU64(circle.element(root, 2) + 8, root);
  expect(() => walk(circle, {})).toThrow(CorruptionError);
  const faults: string[] = [];
  let leaves = 0;
  walk(circle, { fault: (what) => faults.push(what), leaf: () => leaves++ });
  expect(faults).toEqual([`page ${root}: multiple references (stack: [${root} ${root}])`]);
  expect(leaves).toBeGreaterThan(5);
});
