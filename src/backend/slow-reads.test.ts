/** A disk that makes readers wait: pages come in beside everything else. */
import { expect, test, vi } from "vitest";
import type { RandomAccessFile } from "../../native-free/file.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { PowerCutDisk } from "../../test/support/power-cut-disk.ts";
import { xorshift32 } from "../../test/support/workload.ts";
import { utf8 } from "../base/bytes.ts";
import { nextTurn } from "../base/turn.ts";
import { Backend, newValuePlace } from "./backend.ts";
import { KEY } from "./buckets.ts";
import { InlineStorage } from "./inline-storage.ts";
import { encodeRevision } from "./revision.ts";

const OPTIONS = { noSync: true, cacheBytes: 1024 * 1024, pageBytes: 4096 };
/** The least that a cache can have: a third of what the tests store. */
const CACHE_BYTES = 1024 * 1024;
/** So long that one is enough. */
const SLOW_MS = 101;

/** The next read here takes long, when asked to; those beside do as they are told. */
class SlowFile implements RandomAccessFile {
  readonly path: string;
  readonly #file: RandomAccessFile;
  readonly beside: (read: () => number) => Promise<number>;
  slowNext = false;
  readsHere = 0;
  readsBeside = 0;

  constructor(file: RandomAccessFile, beside: (read: () => number) => Promise<number>) {
    this.path = file.path;
    this.#file = file;
    this.beside = beside;
  }

  readSome(offsetBytes: number, into: Uint8Array): number {
    this.readsHere++;
    const untilMs = performance.now() + (this.slowNext ? SLOW_MS : 0);
    this.slowNext = false;
    while (performance.now() < untilMs);
    return this.#file.readSome(offsetBytes, into);
  }

