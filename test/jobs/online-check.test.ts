/** The integrity check of a store that is open: what it finds, what it leaves alone, and how it ends. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DirectoryTree, RandomAccessFile } from "../../native-free/file.ts";
import { SystemDirectory } from "../../native-free/file.ts";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { type EngineEvent, type JobReport, Strata, type StrataPlace } from "../../src/index.ts";
import { LEAF } from "../../src/pagefile/page.ts";
import { scratchFolder } from "../support/cleanup.ts";

interface Place {
  readonly place: StrataPlace;
  readonly tree: DirectoryTree;
}

const PLACES: readonly (readonly [string, () => Place])[] = [
  [
    "memory",
    (): Place => {
      const tree = new MemoryTree();
      return { place: { disk: tree }, tree };
    },
  ],
  [
    "a directory",
    (): Place => {
      const dir = join(scratchFolder("online-check"), "data");
      return { place: { dir }, tree: new SystemDirectory(dir) };
    },
  ],
];

const KEYS = 400;

async function filled(place: StrataPlace, log: (event: EngineEvent) => void): Promise<Strata> {
  const store = await Strata.open(place, { batchIntervalMs: 5, cacheBytes: 1024 * 1024, log });
  const value = "x".repeat(1000);
  await Promise.all(Array.from({ length: KEYS }, (_, i) => store.put(`key-${i}`, value)));
  return store;
}

function databaseOf(tree: DirectoryTree): RandomAccessFile {
  return tree.folder("member").folder("snap").openFile("db", "write");
}

/** Makes the leaf of a key something that is no page, and what it was before. @returns their ids */
function damageLeaf(tree: DirectoryTree): number[] {
  const file = databaseOf(tree);
  const page = new Uint8Array(4096);
  const damaged: number[] = [];
  for (let id = file.size() / 4096 - 1; id > 1; id--) {
    file.read(id * 4096, page);
    if (page[8] !== LEAF || !Buffer.from(page).includes("key-200")) continue;
    file.write(id * 4096 + 8, Uint8Array.of(0x40));
    damaged.push(id);
  }
  file.close();
  return damaged;
}

describe.each(PLACES)("of a store in %s", (_, make) => {
  test("a sound database is sound while it is written and compacted", async () => {
    const events: EngineEvent[] = [];
    await using store = await filled(make().place, (event) => events.push(event));
    let stop = false;
    const writing = (async (): Promise<number> => {
      let puts = 0;
      for (; !stop; puts++) await store.put(`key-${puts % 7}`, `${puts}${"y".repeat(2000)}`);
      return puts;
    })();
    const phases: string[] = [];
    const checking = store.check({ onProgress: ({ phase }) => phases.push(phase) });
    const jobs: readonly JobReport[] = store.jobs.list();
    const report = await checking;
    await store.compact(store.status().revision - 1n, { physical: true });
    const later = await store.check();
    stop = true;
    expect(await writing).toBeGreaterThan(0);
    expect(jobs).toMatchObject([{ kind: "integrity-check", canBeCancelled: true }]);
    expect(store.jobs.list()).toEqual([]);
    expect(phases.at(-1)).toBe("checking");
    for (const { ok, faults, faultCount, pages, pagesFree, sizeBytes } of [report, later]) {
      expect({ ok, faults, faultCount }).toEqual({ ok: true, faults: [], faultCount: 0 });
      expect((pages + pagesFree) * 4096).toBe(sizeBytes);
    }
    expect(report.keys).toBeGreaterThan(KEYS);
    expect(store.status().readers).toEqual([]);
    expect(events.filter(({ message }) => message === "the database is sound")).toHaveLength(2);
  });

  test("a page that was damaged on the disk is named, in the result and in an error line", async () => {
    const events: EngineEvent[] = [];
    const { place, tree } = make();
    await using store = await filled(place, (event) => events.push(event));
    expect((await store.check()).ok).toBe(true);
    const damaged = damageLeaf(tree);
    const { ok, faults, faultCount } = await store.check();
    expect({ ok, faultCount }).toEqual({ ok: false, faultCount: 1 });
    expect(faults[0]?.what).toMatch(/^page \d+: invalid type: unknown<40> /);
    expect(damaged.map((id) => id * 4096 + 8)).toContain(faults[0]?.offsetBytes);
    expect(events.at(-1)).toMatchObject({
      level: "error",
      message: "the database has faults",
      fields: { faults: 1, first: faults[0]?.what },
    });
  });

  test("ends by its signal, by its id, and with the store", async () => {
    const store = await filled(make().place, () => undefined);
    const stop = new AbortController();
    const stopped = store.check({ signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");

    const cancelled = store.check();
    const [job] = store.jobs.list();
    store.jobs.cancel(job?.id ?? -1);
    await expect(cancelled).rejects.toMatchObject({ code: "CANCELED" });
    expect(store.status().readers).toEqual([]);

    const late = store.check();
    late.catch(() => undefined);
    await store.close();
    await expect(late).rejects.toMatchObject({ code: "CLOSED" });
    await expect(store.check()).rejects.toMatchObject({ code: "CLOSED" });
  });
});
