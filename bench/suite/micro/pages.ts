/** A page's codec, and the tree of pages where nothing waits for a disk. */
import { utf8, viewOf } from "../../../src/base/bytes.ts";
import { encodePart, partOf } from "../../../src/pagefile/encode-part.ts";
import { Item, Node, nodeOfPage } from "../../../src/pagefile/node.ts";
import { Page, parsePage, searchLeaf } from "../../../src/pagefile/page.ts";
import { PageFile } from "../../../src/pagefile/page-file.ts";
import { MemoryFile } from "../../../test/support/memory-file.ts";
import { Noise, setRevision, xorshift32 } from "../../../test/support/workload.ts";
import { keyBucket, newKey } from "../../support/measure.ts";
import { OURS, type Size } from "../question.ts";
import {
  keysSize,
  type MicroCase,
  nanosecondsEach,
  perSecond,
  sizesOf,
  type Work,
} from "./micro-case.ts";

const PAGE_BYTES = 4096;
const PAGE_ID = 5;
const VALUE_BYTES = 64;
/** What a page of 4 KiB holds at 90 %. */
const PAGE_KEYS = 38;
const BATCH = 1000;
const SEED = 4711;
const PUTS = 10_000;
const SIZES = sizesOf((keys) => keysSize(keys, VALUE_BYTES), 10_000, 100_000, 1_000_000);
const PAGE_SIZE: Size = keysSize(PAGE_KEYS, VALUE_BYTES);

/** A leaf of revisions in order, as the bucket `key` has them. */
function leaf(): Node {
  const noise = new Noise(VALUE_BYTES);
  const items = Array.from({ length: PAGE_KEYS }, (_, i) => {
    const { bytes, view } = newKey();
    setRevision(view, 0, i + 1, 0);
    const both = new Uint8Array([...bytes, ...noise.valueOf(i)]);
    return new Item(both, 0, bytes.length, VALUE_BYTES, 0, 0);
  });
  return new Node(true, items);
}

function encoded(): Uint8Array {
  const node = leaf();
  const bytes = new Uint8Array(PAGE_BYTES);
  encodePart(partOf(node, 0, node.count), PAGE_ID, 0, bytes, viewOf(bytes), 0, PAGE_BYTES);
  return bytes;
}

function encode(): Work {
  const node = leaf();
  const bytes = new Uint8Array(PAGE_BYTES);
  const view = viewOf(bytes);
  return nanosecondsEach(BATCH, () => {
    for (let i = 0; i < BATCH; i++) {
      encodePart(partOf(node, 0, node.count), PAGE_ID, 0, bytes, view, 0, PAGE_BYTES);
    }
    return bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 0);
  });
}

function decode(): Work {
  const bytes = encoded();
  const view = viewOf(bytes);
  return nanosecondsEach(BATCH, () => {
    let digest = 0;
    for (let i = 0; i < BATCH; i++) {
      const page = parsePage(new Page(PAGE_ID, bytes, view, 0, PAGE_BYTES), "bench", 0);
      digest += nodeOfPage(page).count;
    }
    return digest;
  });
}

function search(): Work {
  const bytes = encoded();
  const page = new Page(PAGE_ID, bytes, viewOf(bytes), 0, PAGE_BYTES);
  const key = newKey();
  const next = xorshift32(SEED);
  return nanosecondsEach(BATCH, () => {
    let digest = 0;
    for (let i = 0; i < BATCH; i++) {
      setRevision(key.view, 0, 1 + (next() % PAGE_KEYS), 0);
      digest += searchLeaf(page, key.bytes);
    }
    return digest;
  });
}

/** Revisions in a file that is memory, and whose pages are all in the cache once they were read. */
function tree(keys: number): PageFile {
  const file = PageFile.open(new MemoryFile(), { cacheBytes: 2 ** 30, noSync: true });
  const noise = new Noise(VALUE_BYTES);
  const key = newKey();
  file.update((tx) => {
    const bucket = tx.createBucket(utf8("key"));
    bucket.fillPercent = 0.9;
    for (let i = 1; i <= keys; i++) {
      setRevision(key.view, 0, i, 0);
      bucket.put(key.bytes, noise.valueOf(i));
    }
  });
  return file;
}

function treeGet({ keys }: Size): Work {
  const file = tree(keys);
  const key = newKey();
  const gets = Math.min(keys, 100_000);
  return perSecond(gets, () =>
    file.view((tx) => {
      const next = xorshift32(SEED);
      const bucket = keyBucket(tx);
      let digest = 0;
      for (let i = 0; i < gets; i++) {
        setRevision(key.view, 0, 1 + (next() % keys), 0);
        digest = (Math.imul(digest, 31) + (bucket.get(key.bytes)?.[0] ?? 0)) >>> 0;
      }
      return digest;
    }),
  );
}

/** Puts of one transaction, which is then rolled back: the tree alone, without a commit. */
function treePut({ keys }: Size): Work {
  const file = tree(keys);
  const noise = new Noise(VALUE_BYTES);
  const key = newKey();
  return perSecond(PUTS, () => {
    const next = xorshift32(SEED);
    const tx = file.beginWrite();
    const bucket = keyBucket(tx);
    for (let i = 0; i < PUTS; i++) {
      setRevision(key.view, 0, 1 + (next() % keys), 1);
      bucket.put(key.bytes, noise.valueOf(i));
    }
    const digest = String(bucket.get(key.bytes)?.[0]);
    tx.rollback();
    return digest;
  });
}

const NS = { unit: "ns", better: "less", sizes: [PAGE_SIZE] } as const;
const TREE = { better: "more", sizes: SIZES } as const;

export const PAGES: readonly MicroCase[] = [
  {
    ...NS,
    name: "memory/page/encode",
    about: "a leaf of 4 KiB from its node",
    subjects: { [OURS]: encode },
  },
  {
    ...NS,
    name: "memory/page/decode",
    about: "a leaf of 4 KiB checked and taken apart",
    subjects: { [OURS]: decode },
  },
  {
    ...NS,
    name: "memory/page/search",
    about: "a random key in a leaf",
    subjects: { [OURS]: search },
  },
  {
    ...TREE,
    name: "memory/tree/get",
    about: "values of random keys of the B+tree, all pages in the cache",
    unit: "gets/s",
    subjects: { [OURS]: treeGet },
  },
  {
    ...TREE,
    name: "memory/tree/put",
    about: "10,000 puts at random places of the B+tree in one transaction, which is not committed",
    unit: "puts/s",
    subjects: { [OURS]: treePut },
  },
];
