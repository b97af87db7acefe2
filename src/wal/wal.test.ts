import { describe, expect, onTestFinished, test } from "vitest";
import { SystemDirectory } from "../../native-free/file.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { ErrorDisk, type Fault } from "../../test/support/error-disk.ts";
import { PowerCutDisk } from "../../test/support/power-cut-disk.ts";
import { rng } from "../../test/support/rng.ts";
import { readRecords } from "../../test/support/wal-records.ts";
import { runWalLoad, WalModel } from "../../test/support/wal-workload.ts";
import type { Entry } from "./entry.ts";
import { RECORD_BYTES_LIMIT } from "./frame.ts";
import { encodeMetadata } from "./metadata.ts";
import { readLog, validSnapshots } from "./reader.ts";
import { releaseSegments, segmentsToRelease } from "./release.ts";
import { segmentName, segmentsOf } from "./segment-name.ts";
import { fixedSyncPolicy } from "./sync-policy.ts";
import { createWal, hasWal, openWal, type Wal, type WalOptions } from "./wal.ts";
import { zeroFillInSteps } from "./zero-fill.ts";

const METADATA = encodeMetadata({ nodeId: 1n, clusterId: 2n });
const START = { index: 0, term: 0 };

function entry(index: number, dataBytes = 100, term = 1): Entry {
  return { type: 0, term, index, data: rng(index).bytes(dataBytes) };
}

function newWal(options: WalOptions = {}): Wal {
  const wal = createWal(new PowerCutDisk(), "wal", METADATA, { stepBytes: 4096, ...options });
  onTestFinished(async () => {
    await wal.close().catch(() => undefined);
  });
  return wal;
}

describe("group commit", () => {
  test("who comes while a batch is under way goes with the next, in one write and one sync", async () => {
    const disk = new PowerCutDisk();
    const wal = createWal(disk, "wal", METADATA, { syncPolicy: fixedSyncPolicy("beside") });
    const before = disk.events;
    const first = wal.append([entry(1)]);
    await new Promise((resolve) => setImmediate(resolve));
    const others = Array.from({ length: 100 }, (_, i) => wal.append([entry(i + 2)]));
    let answered = 0;
    for (const other of others) void other.then(() => answered++);
    await first;
    // They are so many that they are on their way already while the first is being answered.
    expect(disk.log.slice(before).map(({ kind }) => kind)).toEqual(["write", "sync", "write"]);
    expect(answered).toBe(0);
    await Promise.all(others);
    expect(disk.log.slice(before).map(({ kind }) => kind)).toEqual([
      "write",
      "sync",
      "write",
      "sync",
    ]);
    expect(wal.counts).toMatchObject({ entries: 101, batches: 2, syncs: { here: 0, beside: 2 } });
    await wal.close();
  });

  test("the states of a batch are one record, behind its entries", async () => {
    const wal = newWal();
    const state = (commit: number) => ({ term: 1, vote: 5n, commit });
    await Promise.all([wal.append([entry(1)], state(1)), wal.append([entry(2)], state(2))]);
    const kinds = readRecords(wal.directory).records.map(({ kind }) => kind);
    expect(kinds).toEqual(["crc", "metadata", "snapshot", "entry", "entry", "state"]);
    expect(readLog(wal.directory, START, "write").hardState).toEqual(state(2));
  });

  test("a change of nothing but the commit index does not wait, and is there after a sync or a close", async () => {
    const disk = new PowerCutDisk();
    const wal = createWal(disk, "wal", METADATA);
    await wal.append([entry(1)], { term: 1, vote: 5n, commit: 0 });
    const { events } = disk;
    await wal.append([], { term: 1, vote: 5n, commit: 1 });
    await wal.append([]);
    await wal.append([], { term: 0, vote: 0n, commit: 0 });
    expect(disk.events).toBe(events);
    await wal.sync();
    expect(disk.events).toBe(events + 2);
    await wal.sync();
    expect(disk.events).toBe(events + 2);
    expect(readLog(wal.directory, START, "write").hardState.commit).toBe(1);
    await wal.append([], { term: 2, vote: 5n, commit: 1 }); // A term does wait.
    expect(disk.events).toBe(events + 4);
    await wal.append([], { term: 2, vote: 5n, commit: 2 });
    await wal.close();
    expect(readLog(wal.directory, START, "write").hardState.commit).toBe(2);
  });

  test("a batch far beyond the arena, with entries that are not copied", async () => {
    const wal = newWal();
    const sizes = [70_000, 10, 900_000, 3_000_000, 65_536, 65_537, 500_000, 500_000, 0];
    const entries = sizes.map((size, i) => entry(i + 1, size));
    await Promise.all(entries.map((one) => wal.append([one])));
    const many = Array.from({ length: 3000 }, (_, i) => entry(10 + i, 1000));
    await Promise.all(many.map((one) => wal.append([one])));
    const read = readLog(wal.directory, START, "write").entries;
    expect(read).toHaveLength(3009);
    const digest = (all: readonly Entry[]): string[] =>
      all.map(({ index, data }) => `${index} ${Buffer.from(data ?? "").toString("base64")}`);
    expect(digest(read)).toEqual(digest([...entries, ...many]));
    expect(wal.counts.batches).toBe(2);
  });

  test("an entry of 10 MiB, which etcd 3.4 could not read, is refused, and nothing of its call is there", async () => {
    const wal = newWal();
    const long = { ...entry(2), data: new Uint8Array(RECORD_BYTES_LIMIT - 40) };
    await expect(
      wal.append([entry(1), { ...long, data: new Uint8Array(RECORD_BYTES_LIMIT) }]),
    ).rejects.toMatchObject({
      code: "BAD_ARGUMENT",
    });
    await wal.append([entry(1), long]);
    expect(readLog(wal.directory, START, "write").entries).toHaveLength(2);
  });

  test("gaps, and terms that go back, are bugs of the caller", async () => {
    const wal = newWal();
    await expect(wal.append([entry(2)])).rejects.toThrow(/without gaps/);
    await expect(wal.append([entry(1), entry(3)])).rejects.toThrow(/without gaps/);
    await wal.append([entry(1)], { term: 3, vote: 0n, commit: 0 });
    await expect(wal.append([], { term: 2, vote: 0n, commit: 0 })).rejects.toThrow(/never go back/);
    await wal.append([entry(1, 5, 3)]);
    expect(readLog(wal.directory, START, "write").entries).toEqual([entry(1, 5, 3)]);
  });
});

