import { describe, expect, test } from "vitest";
import type { Directory } from "../../native-free/file.ts";
import {
  PowerCutDisk,
  PowerCutError,
  type PowerCutOptions,
  type Survival,
} from "./power-cut-disk.ts";
import { rng } from "./rng.ts";

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed);

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function read(disk: Directory, name: string): Uint8Array {
  const file = disk.openFile(name, "read");
  const bytes = new Uint8Array(file.size());
  file.read(0, bytes);
  return bytes;
}

/** The file as runs, `1x512 0x3`: value and length. */
function runs(bytes: Uint8Array): string {
  const found: [number, number][] = [];
  for (const value of bytes) {
    const last = found.at(-1);
    if (last && last[0] === value) last[1]++;
    else found.push([value, 1]);
  }
  return found.map(([value, length]) => `${value}x${length}`).join(" ");
}

/** A disk with one durable file `a`, of `length` ones. */
function diskWith(length: number, options: PowerCutOptions = {}): PowerCutDisk {
  const disk = new PowerCutDisk();
  disk.openFile("a", "create").write(0, filled(length, 1));
  disk.openFile("a", "read").sync();
  disk.sync();
  return disk.reboot(rng(0), "lose", options);
}

/** What a torn reboot left of file `a`, once per outcome over all seeds; undefined: the file is not there. */
function outcomes(disk: PowerCutDisk): Set<string | undefined> {
  return new Set(
    SEEDS.map((seed) => {
      const after = disk.crashClone(rng(seed), "torn");
      return after.exists("a") ? runs(read(after, "a")) : undefined;
    }),
  );
}

describe("what survives", () => {
  test("synced bytes do, in every mode; unsynced ones only in keep", () => {
    const disk = diskWith(1000);
    const file = disk.openFile("a", "write");
    file.write(0, filled(10, 2));
    file.sync();
    file.write(500, filled(1000, 3));
    expect(runs(read(disk.crashClone(rng(1), "lose"), "a"))).toBe("2x10 1x990");
    expect(runs(read(disk.crashClone(rng(1), "keep"), "a"))).toBe("2x10 1x490 3x1000");
    file.sync();
    for (const mode of ["keep", "lose", "torn"] as const satisfies Survival[]) {
      expect(runs(read(disk.crashClone(rng(1), mode), "a"))).toBe("2x10 1x490 3x1000");
    }
  });

  test("a sync makes durable what every handle of that file wrote, and nothing of another file", () => {
    const disk = diskWith(4);
    const b = disk.openFile("b", "create");
    disk.sync();
    b.write(0, filled(4, 5));
    disk.openFile("a", "write").write(0, filled(4, 2));
    disk.openFile("a", "read").sync();
    const after = disk.reboot(rng(1), "lose");
    expect([runs(read(after, "a")), runs(read(after, "b"))]).toEqual(["2x4", ""]);
  });

  test("a write is torn at the sectors of the file, in every combination", () => {
    const disk = diskWith(2048);
    disk.openFile("a", "write").write(100, filled(1300, 2)); // 412 bytes, 512 bytes, 376 bytes
    const expected = new Set<string>();
    for (let kept = 0; kept < 8; kept++) {
      const bytes = filled(2048, 1);
      if (kept & 1) bytes.fill(2, 100, 512);
      if (kept & 2) bytes.fill(2, 512, 1024);
      if (kept & 4) bytes.fill(2, 1024, 1400);
      expected.add(runs(bytes));
    }
    expect(outcomes(disk)).toEqual(expected);
  });

  test("a later write may survive an earlier one", () => {
    const disk = diskWith(2048);
    const file = disk.openFile("a", "write");
    file.write(0, filled(512, 2));
    file.write(1024, filled(512, 3));
    expect(outcomes(disk)).toEqual(
      new Set(["1x2048", "2x512 1x1536", "1x1024 3x512 1x512", "2x512 1x512 3x512 1x512"]),
    );
  });

  test("a sector goes out whole, as the cache held it", () => {
    const disk = diskWith(512);
    const file = disk.openFile("a", "write");
    file.write(0, filled(100, 2));
    file.write(100, filled(100, 3));
    expect(outcomes(disk)).toEqual(new Set(["1x512", "2x100 1x412", "2x100 3x100 1x312"]));
  });

  test("an extension is kept or lost, and a kept sector has zeros where one before it is lost", () => {
    const disk = diskWith(512);
    disk.openFile("a", "write").write(512, filled(1024, 2));
    expect(outcomes(disk)).toEqual(
      new Set([
        "1x512", //                       nothing
        "1x512 0x1024", //                the length alone
        "1x512 2x512", //                 the first sector
        "1x512 2x512 0x512", //           and the length
        "1x512 0x512 2x512", //           the second
        "1x512 2x1024", //                all
      ]),
    );
  });

  test("a cut is kept or lost, and what was written behind a lost one is lost", () => {
    const disk = diskWith(2048);
    const file = disk.openFile("a", "write");
    file.truncate(512);
    file.write(1024, filled(512, 2));
    expect(outcomes(disk)).toEqual(
      new Set([
        "1x2048",
        "1x512",
        "1x512 0x1024", //                the length, not the bytes
        "1x512 0x512 2x512",
      ]),
    );
  });

  test("the zeros of a cut go out with their sector, even if the cut is lost", () => {
    const disk = diskWith(1024);
    const file = disk.openFile("a", "write");
    file.truncate(100);
    file.write(0, filled(10, 2));
    expect(outcomes(disk)).toEqual(
      new Set(["1x1024", "1x100", "2x10 1x90", "2x10 1x90 0x412 1x512"]),
    );
  });

  test("an extending truncate is kept or lost", () => {
    const disk = diskWith(10);
    disk.openFile("a", "write").truncate(30);
    expect(outcomes(disk)).toEqual(new Set(["1x10", "1x10 0x20"]));
    expect(runs(read(disk.crashClone(rng(1), "lose"), "a"))).toBe("1x10");
    expect(runs(read(disk.crashClone(rng(1), "keep"), "a"))).toBe("1x10 0x20");
  });

  test("after a sync only what came later is in doubt", () => {
    const disk = diskWith(1024);
    const file = disk.openFile("a", "write");
    file.write(0, filled(1024, 2));
    file.truncate(600);
    file.sync();
    file.write(512, filled(88, 3));
    expect(outcomes(disk)).toEqual(new Set(["2x600", "2x512 3x88"]));
  });
});

