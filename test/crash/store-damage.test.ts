/**
 * What no power cut leaves and a disk may: pages of the newest transaction that cannot be read, both roots gone; and a
 * log that ends within a record, with the power going out again while it is repaired.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Directory, SystemDirectory } from "../../native-free/file.ts";
import { readU64, viewOf } from "../../src/base/bytes.ts";
import { CorruptionError, type EngineEvent, Strata } from "../../src/index.ts";
import { reachedPages } from "../../src/pagefile/free-pages.ts";
import { readMetas } from "../../src/pagefile/meta.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { readLog } from "../../src/wal/reader.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PowerCutDisk, type PowerCutOptions } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";
import {
  liveStore,
  mustBePowerCut,
  mustCheckClean,
  mustRecover,
  openTiny,
} from "../support/store-life.ts";
import { StoreWitness } from "../support/store-witness.ts";

const PAGE_BYTES = 4096;
const full = process.env.STRATA_FULL === "1";
const seeds = Array.from({ length: full ? 60 : 5 }, (_, i) => i + 1);

/** An entry or two to a segment, so that the log goes back no further than it must. */
const SHORT_LOG = { segmentBytes: 512, snapshotCount: 3 };

/** A data dir with something in it, and the witness of it. */
async function used(
  seed: number,
  options: PowerCutOptions = {},
  lives = 1 + (seed % 2),
): Promise<[PowerCutDisk, StoreWitness]> {
  const disk = new PowerCutDisk(options);
  const witness = new StoreWitness();
  try {
    await liveStore(disk, witness, { seed, lives, groups: 15, store: SHORT_LOG });
  } catch (error) {
    mustBePowerCut(error);
  }
  return [disk, witness];
}

function snapFolder(disk: PowerCutDisk): Directory {
  return disk.folder("member").folder("snap");
}

function clone(disk: PowerCutDisk, options: PowerCutOptions = {}): PowerCutDisk {
  return disk.crashClone(rng(1), "keep", options);
}

/** First pages of what one root reaches and the other does not; those that both reach. */
function pagesOf(folder: Directory): { newest: number[]; both: number[] } {
  const file = folder.openFile("db", "read");
  const { readings } = readMetas(file);
  const pages = PageFile.open(file, { readOnly: true });
  const [newer, older] = readings
    .flatMap((reading) => (reading.kind === "valid" ? [reading.meta] : []))
    .sort((a, b) => b.txid - a.txid);
  if (newer === undefined || older === undefined) throw new Error("two roots are wanted");
  const ofNewer = reachedPages(pages.walkSource(), newer);
  const ofOlder = reachedPages(pages.walkSource(), older);
  const head = new Uint8Array(16);
  const isFirst = (id: number): boolean => {
    file.read(id * PAGE_BYTES, head);
    return readU64(viewOf(head), 0) === id;
  };
  const all = Array.from({ length: newer.pgid }, (_, id) => id)
    .slice(2)
    .filter(isFirst);
  pages.close();
  return {
    newest: all.filter((id) => ofNewer.has(id) && !ofOlder.has(id)),
    both: all.filter((id) => ofNewer.has(id) && ofOlder.has(id)),
  };
}

function ruin(folder: Directory, page: number): void {
  const file = folder.openFile("db", "write");
  file.write(page * PAGE_BYTES, new Uint8Array(PAGE_BYTES).fill(0xa5));
  file.sync();
  file.close();
}

