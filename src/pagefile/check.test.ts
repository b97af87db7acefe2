/** Each rule of bbolt's check, broken on purpose, and reported in bbolt's words. */
import { expect, test } from "vitest";
import { Surgery } from "../../test/support/page-file-surgery.ts";
import { PageFile } from "./page-file.ts";

const PAGE_BYTES = 1024;

/** One bucket of three levels' worth of leaves, with a stored list that has some free pages in it. */
function sound(): Surgery {
  return Surgery.of(
    { pageBytes: PAGE_BYTES, freelistSync: true },
    (tx) => tx.createBucket(Buffer.from("gone")).put(Buffer.from("k"), new Uint8Array(9000)),
    (tx) => tx.deleteBucket(Buffer.from("gone")),
    (tx) => {
      const bucket = tx.createBucket(Buffer.from("b"));
      for (let i = 0; i < 60; i++) bucket.put(Buffer.from(`key-${i + 10}`), new Uint8Array(40));
    },
  );
}

const surgery = sound();
const root = surgery.rootOf("b");
const first = surgery.child(root, 0);
const second = surgery.child(root, 1);
const list = surgery.meta.freelist ?? -1;
const free = surgery.u32(surgery.at(list, 16));
const stack = `[${root} ${second}]`;
const hex = (text: string): string => Buffer.from(text).toString("hex");
const keyAt = (offset: number): string =>
  Buffer.from(surgery.bytes.slice(offset, offset + 6)).toString();
const firstOfSecond = keyAt(surgery.leafKey(second, 0));
const lastOfSecond = keyAt(surgery.leafKey(second, surgery.count(second) - 1));

function faults(damage: (file: Surgery) => void): string[] {
  const damaged = new Surgery(surgery.bytes);
  damage(damaged);
  return damaged.faults();
}

test("a sound file has no faults, and all its pages are accounted for", () => {
  const { faults: none, pagesInUse, pagesFree } = PageFile.open(surgery.file()).check();
  expect(none).toEqual([]);
  expect(pagesInUse + pagesFree).toBe(surgery.meta.pgid);
  expect(pagesFree).toBeGreaterThan(1);
});

test("1: a page that is listed twice", () => {
  const found = faults((file) => file.setU64(file.at(list, 24), free));
  expect(found).toContain(`page ${free}: already freed`);
});

test("2: a page beyond the high-water mark", () => {
  const { pgid } = surgery.meta;
  const found = faults((file) => file.setU64(file.element(root, 1) + 8, pgid + 5));
  expect(found).toContain(
    `page ${pgid + 5}: out of bounds: ${pgid} (stack: [${root} ${pgid + 5}])`,
  );
});

test("3: a page that is reached twice, or is a meta", () => {
  const twice = faults((file) => file.setU64(file.element(root, 1) + 8, first));
  expect(twice).toContain(`page ${first}: multiple references (stack: [${root} ${first}])`);
  expect(twice).toContain(`page ${second}: unreachable unfreed`);
  const meta = faults((file) => file.setU64(file.element(root, 1) + 8, 1));
  expect(meta).toContain(`page 1: multiple references (stack: [${root} 1])`);
  const overlap = faults((file) => file.setU32(file.at(first, 12), 1));
  expect(overlap.some((what) => /multiple references|reachable freed/.test(what))).toBe(true);
});

test("4: a page that is reached, and listed as free", () => {
  const found = faults((file) => file.setU64(file.at(list, 16), second));
  expect(found).toEqual([`page ${second}: reachable freed`, `page ${free}: unreachable unfreed`]);
});

test("5 and 8: a page of another type, or of none", () => {
  const typed = (flags: number): string[] =>
    faults((file) => file.setU16(file.at(second, 8), flags));
  expect(typed(4)).toEqual([`page ${second}: invalid type: meta (stack: ${stack})`]);
  expect(typed(0x10)).toEqual([`page ${second}: invalid type: freelist (stack: ${stack})`]);
  expect(typed(3)).toEqual([`page ${second}: invalid type: unknown<03> (stack: ${stack})`]);
});

test("6: a page that is neither reached nor free", () => {
  const found = faults((file) => file.setU16(file.at(list, 10), file.count(list) - 1));
  expect(found).toEqual([expect.stringMatching(/^page \d+: unreachable unfreed$/)]);
});

test("7: a page that calls itself by another id", () => {
  const found = faults((file) => file.setU64(file.at(second), 77));
  expect(found).toEqual([`Page expected to be: ${second}, but self identifies as 77`]);
});