describe("names", () => {
  test("a file that was synced in a directory that was not is not there", () => {
    const disk = new PowerCutDisk();
    const file = disk.openFile("a", "create");
    file.write(0, filled(3, 1));
    file.sync();
    expect(disk.crashClone(rng(1), "lose").list()).toEqual([]);
    expect(runs(read(disk.crashClone(rng(1), "keep"), "a"))).toBe("1x3");
    expect(outcomes(disk)).toEqual(new Set([undefined, "1x3"]));
    disk.sync();
    expect(runs(read(disk.crashClone(rng(1), "lose"), "a"))).toBe("1x3");
  });

  test("a file in a synced directory that was not synced itself is there, empty", () => {
    const disk = new PowerCutDisk();
    disk.openFile("a", "create").write(0, filled(3, 1));
    disk.sync();
    expect(runs(read(disk.reboot(rng(1), "lose"), "a"))).toBe("");
  });

  test("a rename without a directory sync is lost: the old file is back under its name", () => {
    const disk = diskWith(3);
    const fresh = disk.openFile("a.tmp", "create");
    fresh.write(0, filled(5, 2));
    fresh.sync();
    disk.sync();
    disk.rename("a.tmp", "a");
    const lost = disk.crashClone(rng(1), "lose");
    expect([lost.list(), runs(read(lost, "a"))]).toEqual([["a", "a.tmp"], "1x3"]);
    const kept = disk.crashClone(rng(1), "keep");
    expect([kept.list(), runs(read(kept, "a"))]).toEqual([["a"], "2x5"]);
    disk.sync();
    expect(disk.crashClone(rng(1), "lose").list()).toEqual(["a"]);
  });

  test("a rename that outlives the bytes it names leaves an empty file in place of the old", () => {
    const disk = diskWith(3);
    disk.openFile("a.tmp", "create").write(0, filled(5, 2));
    disk.rename("a.tmp", "a");
    disk.sync();
    expect(runs(read(disk.crashClone(rng(1), "lose"), "a"))).toBe("");
  });

  test("a remove is undone without a directory sync, bytes included", () => {
    const disk = diskWith(3);
    disk.remove("a");
    expect(outcomes(disk)).toEqual(new Set(["1x3", undefined]));
    disk.sync();
    expect(disk.crashClone(rng(1), "lose").list()).toEqual([]);
  });

  test("torn names are a first part of what was done, never a later one alone", () => {
    const disk = new PowerCutDisk();
    disk.openFile("a", "create");
    disk.openFile("b", "create");
    disk.rename("a", "c");
    disk.remove("b");
    const seen = new Set(SEEDS.map((seed) => disk.crashClone(rng(seed), "torn").list().join()));
    expect(seen).toEqual(new Set(["", "a", "a,b", "b,c", "c"]));
  });
});

