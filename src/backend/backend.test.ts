import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { PowerCutDisk } from "../../test/support/power-cut-disk.ts";
import { hex, utf8 } from "../base/bytes.ts";
import { PageFile } from "../pagefile/page-file.ts";
import { PageReader } from "../pagefile/page-reader.ts";
import { Backend, type BackendOptions, newValuePlace } from "./backend.ts";
import { CONSISTENT_INDEX, KEY, LEASE, META } from "./buckets.ts";
import { InlineStorage } from "./inline-storage.ts";
import type { Storage } from "./storage.ts";

const OPTIONS = { noSync: false, cacheBytes: 1024 * 1024, pageBytes: 4096 };

interface Opened {
  readonly backend: Backend;
  readonly clock: ManualClock;
  readonly disk: PowerCutDisk;
  readonly storage: Storage;
}

async function open(options: Partial<BackendOptions> = {}): Promise<Opened> {
  const disk = new PowerCutDisk();
  const clock = new ManualClock();
  const storage = new InlineStorage(disk, "db", OPTIONS);
  const opened = await storage.open(false);
  const file = disk.openFile("db", "read");
  const backend = new Backend(storage, opened, file, { clock, ...options });
  return { backend, clock, disk, storage };
}

function putRecord(backend: Backend, main: number, sub: number, value: string): void {
  backend.record(main, sub, false, value.length, (bytes, at) => {
    bytes.set(utf8(value), at);
    return at + value.length;
  });
}

function read(backend: Backend, main: number, sub: number): string | undefined {
  const place = newValuePlace();
  if (!backend.find(main, sub, false, place)) return undefined;
  return Buffer.from(place.bytes).toString("latin1", place.offset, place.offset + place.length);
}

test("a write is read back from the buffer, and from the file once it is committed", async () => {
  const { backend } = await open();
  putRecord(backend, 2, 0, "one");
  putRecord(backend, 2, 1, "two");
  putRecord(backend, 3, 0, "three");
  backend.applied({ index: 4, term: 2 });
  expect([read(backend, 2, 0), read(backend, 2, 1), read(backend, 3, 0)]).toEqual([
    "one",
    "two",
    "three",
  ]);
  expect([read(backend, 2, 2), read(backend, 1, 0), read(backend, 4, 0)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(backend.commits).toBe(0);
  await backend.commit();
  expect(backend.commits).toBe(1);
  expect([read(backend, 2, 0), read(backend, 2, 1), read(backend, 3, 0)]).toEqual([
    "one",
    "two",
    "three",
  ]);
  await backend.close();
});

test("every commit has the log index of what is in it", async () => {
  const { backend, disk } = await open();
  putRecord(backend, 2, 0, "x");
  backend.putRow(LEASE, utf8("12345678"), utf8("lease"));
  backend.applied({ index: 7, term: 3 });
  await backend.close();
  const file = PageFile.open(disk.openFile("db", "read"), { readOnly: true });
  file.view((tx) => {
    expect(tx.bucket(META)?.get(CONSISTENT_INDEX)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7));
    expect(tx.bucket(META)?.get(utf8("term"))).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 3));
    expect(tx.bucket(LEASE)?.get(utf8("12345678"))).toEqual(utf8("lease"));
    expect([...tx.buckets()].map(({ name }) => Buffer.from(name).toString())).toEqual([
      "alarm",
      "auth",
      "authRoles",
      "authUsers",
      "cluster",
      "key",
      "lease",
      "members",
      "members_removed",
      "meta",
    ]);
  });
  expect(file.check().faults).toEqual([]);
});

test("a batch is committed when it is old, and at once when it is full", async () => {
  const { backend, clock } = await open({ batchLimit: 3, batchIntervalMs: 100 });
  putRecord(backend, 2, 0, "a");
  backend.applied({ index: 1, term: 1 });
  await clock.advance(99);
  expect(backend.commits).toBe(0);
  await clock.advance(1);
  expect(backend.commits).toBe(1);
  for (let main = 3; main < 6; main++) {
    putRecord(backend, main, 0, "b");
    backend.applied({ index: main, term: 1 });
  }
  await clock.advance(0);
  expect(backend.commits).toBe(2);
  expect(backend.committedPoint.index).toBe(5);
  expect(backend.safePoint.index).toBe(1);
  await backend.close();
});

