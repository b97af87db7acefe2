/** Keys at a revision and all revisions, of a store that is larger than what is read at a time, against a plain Map. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SystemFile } from "../../../native-free/file.ts";
import { KEY, META } from "../../backend/buckets.ts";
import { encodeRevision } from "../../backend/revision.ts";
import { utf8 } from "../../base/bytes.ts";
import { PageFile } from "../../pagefile/page-file.ts";
import { inspectFile } from "./inspect.ts";

/** More than one batch of rows, with values from nothing to several pages. */
const KEYS = 140_000;
const REVISIONS = KEYS + 3000;

let folder = "";
let path = "";
/** What the keys were at the middle revision, and at the last. */
const middle = new Map<string, string>();
const last = new Map<string, string>();
const MIDDLE = KEYS + 1000;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "strata-keys-"));
  path = join(folder, "db");
  const file = PageFile.open(new SystemFile(path, "create"), { noSync: true });
  file.update((tx) => {
    const bucket = tx.createBucket(KEY);
    tx.createBucket(META);
    for (let i = 0; i < REVISIONS; i++) {
      const main = i + 2;
      // A stride that visits every key once before it comes back to one.
      const name = `key-${(i * 99_991) % KEYS}`;
      const deleted = i >= KEYS && i % 3 === 0;
      const value = deleted ? undefined : textOf(i);
      bucket.put(encodeRevision(main, 0, deleted), keyValue(name, main, value));
      for (const model of main <= MIDDLE ? [middle, last] : [last]) {
        if (value === undefined) model.delete(name);
        else model.set(name, value);
      }
    }
  });
  file.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

function textOf(i: number): string {
  return i % 5000 === 0 ? `${i}${"x".repeat(20_000)}` : i % 7 === 0 ? "" : `v${i}`;
}

function keyValue(name: string, main: number, value: string | undefined): Uint8Array {
  const key = utf8(name);
  const head = Buffer.concat([Uint8Array.of(0x0a, key.length), key]);
  if (value === undefined) return head;
  const numbers = [0x10, ...varint(main), 0x18, ...varint(main), 0x20, 1];
  const body = utf8(value);
  return Buffer.concat([
    head,
    Uint8Array.from(numbers),
    Uint8Array.of(0x2a, ...varint(body.length)),
    body,
  ]);
}

function varint(n: number): number[] {
  const bytes: number[] = [];
  for (; n >= 0x80; n = Math.floor(n / 128)) bytes.push((n % 128) | 0x80);
  return [...bytes, n];
}

interface Kv {
  readonly key_text: string;
  readonly value_text?: string;
}

async function keysAt(revision: number): Promise<Kv[]> {
  const report = join(folder, "report");
  const out = openSync(report, "w");
  const show = { hex: false, redact: false, colour: false };
  const command = { name: "keys", revision, history: false, limit: 0 } as const;
  const { faultCount } = await inspectFile({ path, command, json: true, show, out });
  closeSync(out);
  expect(faultCount).toBe(0);
  return JSON.parse(readFileSync(report, "utf8")).kvs;
}

test.each([
  ["the middle", MIDDLE, middle],
  ["the last", 0, last],
] as const)(
  "every key is there once, in order, with its value at %s revision",
  async (_, at, model) => {
    const kvs = await keysAt(at);
    expect(kvs.length).toBe(model.size);
    const names = kvs.map(({ key_text }) => key_text);
    expect(names.join()).toBe([...model.keys()].sort().join());
    const wrong = kvs.filter(({ key_text, value_text = "" }) => model.get(key_text) !== value_text);
    expect(wrong).toEqual([]);
  },
);