  readBeside(offsetBytes: number, into: Uint8Array): Promise<number> {
    this.readsBeside++;
    return this.beside(() => this.#file.readSome(offsetBytes, into));
  }

  size(): number {
    return this.#file.size();
  }
  read(offsetBytes: number, into: Uint8Array): void {
    this.#file.read(offsetBytes, into);
  }
  write(): void {
    throw new Error("for reading");
  }
  writeParts(): void {
    throw new Error("for reading");
  }
  truncate(): void {
    throw new Error("for reading");
  }
  sync(): void {
    throw new Error("for reading");
  }
  close(): void {
    this.#file.close();
  }
}

interface Rig {
  readonly backend: Backend;
  readonly file: SlowFile;
}

async function open(beside: (read: () => number) => Promise<number>): Promise<Rig> {
  const disk = new PowerCutDisk();
  const storage = new InlineStorage(disk, "db", OPTIONS);
  const opened = await storage.open(false);
  const file = new SlowFile(disk.openFile("db", "read"), beside);
  const backend = new Backend(storage, opened, file, {
    clock: new ManualClock(),
    cacheBytes: CACHE_BYTES,
  });
  return { backend, file };
}

let index = 1;

function put(backend: Backend, main: number, value: string): void {
  backend.record(main, 0, false, value.length, (bytes, at) => {
    bytes.set(utf8(value), at);
    return at + value.length;
  });
  backend.applied({ index: ++index, term: 1 });
}

function read(backend: Backend, main: number): string | undefined {
  const place = newValuePlace();
  if (!backend.find(main, 0, false, place)) return undefined;
  return Buffer.from(place.bytes).toString("latin1", place.offset, place.offset + place.length);
}

async function fetchAll(backend: Backend, main: number): Promise<void> {
  for (let next = backend.fetch(main, 0); next !== undefined; next = backend.fetch(main, 0)) {
    await next;
  }
}

/** 3 finds it at once if what is written meanwhile is not forgotten. */
const SEEDS = process.env.STRATA_FULL ? Array.from({ length: 30 }, (_, i) => i) : [3];

const RECORDS = 3000;

function contentOf(main: number, version: number): string {
  const bytes = main % 50 === 0 ? 9000 : 900;
  return `${main}.${version}.`.padEnd(bytes, "x");
}

async function filled(beside: (read: () => number) => Promise<number>): Promise<Rig> {
  const rig = await open(beside);
  for (let main = 1; main <= RECORDS; main++) put(rig.backend, main, contentOf(main, 0));
  await rig.backend.commit();
  return rig;
}

/** From here on pages are to be fetched. */
function slowDown({ backend, file }: Rig): void {
  file.slowNext = true;
  for (let main = 1; !backend.isSlowToRead; main += 40) read(backend, main);
}

const atOnce = async (read: () => number): Promise<number> => read();

test("a quick disk is read here, and nothing is fetched", async () => {
  // A machine with other work would make some reads long.
  using clock = vi.spyOn(performance, "now").mockReturnValue(0);
  const { backend, file } = await filled(atOnce);
  for (let main = 1; main <= RECORDS; main += 7) {
    expect(backend.fetch(main, 0)).toBeUndefined();
    expect(read(backend, main)).toBe(contentOf(main, 0));
  }
  expect(clock).toHaveBeenCalled();
  expect([file.readsHere > 10, file.readsBeside]).toEqual([true, 0]);
  await backend.close();
});

test("after a read that took long pages are fetched, and then found without a read", async () => {
  const rig = await filled(atOnce);
  const { backend, file } = rig;
  slowDown(rig);
  file.readsHere = 0;
  for (let main = RECORDS; main > 0; main -= 7) {
    await fetchAll(backend, main);
    expect(read(backend, main)).toBe(contentOf(main, 0));
  }
  // Values of several pages, too.
  await fetchAll(backend, 50);
  expect(read(backend, 50)).toBe(contentOf(50, 0));
  expect(file.readsHere).toBe(0);
  expect(file.readsBeside).toBeGreaterThan(100);
  await backend.close();
});

test("what is in the buffer, and what is nowhere, is not waited for", async () => {
  const rig = await filled(atOnce);
  slowDown(rig);
  put(rig.backend, 9000, "new");
  expect(rig.backend.fetch(9000, 0)).toBeUndefined();
  await fetchAll(rig.backend, 9001);
  expect(read(rig.backend, 9001)).toBeUndefined();
  await rig.backend.close();
});

test("a read that fails beside is one that whoever needs the page does himself", async () => {
  const rig = await filled(() => Promise.reject(new Error("EIO")));
  slowDown(rig);
  const main = RECORDS - 500;
  await rig.backend.fetch(main, 0);
  expect(read(rig.backend, main)).toBe(contentOf(main, 0));
  await rig.backend.close();
});

test.each(SEEDS)(
  "pages that are written while they are fetched are read as they are, seed %i",
  async (seed) => {
    const next = xorshift32(seed);
    // Before or after some turns of the event loop, in which the page may be written.
    const beside = async (read: () => number): Promise<number> => {
      const isEarly = next() % 2 === 0;
      let got = isEarly ? read() : 0;
      for (let turns = next() % 4; turns > 0; turns--) await nextTurn();
      if (!isEarly) got = read();
      for (let turns = next() % 4; turns > 0; turns--) await nextTurn();
      return got;
    };
    const rig = await filled(beside);
    const { backend, file } = rig;
    slowDown(rig);
    /** By record: what the last commit that is over has, and what was written last. */
    const committed = new Map<number, number>();
    const newest = new Map<number, number>();
    const under: Promise<void>[] = [];
    let looked = 0;
    const look = (main: number): void => {
      const value = read(backend, main) ?? "";
      const version = Number(value.split(".")[1]);
      expect(value).toBe(contentOf(main, version));
      expect(version).toBeGreaterThanOrEqual(committed.get(main) ?? 0);
      expect(version).toBeLessThanOrEqual(newest.get(main) ?? 0);
    };
    const write = async (version: number): Promise<void> => {
      const written = Array.from({ length: 1 + (next() % 20) }, () => 1 + (next() % RECORDS));
      for (const main of written) {
        newest.set(main, version);
        backend.putRow(KEY, encodeRevision(main, 0), utf8(contentOf(main, version)));
      }
      backend.applied({ index: ++index, term: 1 });
      await backend.commit();
      for (const main of written) {
        committed.set(main, Math.max(version, committed.get(main) ?? 0));
      }
    };
    for (let step = 1; step <= 4000; step++) {
      const kind = next() % 8;
      const main = 1 + (next() % RECORDS);
      if (kind === 0) under.push(write(step));
      else if (kind < 3) await nextTurn();
      else {
        under.push(
          fetchAll(backend, main).then(() => {
            looked++;
            look(main);
          }),
        );
      }
    }
    await Promise.all(under);
    expect(looked).toBeGreaterThan(1000);
    expect(file.readsBeside).toBeGreaterThan(300);
    for (let main = 1; main <= RECORDS; main++) look(main);
    await backend.close();
  },
);