describe("the cut", () => {
  function work(disk: PowerCutDisk): void {
    const file = disk.openFile("a", "create");
    file.writeParts(0, [filled(1000, 1), filled(500, 2)]);
    file.sync();
    file.truncate(700);
    disk.rename("a", "b");
    file.write(5, filled(5, 3));
    disk.sync();
    disk.remove("b");
    file.write(5, filled(5, 3));
  }

  test("every change is one event, and the log tells them in words", () => {
    const disk = new PowerCutDisk();
    work(disk);
    expect(disk.events).toBe(9);
    expect(disk.describeLog()).toMatchInlineSnapshot(`
      "1 create a
      2 write a 0+1500
      3 sync a
      4 truncate a to 700
      5 rename a to b
      6 write b 5+5
      7 sync directory .
      8 remove b
      9 write (removed) 5+5
      "
    `);
  });

  test("the event at the cut and all that follow throw, reads too; closing does not", () => {
    for (let cutAt = 1; cutAt <= 9; cutAt++) {
      const disk = new PowerCutDisk({ cutAt });
      expect(() => work(disk)).toThrow(PowerCutError);
      expect(disk.events).toBe(cutAt);
      for (const late of [
        () => disk.list(),
        () => disk.exists("a"),
        () => disk.sync(),
        () => disk.openFile("new", "create"),
        () => disk.rename("a", "b"),
        () => disk.remove("a"),
      ]) {
        expect(late).toThrow(PowerCutError);
      }
      expect(disk.events).toBe(cutAt);
    }
    const last = new PowerCutDisk({ cutAt: 10 });
    work(last);
    expect(last.list()).toEqual([]);
  });

  test("a write at the cut reaches the cache in part, from none to all of it", () => {
    const lengths = SEEDS.map((seed) => {
      const disk = new PowerCutDisk({ cutAt: 2, chance: rng(seed) });
      const file = disk.openFile("a", "create");
      expect(() => file.write(0, filled(3, 1))).toThrow(PowerCutError);
      return read(disk.reboot(rng(0), "keep"), "a").length;
    });
    expect(new Set(lengths)).toEqual(new Set([0, 1, 2, 3]));
  });

  test("a name, a truncate at the cut happened or did not; a sync at the cut did not", () => {
    const seen = new Set<string>();
    for (const seed of SEEDS.slice(0, 50)) {
      const created = new PowerCutDisk({ cutAt: 1, chance: rng(seed) });
      expect(() => created.openFile("a", "create")).toThrow(PowerCutError);
      seen.add(`create ${created.reboot(rng(0), "keep").exists("a")}`);

      const cut = diskWith(9, { cutAt: 1, chance: rng(seed) });
      const file = cut.openFile("a", "write");
      expect(() => file.truncate(4)).toThrow(PowerCutError);
      seen.add(`truncate ${read(cut.reboot(rng(0), "keep"), "a").length}`);

      const synced = diskWith(9, { cutAt: 2, chance: rng(seed) });
      const late = synced.openFile("a", "write");
      late.write(0, filled(9, 2));
      expect(() => late.sync()).toThrow(PowerCutError);
      seen.add(`sync ${runs(read(synced.reboot(rng(0), "lose"), "a"))}`);

      const named = diskWith(9, { cutAt: 2, chance: rng(seed) });
      named.remove("a");
      expect(() => named.sync()).toThrow(PowerCutError);
      seen.add(`sync directory ${named.reboot(rng(0), "lose").list()}`);
    }
    expect([...seen].sort()).toEqual([
      "create false",
      "create true",
      "sync 1x9",
      "sync directory a",
      "truncate 4",
      "truncate 9",
    ]);
  });

  test("a refused call is no event", () => {
    const disk = diskWith(1, { cutAt: 1 });
    expect(() => disk.openFile("a", "create-exclusive")).toThrow(/EEXIST/);
    expect(() => disk.remove("missing")).toThrow(/ENOENT/);
    expect(() => disk.openFile("a", "read").write(0, filled(1, 2))).toThrow(/EBADF/);
    disk.openFile("a", "create").write(0, new Uint8Array());
    expect(disk.events).toBe(0);
  });

  test("after a reboot old handles throw, and the new disk counts its own events", () => {
    const disk = diskWith(3);
    const file = disk.openFile("a", "write");
    const after = disk.reboot(rng(1), "keep", { cutAt: 2 });
    for (const late of [() => file.size(), () => file.write(0, filled(1, 2)), () => disk.list()]) {
      expect(late).toThrow(PowerCutError);
    }
    file.close();
    const again = after.openFile("a", "write");
    again.write(0, filled(1, 2));
    expect(after.events).toBe(1);
    expect(() => again.sync()).toThrow("the power went out at event 2");
  });

  test("a clone at each event leaves the disk as it was, and sees it before the event", () => {
    const lengths: (number | undefined)[] = [];
    const disk: PowerCutDisk = new PowerCutDisk({
      onEvent: () => {
        const clone = disk.crashClone(rng(1), "keep");
        lengths.push(clone.exists("a") ? read(clone, "a").length : undefined);
      },
    });
    const file = disk.openFile("a", "create");
    file.write(0, filled(4, 1));
    file.write(4, filled(4, 1));
    file.sync();
    expect(lengths).toEqual([undefined, 0, 4, 8]);
    expect(runs(read(disk, "a"))).toBe("1x8");
  });

  test("the same cut and seed leave the same disk, another seed another one", () => {
    const once = (seed: number): string => {
      const disk = new PowerCutDisk({ cutAt: 8 });
      expect(() => {
        const file = disk.openFile("a", "create");
        disk.sync();
        for (let i = 0; i < 100; i++) file.write(i * 700, filled(2000, i));
      }).toThrow(PowerCutError);
      return runs(read(disk.reboot(rng(seed), "torn"), "a"));
    };
    expect(once(1)).toBe(once(1));
    expect(new Set([1, 2, 3, 4, 5].map(once)).size).toBeGreaterThan(3);
  });
});

