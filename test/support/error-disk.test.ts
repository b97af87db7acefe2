import { expect, test } from "vitest";
import { ErrorDisk, type Fault } from "./error-disk.ts";
import { PowerCutDisk } from "./power-cut-disk.ts";

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

/** One of each, two writes; the names of those that threw, with the error's code. */
function work(disk: ErrorDisk): string[] {
  const failed: string[] = [];
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (error) {
      failed.push(`${what} ${(error as NodeJS.ErrnoException).code}`);
    }
  };
  const file = disk.openFile("a", "create");
  attempt("write", () => file.write(0, bytes(1, 2, 3)));
  attempt("write parts", () => file.writeParts(3, [bytes(4), bytes(5, 6)]));
  attempt("read", () => file.read(0, bytes()));
  attempt("read some", () => file.readSome(0, bytes(0)));
  attempt("truncate", () => file.truncate(4));
  attempt("sync", () => file.sync());
  attempt("rename", () => disk.rename("a", "b"));
  attempt("sync directory", () => disk.sync());
  attempt("remove", () => disk.remove(disk.exists("b") ? "b" : "a"));
  file.close();
  return failed;
}

const fail = (fault: Partial<Fault>): Fault => ({
  operations: "write",
  code: "ENOSPC",
  nth: 1,
  lasts: "once",
  ...fault,
});

test("a calm run counts the operations there are to fail", () => {
  const disk = new ErrorDisk(new PowerCutDisk());
  expect(work(disk)).toEqual([]);
  const operations = ["open", "read", "write", "truncate", "sync", "rename", "remove"] as const;
  expect(operations.map((operation) => disk.count({ operations: operation }))).toEqual([
    1, 2, 2, 1, 1, 1, 1,
  ]);
  expect(disk.count({ operations: "sync-directory" })).toBe(1);
  expect(disk.count({ operations: ["write", "sync"] })).toBe(3);
  expect(disk.count({ operations: ["write", "sync"], name: "a" })).toBe(3);
  expect(disk.count({ operations: ["write", "sync"], name: "b" })).toBe(0);
  expect(disk.failures).toBe(0);
});

test.each([
  [fail({}), ["write ENOSPC"]],
  [fail({ nth: 2 }), ["write parts ENOSPC"]],
  [fail({ nth: 3 }), []],
  [fail({ lasts: "from then on" }), ["write ENOSPC", "write parts ENOSPC"]],
  [fail({ operations: "read", code: "EIO", nth: 2 }), ["read some EIO"]],
  [fail({ operations: "truncate" }), ["truncate ENOSPC"]],
  [fail({ operations: "sync", code: "EIO" }), ["sync EIO"]],
  [fail({ operations: "rename", code: "EIO" }), ["rename EIO"]],
  [fail({ operations: "sync-directory", code: "EIO" }), ["sync directory EIO"]],
  [fail({ operations: "remove", code: "EIO" }), ["remove EIO"]],
  [fail({ operations: ["truncate", "sync"], nth: 2, code: "EIO" }), ["sync EIO"]],
  [fail({ name: "a" }), ["write ENOSPC"]],
  [fail({ name: "b" }), []],
])("%o fails exactly what it says", (fault, failed) => {
  const disk = new ErrorDisk(new PowerCutDisk(), fault);
  expect(work(disk)).toEqual(failed);
  expect(disk.failures).toBe(failed.length);
});

test("an open can fail, and makes nothing", () => {
  const disk = new ErrorDisk(new PowerCutDisk(), fail({ operations: "open" }));
  expect(() => disk.openFile("a", "create")).toThrow(
    "ENOSPC: no space left on device, open '/disk/a'",
  );
  expect(disk.list()).toEqual([]);
  disk.openFile("a", "create");
});

test("what failed has not happened, but for the half of a short write", () => {
  const disk = new ErrorDisk(new PowerCutDisk());
  const file = disk.openFile("a", "create");
  file.write(0, bytes(1, 1, 1, 1, 1, 1));
  const contents = (): number[] => {
    const into = new Uint8Array(file.size());
    file.read(0, into);
    return [...into];
  };
  disk.arm(fail({}));
  expect(() => file.write(0, bytes(2, 2, 2))).toThrow("ENOSPC: no space left on device, write");
  expect(contents()).toEqual([1, 1, 1, 1, 1, 1]);
  disk.arm(fail({ shortWrite: true }));
  expect(() => file.write(0, bytes(3, 3, 3))).toThrow(/ENOSPC/);
  expect(contents()).toEqual([3, 1, 1, 1, 1, 1]);
  disk.arm(fail({ shortWrite: true, code: "EIO" }));
  expect(() => file.writeParts(4, [bytes(4), bytes(5, 6, 7, 8)])).toThrow(/EIO/);
  expect(contents()).toEqual([3, 1, 1, 1, 4, 5]);
  disk.arm(fail({ operations: "truncate" }));
  expect(() => file.truncate(0)).toThrow(/ENOSPC/);
  expect(contents()).toEqual([3, 1, 1, 1, 4, 5]);
});

test("a fault counts from when it is armed, and a healed disk works again", () => {
  const disk = new ErrorDisk(new PowerCutDisk());
  const file = disk.openFile("a", "create");
  file.sync();
  disk.arm(fail({ operations: "sync", nth: 2, lasts: "from then on", code: "EIO" }));
  file.sync();
  expect(() => file.sync()).toThrow(/EIO/);
  expect(() => file.sync()).toThrow(/EIO/);
  disk.heal();
  file.sync();
  expect([disk.failures, disk.count({ operations: "sync" })]).toEqual([2, 5]);
});

test("folders count with the disk, and fail with it", () => {
  const disk = new ErrorDisk(new PowerCutDisk(), {
    operations: ["write", "folder"],
    code: "EIO",
    nth: 3,
    lasts: "from then on",
  });
  disk.makeFolder("a");
  const file = disk.folder("a").openFile("b", "create");
  file.write(0, new Uint8Array(10));
  expect(() => file.write(0, new Uint8Array(10))).toThrow("EIO");
  expect(() => disk.folder("a").makeFolder("c")).toThrow("EIO");
  expect(disk.failed).toEqual(["write a/b", "folder a/c/"]);
  expect(disk.count({ operations: "write", name: "a/b" })).toBe(2);
  expect(disk.openFiles).toEqual(["/disk/a/b"]);
  file.close();
  expect(disk.openFiles).toEqual([]);
});