test("9: a first key below the separator", () => {
  const found = faults((file) => file.bytes.set(Buffer.from("kex"), file.leafKey(second, 0)));
  const key = hex(`kex${firstOfSecond.slice(3)}`);
  expect(found).toEqual([
    `the first key[0]=(hex)${key} on leaf page(${second}) needs to be >= the key in the ancestor (${hex(firstOfSecond)}). Stack: ${stack}`,
  ]);
});

test("10: keys that do not ascend", () => {
  const below = faults((file) => file.bytes.set(Buffer.from("key-00"), file.leafKey(second, 1)));
  expect(below).toContain(
    `key[1]=(hex)${hex("key-00")} on leaf page(${second}) needs to be > (found <) than previous element (hex)${hex(firstOfSecond)}. Stack: ${stack}`,
  );
  const equal = faults((file) =>
    file.bytes.set(Buffer.from(firstOfSecond), file.leafKey(second, 1)),
  );
  expect(equal).toContain(
    `key[1]=(hex)${hex(firstOfSecond)} on leaf page(${second}) needs to be > (found =) than previous element (hex)${hex(firstOfSecond)}. Stack: ${stack}`,
  );
});

test("11: a last key that belongs to the next page", () => {
  const last = surgery.count(second) - 1;
  const found = faults((file) => file.bytes.set(Buffer.from("kez"), file.leafKey(second, last)));
  const next = keyAt(surgery.branchKey(root, 2));
  expect(found).toEqual([
    `key[${last}]=(hex)${hex(`kez${lastOfSecond.slice(3)}`)} on leaf page(${second}) needs to be < than key of the next element in ancestor (hex)${hex(next)}. Pages stack: ${stack}`,
  ]);
});

test("several faults are found in one go, each with its place in the file", () => {
  const damaged = new Surgery(surgery.bytes);
  damaged.setU64(damaged.at(first), 99);
  damaged.setU16(damaged.at(second, 8), 4);
  damaged.bytes.set(Buffer.from("kez"), damaged.leafKey(damaged.child(root, 2), 0));
  const { faults: found, faultCount } = PageFile.open(damaged.file(), { readOnly: true }).check();
  expect(found.length).toBeGreaterThanOrEqual(3);
  expect(faultCount).toBe(found.length);
  expect(found.map(({ offsetBytes }) => Math.floor(offsetBytes / PAGE_BYTES))).toEqual(
    expect.arrayContaining([first, second, damaged.child(root, 2)]),
  );
});

test("a derived free list has nothing to lose: 1, 4 and 6 cannot be broken", () => {
  const derived = new Surgery(surgery.bytes);
  derived.setMeta({ freelist: undefined });
  expect(derived.faults()).toEqual([]);
  derived.setU64(derived.element(root, 1) + 8, first);
  expect(derived.faults()).toEqual([
    `page ${first}: multiple references (stack: [${root} ${first}])`,
  ]);
});

test("what a list says that cannot be is a fault, not a crash", () => {
  const { pgid } = surgery.meta;
  const listed = faults((file) => file.setU64(file.at(list, 16), pgid + 9));
  expect(listed).toContain(`freelist page ${list} lists page ${pgid + 9}: out of bounds: ${pgid}`);
  expect(faults((file) => file.setU16(file.at(list, 10), 0xfffe))[0]).toMatch("it has room for");
  expect(faults((file) => file.setU16(file.at(list, 8), 2))[0]).toMatch(
    /element|invalid freelist page/,
  );
  expect(faults((file) => file.setMeta({ freelist: pgid }))[0]).toMatch("out of bounds");
});

test("inline buckets are looked into", () => {
  const inline = Surgery.of({ pageBytes: PAGE_BYTES }, (tx) => {
    const bucket = tx.createBucket(Buffer.from("i"));
    for (const key of ["a", "b"]) bucket.put(Buffer.from(key), Buffer.from("v"));
  });
  const page = inline.leafKey(inline.meta.root, 0) + 1 + 16;
  inline.bytes[page + 16 + 32] = 0x63;
  expect(inline.faults()).toEqual([
    expect.stringMatching("on leaf page\\(0\\) needs to be > \\(found <\\)"),
  ]);
  inline.setU16(page + 8, 4);
  expect(inline.faults()).toEqual([expect.stringMatching("an inline bucket's page has flags 4")]);
});