describe("a file is replaced by another, acknowledged at the end", () => {
  const OLD = "1x2000";
  const NEW = "2x3000";

  /** Writes the new file step by step; a protocol with a step left out is one the disk must catch. */
  function replace(disk: PowerCutDisk, without: string): void {
    const inPlace = without === "temporary file";
    const file = disk.openFile(inPlace ? "a" : "a.tmp", "create");
    file.write(0, filled(3000, 2));
    if (without !== "sync of the file") file.sync();
    if (!inPlace) disk.rename("a.tmp", "a");
    if (without !== "sync of the directory") disk.sync();
  }

  /** What may be found in `a` after power cuts at every event, in every mode, before and after the acknowledgement. */
  function found(without: string): { before: Set<string>; after: Set<string> } {
    const before = new Set<string>();
    const after = new Set<string>();
    const calm = diskWith(2000);
    replace(calm, without);
    for (let cutAt = 1; cutAt <= calm.events + 1; cutAt++) {
      for (const mode of ["keep", "lose", "torn"] as const satisfies Survival[]) {
        for (const seed of SEEDS.slice(0, 40)) {
          const disk = diskWith(2000, { cutAt, chance: rng(seed) });
          let into = after;
          try {
            replace(disk, without);
          } catch (error) {
            expect(error).toBeInstanceOf(PowerCutError);
            into = before;
          }
          into.add(runs(read(disk.reboot(rng(seed), mode), "a")));
        }
      }
    }
    return { before, after };
  }

  test("with all of its steps it is the old one or the new, and the new once acknowledged", () => {
    expect(found("nothing")).toEqual({ before: new Set([OLD, NEW]), after: new Set([NEW]) });
  });

  test.each([
    ["temporary file", { mixed: true, lost: false }],
    ["sync of the file", { mixed: true, lost: true }],
    ["sync of the directory", { mixed: false, lost: true }],
  ])("without the %s the disk catches it", (without, caught) => {
    const { before, after } = found(without);
    const mixed = [...before, ...after].some((content) => content !== OLD && content !== NEW);
    const lost = [...after].some((content) => content !== NEW);
    expect({ mixed, lost }).toEqual(caught);
  });
});