describe("segments", () => {
  test("grow by steps of zeros, and are cut to their records when the next begins", async () => {
    const wal = newWal({ segmentBytes: 100_000, stepBytes: 30_000 });
    const sizes = (): number[] =>
      segmentsOf(wal.directory.list()).map(({ name }) =>
        wal.directory.openFile(name, "read").size(),
      );
    expect(sizes()).toEqual([30_000]);
    await wal.append([entry(1, 40_000)]);
    expect(sizes()).toEqual([60_000]);
    await wal.append([entry(2, 55_000)]);
    expect(sizes()).toEqual([100_000]);
    await wal.append([entry(3, 10_000)]);
    expect(sizes().at(0)).toBeGreaterThan(105_000); // A save is never split: as etcd.
    await wal.append([entry(4, 10)], { term: 1, vote: 1n, commit: 4 });
    await wal.sync(); // The cut goes on after the entries are safe.
    expect(sizes()[0]).toBeLessThan(105_400);
    expect(sizes()[1]).toBe(30_000);
    expect(wal.directory.list()).toEqual([segmentName(0, 0), segmentName(1, 5)]);
    const head = readRecords(wal.directory)
      .records.slice(-3)
      .map(({ kind }) => kind);
    expect(head).toEqual(["crc", "metadata", "state"]);
    expect(wal.position).toEqual({ sequence: 1, offsetBytes: wal.position.offsetBytes });
  });

  test.each([
    [100_001, 0],
    [4097, 1001],
    [8190, 512],
  ])(
    "of %i bytes, which is no whole number of frames, in steps of %i",
    async (segmentBytes, stepBytes) => {
      for (let tail = 0; tail < 20; tail++) {
        const wal = newWal({ segmentBytes, stepBytes, prepare: zeroFillInSteps });
        // Up to each of the last places that a frame may end at.
        await wal.append([entry(1, segmentBytes - 180 + 8 * tail)]);
        expect(readLog(wal.directory, START, "write").entries).toHaveLength(1);
        await wal.append([entry(2, 10)]);
        await wal.append([entry(3, segmentBytes - 220 + 8 * tail)]);
        expect(readLog(wal.directory, START, "write").entries).toHaveLength(3);
        await wal.close();
      }
    },
  );

  test("a prepared one is taken up, and an unused one is gone after a close", async () => {
    const prepared: string[] = [];
    const wal = newWal({
      segmentBytes: 8192,
      prepare: async (directory, name, sizeBytes, signal) => {
        await zeroFillInSteps(directory, name, sizeBytes, signal);
        prepared.push(name);
      },
    });
    let index = 0;
    const append = async (): Promise<void> => {
      await wal.append([entry(++index, 1000)]);
      await new Promise((resolve) => setTimeout(resolve, 1));
    };
    for (let i = 0; i < 3; i++) await append();
    // A log with little in it does not take the room of two.
    expect(wal.directory.list()).toHaveLength(1);
    while (index < 30 || wal.position.offsetBytes < 6000) await append();
    expect(wal.counts.cuts).toBeGreaterThan(2);
    expect(prepared.slice(0, 3)).toEqual(["0.tmp", "1.tmp", "0.tmp"]);
    const last = segmentsOf(wal.directory.list()).at(-1);
    expect(wal.directory.openFile(last?.name ?? "", "read").size()).toBe(8192);
    expect(wal.directory.list().filter((name) => name.endsWith(".tmp"))).toHaveLength(1);
    await wal.close();
    expect(wal.directory.list().filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect(readLog(wal.directory, START, "write").entries).toHaveLength(index);
  });

  test("one that cannot be prepared is done without", async () => {
    let tries = 0;
    const wal = newWal({
      segmentBytes: 8192,
      prepare: async (directory, name) => {
        tries++;
        directory.openFile(name, "create").close();
        throw new Error("disk full");
      },
    });
    for (let index = 1; index <= 40; index++) await wal.append([entry(index, 1000)]);
    expect(wal.counts.cuts).toBeGreaterThan(2);
    // Once for each segment, and what there was of it is gone.
    expect(tries).toBeLessThanOrEqual(wal.counts.cuts + 1);
    expect(tries).toBeGreaterThan(2);
    expect(wal.directory.list().filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("leftovers of a crash are removed when a log is opened", async () => {
    const wal = newWal();
    await wal.close();
    for (const name of ["0.tmp", "1.tmp", "cut.tmp", "released.tmp", "other.tmp"])
      wal.directory.openFile(name, "create").close();
    await openWal(wal.directory).wal.close();
    expect(wal.directory.list()).toEqual([segmentName(0, 0), "other.tmp"]);
  });

  test("missing ones are told by name", async () => {
    const wal = newWal({ segmentBytes: 1024 });
    for (let index = 1; index <= 12; index++) await wal.append([entry(index, 600)]);
    await wal.close();
    const [first, second] = segmentsOf(wal.directory.list());
    wal.directory.remove(second?.name ?? "");
    expect(() => readLog(wal.directory, START, "read")).toThrow(
      expect.objectContaining({ fault: "sequence-gap" }),
    );
    expect(() => validSnapshots(wal.directory)).toThrow(/increase continuously/);
    wal.directory.remove(first?.name ?? "");
    expect(() => readLog(wal.directory, START, "read")).toThrow(
      expect.objectContaining({ fault: "file-not-found" }),
    );
  });
});

describe("creation", () => {
  test("takes the place of an empty directory and of its own leftovers, never of a log", async () => {
    const disk = new PowerCutDisk();
    disk.makeFolder("wal");
    disk.makeFolder("wal.tmp");
    disk.folder("wal.tmp").openFile("rest", "create").close();
    await createWal(disk, "wal", METADATA).close();
    expect([disk.list(), hasWal(disk.folder("wal"))]).toEqual([["wal"], true]);
    expect(() => createWal(disk, "wal", METADATA)).toThrow(
      expect.objectContaining({ code: "EXISTS" }),
    );
  });

  test("on a real disk: modes as etcd's, and nothing but one small segment", async () => {
    const parent = new SystemDirectory(scratchFolder("wal"));
    const wal = createWal(parent, "wal", METADATA);
    expect(wal.directory.list()).toEqual([segmentName(0, 0)]);
    expect(wal.directory.openFile(segmentName(0, 0), "read").size()).toBe(262_144);
    await wal.close();
  });
});

test("closing syncs, refuses what comes after, and may be done twice", async () => {
  const wal = newWal();
  const late = wal.append([entry(1)]);
  await Promise.all([wal.close(), wal.close()]);
  await late;
  await expect(wal.append([entry(2)])).rejects.toMatchObject({ code: "CLOSED" });
  await expect(wal.saveSnapshot(START)).rejects.toMatchObject({ code: "CLOSED" });
  expect(readLog(wal.directory, START, "write").entries).toHaveLength(1);
});

test("what is read when a log is opened is on the disk, even if its writer was killed before it could sync", async () => {
  const disk = new PowerCutDisk();
  const wal = createWal(disk, "wal", METADATA, { stepBytes: 0 });
  disk.openFile("other", "create");
  const killed = openWal(wal.directory, START, { noFsync: true, segmentBytes: 1024 }).wal;
  for (let index = 1; index <= 5; index++) await killed.append([entry(index, 500)]);
  const { contents } = openWal(disk.folder("wal"));
  expect(contents.entries).toHaveLength(5);
  // Of the segments before it, the cut made sure: this is about what no cut came to.
  const found = readLog(
    disk.crashClone(rng(1), "lose").folder("wal"),
    { index: 4, term: 1 },
    "write",
  );
  expect(found.entries.at(-1)?.index).toBe(5);
});

test("without fsync nothing is synced", async () => {
  const disk = new PowerCutDisk();
  const wal = createWal(disk, "wal", METADATA, { noFsync: true, segmentBytes: 1024 });
  for (let index = 1; index <= 5; index++) await wal.append([entry(index, 500)]);
  await wal.close();
  expect(disk.log.filter(({ kind }) => kind.startsWith("sync"))).toEqual([]);
  expect(readLog(wal.directory, START, "write").entries).toHaveLength(5);
});

describe("release", () => {
  const names = [0, 10, 20, 30, 40, 50, 60].map((index, sequence) => segmentName(sequence, index));

  test.each([
    [0, 1, 0],
    [10, 1, 0],
    [11, 1, 1],
    [20, 1, 1],
    [35, 1, 3],
    [60, 1, 5],
    [61, 1, 6],
    [1000, 1, 6],
    [1000, 5, 2],
    [35, 5, 2],
    [11, 9, 0],
  ])("a snapshot at %i, %i kept: %i may go", (index, keep, gone) => {
    expect(segmentsToRelease([...names, "0.tmp", "x.wal"], index, keep)).toEqual(
      names.slice(0, gone),
    );
  });

  test("what is left is read from the snapshot on", async () => {
    const wal = newWal({ segmentBytes: 1024 });
    for (let index = 1; index <= 20; index++) await wal.append([entry(index, 600)]);
    await wal.saveSnapshot({ index: 20, term: 1 });
    await wal.append([entry(21, 5)], { term: 1, vote: 0n, commit: 21 });
    expect(releaseSegments(wal.directory, 20, 1).length).toBeGreaterThan(5);
    expect(readLog(wal.directory, { index: 20, term: 1 }, "read").entries).toEqual([entry(21, 5)]);
    expect(validSnapshots(wal.directory)).toContainEqual({ index: 20, term: 1 });
    expect(() => readLog(wal.directory, START, "read")).toThrow(
      expect.objectContaining({ fault: "file-not-found" }),
    );
  });
});

describe.each([
  { written: "here", writeBesideBytes: Infinity },
  { written: "beside", writeBesideBytes: 500 },
])("a disk that refuses what is written $written", ({ writeBesideBytes }) => {
  const load = async (disk: ErrorDisk, model: WalModel): Promise<void> => {
    const options = {
      segmentBytes: 4096,
      stepBytes: 512,
      syncPolicy: fixedSyncPolicy("beside"),
      writeBesideBytes,
    };
    const { wal } = openWal(disk, START, options);
    try {
      await runWalLoad(wal, model, rng(3), { steps: 10, dataBytesMax: 1500 });
    } catch (error) {
      // Latched: everything is refused from now on, whatever the disk would say.
      const next = model.lastIndex + 1;
      await expect(wal.append([entry(next)])).rejects.toMatchObject({ code: "FAILED" });
      await expect(wal.append([], { term: 99, vote: 0n, commit: 0 })).rejects.toMatchObject({
        code: "FAILED",
      });
      await expect(wal.sync()).rejects.toMatchObject({ code: "FAILED" });
      await expect(wal.saveSnapshot({ index: 1, term: 1 })).rejects.toMatchObject({
        code: "FAILED",
      });
      throw error;
    } finally {
      await wal.close().catch(() => undefined);
    }
  };

  const newDirectory = async (): Promise<PowerCutDisk> => {
    const inner = new PowerCutDisk();
    await createWal(inner, "wal", METADATA, { stepBytes: 512 }).close();
    return inner.folder("wal");
  };

  const kinds = ["write", "sync", "truncate", "rename", "sync-directory", "open"] as const;
  test.each(kinds)(
    "at any %s, once or for good: it is never tried again, and acknowledged entries are there",
    async (operations) => {
      const calm = new ErrorDisk(await newDirectory());
      await load(calm, new WalModel());
      const count = calm.count({ operations });
      expect(count).toBeGreaterThan(1);
      let failed = 0;
      for (let nth = 1; nth <= count; nth++) {
        for (const lasts of ["once", "from then on"] as const) {
          const inner = await newDirectory();
          const fault: Fault = {
            operations,
            nth,
            lasts,
            code: nth % 2 ? "EIO" : "ENOSPC",
            shortWrite: true,
          };
          const disk = new ErrorDisk(inner, fault);
          const model = new WalModel();
          const tried = (): number => disk.count({ operations: "sync" });
          let syncsAtFailure = -1;
          try {
            await load(disk, model);
          } catch (error) {
            failed++;
            syncsAtFailure = tried();
            if (model.appended.length > 0) expect(error).toMatchObject({ code: "FAILED" });
          }
          await new Promise((resolve) => setImmediate(resolve));
          if (syncsAtFailure >= 0) expect(tried()).toBe(syncsAtFailure);
          const { wal, contents } = openWal(inner, START, { repair: true });
          expect(model.find(contents.entries, contents.hardState)).toBeDefined();
          await wal.close();
        }
      }
      expect(failed).toBeGreaterThan(count);
    },
  );
});

describe("a long batch", () => {
  const long = { writeBesideBytes: 1000, syncPolicy: fixedSyncPolicy("here") } as const;

  function shown(entries: readonly Entry[]): string[] {
    return entries.map(({ index, data = [] }) => `${index} ${Buffer.from(data).toString("hex")}`);
  }

  test("is written and synced beside; what comes meanwhile goes with the next one", async () => {
    const disk = new PowerCutDisk();
    const wal = createWal(disk, "wal", METADATA, { ...long, stepBytes: 0 });
    const before = disk.events;
    const entries = [entry(1, 3000), entry(2), entry(3, 3000)];
    const first = wal.append(entries.slice(0, 1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(disk.events).toBe(before);
    await Promise.all([first, wal.append(entries.slice(1))]);
    const kinds = disk.log.slice(before).map(({ kind }) => kind);
    expect(kinds).toEqual(["write", "sync", "write", "sync"]);
    expect(wal.counts).toMatchObject({ batches: 2, syncs: { here: 0, beside: 2 } });
    await wal.close();
    expect(shown(readLog(disk.folder("wal"), START, "read").entries)).toEqual(shown(entries));
  });

  test("is in the log before a cut, and after it", async () => {
    const disk = new PowerCutDisk();
    const wal = createWal(disk, "wal", METADATA, { ...long, segmentBytes: 8000, stepBytes: 512 });
    const entries = Array.from({ length: 40 }, (_, i) => entry(i + 1, i % 3 === 0 ? 10 : 2500));
    for (const one of entries) {
      const appended = wal.append([one]);
      if (one.index % 4 === 0) await appended;
    }
    await wal.close();
    expect(wal.counts.cuts).toBeGreaterThan(2);
    expect(shown(readLog(disk.folder("wal"), START, "read").entries)).toEqual(shown(entries));
  });
});

test("the next segment is laid out ahead for short batches, and not for long ones", async () => {
  const asked = async (batchBytes: number): Promise<number> => {
    let count = 0;
    const prepare = async (): Promise<void> => {
      count++;
      throw new Error("no room");
    };
    const segmentBytes = 32 * batchBytes;
    const wal = newWal({ segmentBytes, stepBytes: 0, prepare });
    const data = Buffer.alloc(batchBytes);
    for (let index = 1; index <= 30; index++) await wal.append([{ ...entry(index), data }]);
    return count;
  };
  expect(await asked(1000)).toBe(1);
  expect(await asked(2 * 1024 * 1024)).toBe(0);
});
