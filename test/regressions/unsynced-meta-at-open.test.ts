/**
 * A process was killed between writing its meta and syncing it. The next one found that meta in the system's cache and
 * built on it: it showed the commit to its users, and wrote into pages that the meta before still needed. A power cut
 * then lost the meta but not those writes, and the file was ruined. Opening for writing now makes the meta durable.
 */
import { expect, test } from "vitest";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { contentOf, difference } from "../support/page-file-content.ts";
import { describeEvent, PowerCutDisk } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

class Killed extends Error {}

const key = Buffer.from("k");

function put(file: PageFile, value: string): void {
  file.update((tx) => tx.createBucketIfNotExists(key).put(key, Buffer.from(value)));
}

test("what is seen after a kill and a new start survives a power cut", () => {
  let syncsLeft = Number.POSITIVE_INFINITY;
  const disk = new PowerCutDisk({
    onEvent: ({ kind }) => {
      if (kind === "sync" && --syncsLeft === 0) throw new Killed();
    },
  });
  const first = PageFile.open(disk.openFile("db", "create"));
  disk.sync();
  put(first, "one");
  syncsLeft = 2; // That of the pages, and that of the meta.
  expect(() => put(first, "two")).toThrow(Killed);

  const second = PageFile.open(disk.openFile("db", "write"));
  const seen = second.view(contentOf);
  expect(seen.entries.get("k")).toMatchObject({ entries: new Map([["k", Buffer.from("two")]]) });
  for (const survival of ["lose", "torn", "keep"] as const) {
    const left = disk.crashClone(rng(1), survival);
    const third = PageFile.open(left.openFile("db", "write"));
    expect(difference(third.view(contentOf), seen)).toBeUndefined();
  }
});

test("the meta is written again first: a sync that failed may have made the system forget that it was not", () => {
  const disk = new PowerCutDisk();
  const first = PageFile.open(disk.openFile("db", "create"), { pageBytes: 1024 });
  put(first, "one"); // txid 2, on page 0
  first.close();
  const before = disk.events;
  PageFile.open(disk.openFile("db", "write")).close();
  expect(disk.log.slice(before).map((event) => describeEvent(event).replace(/^\d+ /, ""))).toEqual([
    "write db 0+80",
    "sync db",
  ]);
  PageFile.open(disk.openFile("db", "read"), { readOnly: true }).close();
  PageFile.open(disk.openFile("db", "write"), { noSync: true }).close();
  expect(disk.events).toBe(before + 2);
});