test("a page that only the newest root reaches is unreadable: the one before and the log have everything", {
  timeout: 600_000,
}, async () => {
  let pages = 0;
  for (const seed of seeds) {
    const [disk, witness] = await used(seed);
    const { newest } = pagesOf(snapFolder(disk));
    expect(newest.length).toBeGreaterThan(0);
    for (const page of newest) {
      const ruined = clone(disk);
      ruin(snapFolder(ruined), page);
      const events: EngineEvent[] = [];
      const log = (event: EngineEvent): void => void events.push(event);
      const store = await openTiny(ruined, new ManualClock(), { log });
      await witness.clone().mustHold(store);
      await store.member.abandon();
      expect(events.filter(({ level }) => level === "error")).toEqual([
        expect.objectContaining({ message: expect.stringMatching(/going back to the one before/) }),
      ]);
      mustCheckClean(ruined);
      await mustRecover(ruined.reboot(rng(page), "lose"), witness.clone(), page);
      pages++;
    }
  }
  expect(pages).toBeGreaterThan(seeds.length * 2);
});

test("the power goes out in a commit, and the root before it is unreadable: the one before that is whole", {
  timeout: 600_000,
}, async () => {
  let commits = 0;
  for (const seed of seeds) {
    const [calm] = await used(seed, {});
    // Pages are written and synced, the meta is not.
    const cuts = calm.log.filter(
      ({ kind, name }, i) =>
        kind === "sync" && name === "member/snap/db" && calm.log[i + 1]?.kind === "write",
    );
    for (const { event } of cuts.slice(full ? 2 : -6)) {
      const [disk, witness] = await used(seed, { cutAt: event });
      const left = disk.reboot(rng(event), "keep");
      for (const page of pagesOf(snapFolder(left)).newest.slice(0, 3)) {
        const ruined = clone(left);
        ruin(snapFolder(ruined), page);
        await mustRecover(ruined, witness.clone(), event);
        commits++;
      }
    }
  }
  expect(commits).toBeGreaterThan(seeds.length * 3);
});

test("the power goes out while a start falls back to the older root", {
  timeout: 600_000,
}, async () => {
  let cuts = 0;
  for (const seed of seeds) {
    const [disk, witness] = await used(seed);
    const [page] = pagesOf(snapFolder(disk)).newest;
    for (let cutAt = 1; ; cutAt += full ? 1 : 2) {
      const ruined = clone(disk);
      ruin(snapFolder(ruined), page as number);
      const failing = clone(ruined, { cutAt, wholeSectors: true });
      let isCut = true;
      try {
        const store = await openTiny(failing, new ManualClock());
        await store.member.abandon();
        isCut = false;
      } catch (error) {
        mustBePowerCut(error);
      }
      const left = failing.reboot(rng(cutAt), cutAt % 4 < 2 ? "lose" : "torn");
      await mustRecover(left, witness.clone(), cutAt);
      cuts++;
      if (!isCut && failing.events < cutAt) break;
    }
  }
  expect(cuts).toBeGreaterThan(seeds.length * 3);
});

test("what neither root can do without is unreadable: an error that names the place, and nothing is touched", {
  timeout: 600_000,
}, async () => {
  let pages = 0;
  for (const seed of seeds) {
    const [disk] = await used(seed);
    for (const page of pagesOf(snapFolder(disk)).both) {
      const ruined = clone(disk);
      ruin(snapFolder(ruined), page);
      const before = contentOf(ruined);
      await expect(openTiny(ruined, new ManualClock())).rejects.toThrow(CorruptionError);
      await expect(openTiny(ruined, new ManualClock())).rejects.toThrow(/snap\/db: offset \d+: /);
      expect(contentOf(ruined).equals(before)).toBe(true);
      pages++;
    }
    const ruined = clone(disk);
    for (const page of [0, 1]) ruin(snapFolder(ruined), page);
    await expect(openTiny(ruined, new ManualClock())).rejects.toThrow(/snap\/db: offset 16: /);
  }
  expect(pages).toBeGreaterThan(0);
});

function contentOf(disk: PowerCutDisk): Buffer {
  const file = snapFolder(disk).openFile("db", "read");
  const bytes = Buffer.alloc(file.size());
  file.read(0, bytes);
  // The metas may be written again, as they are.
  return bytes;
}