test("a commit goes on while more is written, and what comes meanwhile goes with the next", async () => {
  const { backend } = await open();
  putRecord(backend, 2, 0, "a");
  backend.applied({ index: 1, term: 1 });
  const first = backend.commit();
  putRecord(backend, 3, 0, "b");
  backend.applied({ index: 2, term: 1 });
  expect([read(backend, 2, 0), read(backend, 3, 0)]).toEqual(["a", "b"]);
  await first;
  expect(backend.committedPoint.index).toBe(1);
  await backend.commit();
  expect(backend.committedPoint.index).toBe(2);
  await backend.close();
});

test("what is read through a pin stays as it was, however much is committed after it", async () => {
  const { backend, disk } = await open();
  for (let main = 2; main < 300; main++) putRecord(backend, main, 0, `value ${main}`);
  backend.applied({ index: 1, term: 1 });
  await backend.commit();
  const pin = backend.pin("test");
  const { meta } = pin.root;
  const file = disk.openFile("db", "read");
  // Past every cache: what is on the disk.
  const image = (): string[] => {
    const reader = new PageReader(file, 4096, 1024 * 1024);
    const cursor = reader.view(meta).bucket(KEY)?.cursor();
    const all: string[] = [];
    for (let more = cursor?.first(); more && cursor; more = cursor.next()) {
      all.push(`${hex(cursor.key())} ${hex(cursor.value() ?? new Uint8Array())}`);
    }
    return all;
  };
  const before = image();
  expect(before.length).toBe(298);
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < 20; i++) backend.putRow(LEASE, utf8(`lease ${i}`), utf8(`${round}`));
    backend.applied({ index: 2 + round, term: 1 });
    await backend.commit();
  }
  expect(image()).toEqual(before);
  expect(backend.pinned()).toEqual([{ txid: meta.txid, purpose: "test", heldMs: 0 }]);
  const { pinnedBytes } = backend.space;
  pin.release();
  backend.applied({ index: 40, term: 1 });
  await backend.commit();
  backend.applied({ index: 41, term: 1 });
  await backend.commit();
  expect(backend.space.pinnedBytes).toBeLessThan(pinnedBytes);
  expect(backend.pinned()).toEqual([]);
  await backend.close();
});

test("after a failed commit nothing more is written, and reads go on", async () => {
  const { backend, storage } = await open();
  putRecord(backend, 2, 0, "a");
  backend.applied({ index: 1, term: 1 });
  await backend.commit();
  storage.commit = () => Promise.reject(new Error("EIO"));
  putRecord(backend, 3, 0, "b");
  backend.applied({ index: 2, term: 1 });
  await expect(backend.commit()).rejects.toMatchObject({ code: "FAILED" });
  await expect(backend.commit()).rejects.toMatchObject({ code: "FAILED" });
  expect([read(backend, 2, 0), read(backend, 3, 0)]).toEqual(["a", "b"]);
  expect(backend.committedPoint.index).toBe(1);
  await backend.close();
});

test("a batch whose time is over while the storage is busy goes as soon as it is free", async () => {
  const { backend, clock, storage } = await open({ batchIntervalMs: 100 });
  let goOn = (): void => undefined;
  const { compact } = storage;
  storage.compact = async (task) => {
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    return await compact.call(storage, task);
  };
  const none = { keptMains: new Float64Array(0), keptSubs: new Uint32Array(0) };
  const task = { ...none, revision: 1, fromMain: 0, fromSub: 0, limit: 1, budgetMs: 1 };
  const step = backend.compact(task);
  putRecord(backend, 2, 0, "one");
  backend.applied({ index: 4, term: 2 });
  goOn();
  await step;
  const second = backend.compact(task);
  await clock.advance(150);
  expect(backend.commits).toBe(0);
  goOn();
  await second;
  await backend.room();
  expect([backend.commits, backend.committedPoint.index]).toEqual([1, 4]);
  await backend.close();
});