test("folders share one power: one count of events, one cut, one reboot", () => {
  const work = (disk: PowerCutDisk): void => {
    const wal = disk.folder("wal");
    const log = wal.openFile("0.wal", "create");
    wal.sync();
    log.write(0, filled(3, 1));
    log.sync();
    const db = disk.folder("snap").openFile("db", "create");
    db.write(0, filled(3, 2));
    db.sync();
  };
  const calm = new PowerCutDisk();
  work(calm);
  expect(calm.folder("wal").events).toBe(7);
  expect(calm.describeLog()).toMatchInlineSnapshot(`
    "1 create wal/0.wal
    2 sync directory wal/
    3 write wal/0.wal 0+3
    4 sync wal/0.wal
    5 create snap/db
    6 write snap/db 0+3
    7 sync snap/db
    "
  `);
  expect([calm.list(), calm.folder("snap").list()]).toEqual([["snap", "wal"], ["db"]]);

  const cut = new PowerCutDisk({ cutAt: 7 });
  expect(() => work(cut)).toThrow(PowerCutError);
  expect(() => cut.folder("wal").list()).toThrow(PowerCutError);
  const after = cut.reboot(rng(1), "lose");
  expect(runs(read(after.folder("wal"), "0.wal"))).toBe("1x3");
  expect(after.folder("snap").list()).toEqual([]);
  expect(after.folder("snap").path).toBe("/disk/snap");
});

test("a few megabytes and thousands of events with a clone at each take seconds, not minutes", () => {
  const startMs = performance.now();
  let clones = 0;
  const disk: PowerCutDisk = new PowerCutDisk({
    onEvent: ({ event }) => {
      clones += disk.crashClone(rng(event), "torn").list().length;
    },
  });
  const file = disk.openFile("db", "create");
  const r = rng(1);
  for (let i = 0; i < 2000; i++) {
    file.write(r.int(1000) * 4096, r.bytes(4096));
    if (i % 5 === 4) file.sync();
  }
  expect(clones).toBeGreaterThan(1000);
  expect(performance.now() - startMs).toBeLessThan(20_000);
});

test("a sync beside covers what was written before its call, and nothing later", async () => {
  const disk = new PowerCutDisk();
  const file = disk.openFile("a", "create");
  disk.sync();
  file.write(0, filled(3, 1));
  const synced = file.syncBeside?.();
  file.write(3, filled(3, 2));
  expect(runs(read(disk.crashClone(rng(1), "lose"), "a"))).toBe("");
  await synced;
  expect(runs(read(disk.crashClone(rng(1), "lose"), "a"))).toBe("1x3");
  file.sync();
  expect(runs(read(disk.crashClone(rng(1), "lose"), "a"))).toBe("1x3 2x3");
});

test("a made directory lasts with its parent's sync, and what is in it with its own", () => {
  const disk = new PowerCutDisk();
  disk.makeFolder("new");
  disk.folder("new").openFile("a", "create").write(0, filled(3, 1));
  disk.folder("new").openFile("a", "write").sync();
  const lost = (): string[] => disk.crashClone(rng(1), "lose").list();
  expect(lost()).toEqual([]);
  disk.sync();
  expect(lost()).toEqual(["new"]);
  expect(disk.crashClone(rng(1), "lose").folder("new").list()).toEqual([]);
  disk.folder("new").sync();
  expect(disk.crashClone(rng(1), "lose").folder("new").list()).toEqual(["a"]);
  disk.rename("new", "now");
  expect(disk.folder("now").path).toBe("/disk/now");
  expect(lost()).toEqual(["new"]);
  expect(disk.crashClone(rng(1), "keep").folder("now").list()).toEqual(["a"]);
  expect(disk.log.map(({ kind, name }) => `${kind} ${name}`)).toContain("sync-directory new/");
});

test("a write that the cut stops ends with a whole sector where that is wanted", () => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    const disk = new PowerCutDisk({ cutAt: 2, wholeSectors: true, chance: rng(seed) });
    const file = disk.openFile("a", "create");
    expect(() => file.write(100, filled(2000, 1))).toThrow(PowerCutError);
    lengths.add(read(disk.reboot(rng(1), "keep"), "a").length);
  }
  expect(lengths).toEqual(new Set([0, 512, 1024, 1536, 2048]));
});
