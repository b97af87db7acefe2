import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c } from "../../native-free/crc32c.ts";
import { SystemDirectory } from "../../native-free/file.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { ErrorDisk } from "../../test/support/error-disk.ts";
import { goldenPath } from "../../test/support/golden.ts";
import { PowerCutDisk, PowerCutError } from "../../test/support/power-cut-disk.ts";
import { rng } from "../../test/support/rng.ts";
import { decoded } from "../../test/support/wal-records.ts";
import { hex, utf8 } from "../base/bytes.ts";
import { FieldWriter } from "../proto/protobuf.ts";
import {
  decodeSnapFile,
  encodeSnapFile,
  loadNewestSnap,
  type RaftSnapshot,
  releaseSnapFiles,
  snapName,
  writeSnapFile,
} from "./snap-file.ts";

const GOLDEN = [
  ["restore.snap", "0000000000000001-0000000000000002.snap", 2],
  ["full.snap15.snap", "0000000000000002-0000000000000015.snap", 1],
  ["full.snap2a.snap", "0000000000000002-000000000000002a.snap", 1],
] as const;

function snapshot(term: number, index: number, text = "{}"): RaftSnapshot {
  const confState = {
    voters: [2n ** 64n - 1n],
    learners: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
  return { term, index, confState, data: utf8(text) };
}

function directory(): SystemDirectory {
  return new SystemDirectory(scratchFolder("snap"));
}

test.each(GOLDEN)("%s is read, named and written as etcd did", (file, name, voters) => {
  const bytes = readFileSync(goldenPath(file));
  const read = decoded(decodeSnapFile(bytes));
  expect(read.confState.voters).toHaveLength(voters);
  expect(read.data[0]).toBe("{".charCodeAt(0));
  expect(snapName(read)).toBe(name);
  expect(hex(encodeSnapFile(read))).toBe(hex(bytes));
});

test("a file of etcd's with any one byte changed is refused, or says nothing else", () => {
  const bytes = readFileSync(goldenPath("restore.snap"));
  const read = decodeSnapFile(bytes);
  for (let at = 0; at < 200; at++) {
    const damaged = Uint8Array.from(bytes);
    damaged[at] = (damaged[at] as number) ^ 1;
    const found = decodeSnapFile(damaged);
    if (typeof found !== "string") expect(found).toEqual(read);
  }
  for (let end = 0; end < bytes.length; end += 97) {
    expect(typeof decodeSnapFile(bytes.subarray(0, end))).toBe("string");
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
      const inside = new FieldWriter().number(1, crc32c(noise)).message(2, noise).bytes();
      expect(typeof decodeSnapFile(noise)).toBe("string");
      expect(["object", "string"]).toContain(typeof decodeSnapFile(inside));
    }),
    { numRuns: 2000 },
  );
  expect(decodeSnapFile(new Uint8Array())).toBe("an empty snapshot");
  const flipped = Uint8Array.from(bytes);
  flipped[500] = (flipped[500] as number) ^ 1;
  expect(decodeSnapFile(flipped)).toMatch(/^a crc of 17368f9e where the data have [0-9a-f]{8}$/);
});

