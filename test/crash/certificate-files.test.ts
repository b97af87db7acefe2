/** The files of `--auto-tls`: a certificate that is there is whole, and has its own key. */
import { expect, test } from "vitest";
import type { Directory } from "../../native-free/file.ts";
import { CERT_NAME, KEY_NAME, makeOnce } from "../../src/server/tls/certificate-files.ts";
import { ErrorDisk } from "../support/error-disk.ts";
import { PowerCutDisk, PowerCutError } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

const LENGTH = 700;

function pair(letter: string) {
  return { key: `k${letter}`.repeat(LENGTH), certificate: `c${letter}`.repeat(LENGTH) };
}

function textOf(folder: Directory, name: string): string {
  const file = folder.openFile(name, "read");
  const bytes = Buffer.alloc(file.size());
  file.read(0, bytes);
  file.close();
  return bytes.toString();
}

function mustBeWhole(folder: Directory, letters: readonly string[]): void {
  const found = { key: textOf(folder, KEY_NAME), certificate: textOf(folder, CERT_NAME) };
  expect(letters.map(pair)).toContainEqual(found);
  expect(folder.list()).toEqual([CERT_NAME, KEY_NAME]);
}

test("what is there is not made again", () => {
  const disk = new PowerCutDisk();
  expect(makeOnce(disk, () => pair("a"))).toBe(true);
  expect(makeOnce(disk, () => pair("b"))).toBe(false);
  mustBeWhole(disk, ["a"]);
  mustBeWhole(disk.reboot(rng(1), "lose"), ["a"]);
});

test("a certificate without its key is made anew", () => {
  const disk = new PowerCutDisk();
  makeOnce(disk, () => pair("a"));
  disk.remove(KEY_NAME);
  expect(makeOnce(disk, () => pair("b"))).toBe(true);
  mustBeWhole(disk, ["b"]);
});

test("power cut at every event: the next start finds both, or makes both", () => {
  const calm = new PowerCutDisk();
  makeOnce(calm, () => pair("a"));
  expect(calm.events).toBeGreaterThan(5);
  for (let cutAt = 1; cutAt <= calm.events; cutAt++) {
    for (const survival of ["keep", "lose", "torn"] as const) {
      const disk = new PowerCutDisk({ cutAt });
      expect(() => makeOnce(disk, () => pair("a"))).toThrow(PowerCutError);
      const left = disk.reboot(rng(cutAt), survival);
      makeOnce(left, () => pair("b"));
      mustBeWhole(left, ["a", "b"]);
    }
  }
});

test("every operation failing once: it is said, nothing stays open, and the next start makes them", () => {
  const operations = ["open", "write", "sync", "rename", "sync-directory"] as const;
  for (const operation of operations) {
    for (const nth of [1, 2]) {
      const inner = new PowerCutDisk();
      const disk = new ErrorDisk(inner, { operations: operation, code: "EIO", nth, lasts: "once" });
      expect(() => makeOnce(disk, () => pair("a"))).toThrow(/EIO/);
      expect(disk.openFiles).toEqual([]);
      makeOnce(inner, () => pair("b"));
      mustBeWhole(inner, ["a", "b"]);
    }
  }
});