test("the same in a folder, with the storage thread", async () => {
  const dir = join(scratchFolder("damage"), "data");
  const first = await Strata.open({ dir });
  for (let i = 0; i < 3; i++) {
    await first.put(`key/${i}`, String(i));
    await first.member.backend.commit();
  }
  await first.close();
  const path = join(dir, "member/snap/db");
  const { newest, both } = pagesOf(new SystemDirectory(join(dir, "member/snap")));
  const image = readFileSync(path);
  image.fill(0xa5, (newest[0] as number) * PAGE_BYTES, ((newest[0] as number) + 1) * PAGE_BYTES);
  writeFileSync(path, image);
  const events: EngineEvent[] = [];
  const second = await Strata.open({ dir }, { log: (event) => events.push(event) });
  expect(events.some(({ level }) => level === "error")).toBe(true);
  expect(await second.count({ prefix: "key/" })).toBe(3);
  // At once: the copy is of the root that it went back to, and of what the log had.
  const hash = await second.hashKv();
  expect(await second.defragment({ force: true })).toMatchObject({ outcome: "done" });
  expect(await second.hashKv()).toEqual(hash);
  await second.put("key/3", "3");
  await second.close();
  const third = await Strata.open({ dir });
  expect(await third.hashKv(hash.revision)).toEqual(hash);
  expect(await third.count({ prefix: "key/" })).toBe(4);
  await third.close();
  for (const page of [0, 1, ...both]) image.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  writeFileSync(path, image);
  await expect(Strata.open({ dir })).rejects.toThrow(CorruptionError);
});

/** Behind the last record, what a power loss leaves of one. */
function tear(disk: PowerCutDisk, seed: number): void {
  const chance = rng(seed);
  const folder = disk.folder("member").folder("wal");
  const { end } = readLog(folder, { index: 0, term: 0 }, "read");
  const file = folder.openFile(end.segment.name, "write");
  const bytes = 600 + chance.int(3000);
  const frame = new Uint8Array(8 + bytes - (bytes % 8));
  viewOf(frame).setUint32(0, frame.length - 8, true);
  // Its head is there, and the sectors after that are not.
  const there = 512 - (end.offsetBytes % 512);
  frame.set(chance.bytes(Math.max(0, there - 8)).fill(7), 8);
  file.write(end.offsetBytes, frame.subarray(0, chance.bool() ? frame.length : Math.max(9, there)));
  file.sync();
  file.close();
}

test("a log that ends within a record is repaired, wherever the power goes out meanwhile", {
  timeout: 600_000,
}, async () => {
  let cuts = 0;
  for (const seed of seeds) {
    // The log must reach back to its beginning, to be read from there.
    const disk = new PowerCutDisk();
    const witness = new StoreWitness();
    await liveStore(disk, witness, { seed, lives: 2, groups: 3 });
    tear(disk, seed);
    const events: EngineEvent[] = [];
    const log = (event: EngineEvent): void => void events.push(event);
    const torn = clone(disk);
    const store = await openTiny(torn, new ManualClock(), { log });
    await witness.clone().mustHold(store);
    await store.member.abandon();
    expect(events.map(({ message }) => message).join()).toMatch(/was repaired/);
    expect(torn.folder("member").folder("wal").list().join()).toMatch(/\.wal\.broken/);
    for (let cutAt = 1; ; cutAt++) {
      const failing = clone(disk, { cutAt, wholeSectors: true });
      let isCut = true;
      try {
        const opened = await openTiny(failing, new ManualClock());
        await opened.member.abandon();
        isCut = false;
      } catch (error) {
        mustBePowerCut(error);
      }
      for (const survival of ["lose", "torn"] as const) {
        await mustRecover(failing.reboot(rng(cutAt), survival), witness.clone(), cutAt);
        cuts++;
      }
      if (!isCut && failing.events < cutAt) break;
    }
  }
  expect(cuts).toBeGreaterThan(seeds.length * 10);
});