describe("a directory of them", () => {
  test("the newest whose record is in the log", () => {
    const snaps = directory();
    const names = [snapshot(2, 30), snapshot(3, 20), snapshot(3, 0x100)].map((one) =>
      writeSnapFile(snaps, one),
    );
    expect(snaps.list()).toEqual(names);
    const valid = [
      { index: 0, term: 0 },
      { index: 30, term: 2 },
      { index: 20, term: 3 },
      { index: 0x100, term: 2 },
    ];
    expect(loadNewestSnap(snaps, valid)).toEqual({ snapshot: snapshot(3, 20), broken: [] });
    expect(loadNewestSnap(snaps, [])).toEqual({ snapshot: undefined, broken: [] });
  });

  test("written again, it is the new one", () => {
    const snaps = directory();
    writeSnapFile(snaps, snapshot(1, 1, "a longer text"));
    writeSnapFile(snaps, snapshot(1, 1, "short"));
    expect(loadNewestSnap(snaps, [{ index: 1, term: 1 }]).snapshot).toEqual(
      snapshot(1, 1, "short"),
    );
  });

  test("broken ones are put aside, leftovers go, the rest stays", () => {
    const snaps = directory();
    writeSnapFile(snaps, snapshot(1, 5));
    const cut = writeSnapFile(snaps, snapshot(1, 6));
    const empty = writeSnapFile(snaps, snapshot(1, 7));
    writeFileSync(join(snaps.path, cut), readFileSync(join(snaps.path, cut)).subarray(0, 12));
    writeFileSync(join(snaps.path, empty), "");
    for (const name of ["db", "db.tmp.snap-file", "db.tmp123", "other.snap"]) {
      writeFileSync(join(snaps.path, name), "x");
    }
    const loaded = loadNewestSnap(snaps, [
      { index: 5, term: 1 },
      { index: 6, term: 1 },
      { index: 7, term: 1 },
    ]);
    expect(loaded.snapshot).toEqual(snapshot(1, 5));
    expect(loaded.broken).toEqual([
      { name: empty, why: "an empty snapshot" },
      { name: cut, why: expect.stringContaining("field 2 has") },
    ]);
    expect(snaps.list()).toEqual(
      [snapName(snapshot(1, 5)), `${cut}.broken`, `${empty}.broken`, "db", "other.snap"].sort(),
    );
  });

  test("release keeps the newest ones, and page files that are still ahead", () => {
    const snaps = directory();
    const names = [1, 2, 3, 4, 5, 6, 7].map((index) => writeSnapFile(snaps, snapshot(1, index)));
    for (const name of ["0000000000000006.snap.db", "0000000000000007.snap.db", "db"]) {
      writeFileSync(join(snaps.path, name), "");
    }
    expect(releaseSnapFiles(snaps)).toEqual([names[0], names[1], "0000000000000006.snap.db"]);
    expect(releaseSnapFiles(snaps, 1)).toEqual(names.slice(2, 6));
    expect(snaps.list()).toEqual([names[6], "0000000000000007.snap.db", "db"].sort());
  });
});

describe("a power loss", () => {
  const written = [snapshot(1, 5, "a".repeat(3000)), snapshot(2, 9, "b".repeat(700))];

  function live(disk: PowerCutDisk): number {
    let acknowledged = 0;
    try {
      for (const one of written) {
        writeSnapFile(disk, one);
        acknowledged++;
      }
    } catch (error) {
      if (!(error instanceof PowerCutError)) throw error;
    }
    return acknowledged;
  }

  test("takes a snapshot whole or not at all, and none that was written", () => {
    const calm = new PowerCutDisk();
    expect(live(calm)).toBe(2);
    expect(calm.events).toBeGreaterThan(8);
    for (let cutAt = 1; cutAt <= calm.events; cutAt++) {
      for (const survival of ["keep", "lose", "torn"] as const) {
        for (let seed = 0; seed < 10; seed++) {
          const disk = new PowerCutDisk({ cutAt });
          const acknowledged = live(disk);
          const found = disk.reboot(rng(cutAt * 100 + seed), survival);
          const { snapshot: loaded, broken } = loadNewestSnap(found, written);
          expect(broken).toEqual([]);
          expect([written[acknowledged - 1], written[acknowledged]]).toContainEqual(loaded);
          expect(found.list().every((name) => name.endsWith(".snap"))).toBe(true);
        }
      }
    }
  });

  test("a full disk leaves the snapshots that were there", () => {
    const snaps = directory();
    writeSnapFile(snaps, snapshot(1, 5));
    for (const operations of ["open", "write", "truncate", "sync", "rename"] as const) {
      const full = new ErrorDisk(snaps, { operations, code: "ENOSPC", nth: 1, lasts: "once" });
      expect(() => writeSnapFile(full, snapshot(1, 6))).toThrow("ENOSPC");
      expect(loadNewestSnap(snaps, [snapshot(1, 5), snapshot(1, 6)]).snapshot).toEqual(
        snapshot(1, 5),
      );
    }
  });
});
