import { describe, expect, test } from "vitest";
import {
  type Directory,
  type DirectoryTree,
  type RandomAccessFile,
  ShortReadError,
} from "../../native-free/file.ts";

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

function contents(file: RandomAccessFile): number[] {
  const into = new Uint8Array(file.size());
  file.read(0, into);
  return [...into];
}

/** The code of the error that `action` throws; undefined if it throws none. */
function codeOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
  return undefined;
}

/**
 * What every `Directory` does, a fake one as much as the system's: code that passes on one must not fail on another
 * for a difference nobody meant.
 *
 * @param make  an empty directory; called within each test, so `onTestFinished` works in it.
 */
export function describeDirectory(name: string, make: () => Directory): void {
  describe(`directory of ${name}`, () => {
    test("bytes read back where they were written, and a gap reads as zeros", () => {
      const file = make().openFile("a", "create");
      expect(file.size()).toBe(0);
      file.write(3, bytes(1, 2, 3));
      expect(contents(file)).toEqual([0, 0, 0, 1, 2, 3]);
      file.write(4, bytes(9));
      file.write(0, bytes());
      expect(contents(file)).toEqual([0, 0, 0, 1, 9, 3]);
      file.sync();
      expect(contents(file)).toEqual([0, 0, 0, 1, 9, 3]);
    });

    test("a write keeps nothing of the caller's buffer, and reads fill a stale one", () => {
      const file = make().openFile("a", "create");
      const buffer = bytes(1, 2, 3);
      file.write(0, buffer);
      buffer.fill(7);
      expect(contents(file)).toEqual([1, 2, 3]);
      file.truncate(6);
      const into = new Uint8Array(5).fill(8);
      file.read(1, into);
      expect([...into]).toEqual([2, 3, 0, 0, 0]);
    });

    test("parts are written one after another, empty ones too", () => {
      const file = make().openFile("a", "create");
      file.writeParts(1, [bytes(1, 2), bytes(), bytes(3)]);
      file.writeParts(9, []);
      expect(contents(file)).toEqual([0, 1, 2, 3]);
    });

    test("large writes and reads cross every inner boundary", () => {
      const file = make().openFile("a", "create");
      const large = new Uint8Array(200_000).map((_, i) => i * 31);
      file.write(12_345, large);
      file.write(100_000, bytes(1, 2, 3));
      large.set([1, 2, 3], 100_000 - 12_345);
      const into = new Uint8Array(large.length);
      file.read(12_345, into);
      expect(Buffer.compare(into, large)).toBe(0);
      expect(file.size()).toBe(212_345);
    });

    test("a read past the end names the file and both lengths; readSome takes what there is", () => {
      const file = make().openFile("short", "create");
      file.write(0, bytes(1, 2, 3, 4, 5));
      expect(() => file.read(2, new Uint8Array(10))).toThrow(ShortReadError);
      expect(() => file.read(2, new Uint8Array(10))).toThrow(/short: offset 2: .* 3 of 10 bytes/);
      const into = new Uint8Array(10).fill(9);
      expect(file.readSome(3, into)).toBe(2);
      expect([...into.subarray(0, 3)]).toEqual([4, 5, 9]);
      expect([file.readSome(5, into), file.readSome(500, into)]).toEqual([0, 0]);
    });

    test("what was cut away is zeros when the file grows again", () => {
      const file = make().openFile("a", "create");
      file.write(0, bytes(1, 2, 3, 4));
      file.truncate(2);
      expect(contents(file)).toEqual([1, 2]);
      file.truncate(4);
      expect(contents(file)).toEqual([1, 2, 0, 0]);
      file.truncate(1);
      file.write(3, bytes(5));
      expect(contents(file)).toEqual([1, 0, 0, 5]);
      const large = new Uint8Array(100_000).fill(1);
      file.write(0, large);
      file.truncate(50_000);
      file.truncate(100_000);
      const tail = new Uint8Array(50_000).fill(9);
      file.read(50_000, tail);
      expect(tail.every((byte) => byte === 0)).toBe(true);
    });

    test("opening: the four modes and their refusals", () => {
      const directory = make();
      expect(codeOf(() => directory.openFile("a", "read"))).toBe("ENOENT");
      expect(codeOf(() => directory.openFile("a", "write"))).toBe("ENOENT");
      const file = directory.openFile("a", "create-exclusive");
      expect(file.path).toBe(`${directory.path}/a`);
      file.write(0, bytes(1, 2));
      expect(codeOf(() => directory.openFile("a", "create-exclusive"))).toBe("EEXIST");
      const again = directory.openFile("a", "create");
      expect(contents(again)).toEqual([1, 2]);
      directory.openFile("a", "write").write(0, bytes(7));
      expect(contents(file)).toEqual([7, 2]);
    });

    test("a file opened for reading refuses writes and may be synced", () => {
      const directory = make();
      directory.openFile("a", "create").write(0, bytes(1));
      const file = directory.openFile("a", "read");
      expect(codeOf(() => file.write(0, bytes(2)))).toBe("EBADF");
      expect(codeOf(() => file.writeParts(0, [bytes(2)]))).toBe("EBADF");
      expect(codeOf(() => file.truncate(0))).toBe("EINVAL");
      file.sync();
      expect(contents(file)).toEqual([1]);
    });

    test("closing twice is harmless, using a closed file is not", () => {
      const file = make().openFile("a", "create");
      file.close();
      file.close();
      expect(codeOf(() => file.size())).toBe("EBADF");
      expect(codeOf(() => file.readSome(0, new Uint8Array(1)))).toBe("EBADF");
      expect(codeOf(() => file.write(0, bytes(1)))).toBe("EBADF");
      expect(codeOf(() => file.truncate(0))).toBe("EBADF");
      expect(codeOf(() => file.sync())).toBe("EBADF");
    });

    test("names are listed in byte order", () => {
      const directory = make();
      expect(directory.list()).toEqual([]);
      for (const name of ["b", "a", "B", "a0"]) directory.openFile(name, "create").close();
      expect(directory.list()).toEqual(["B", "a", "a0", "b"]);
      expect([directory.exists("a0"), directory.exists("c")]).toEqual([true, false]);
    });

    test("a rename takes the place of its target; who had that open keeps the old file", () => {
      const directory = make();
      directory.openFile("new", "create").write(0, bytes(1));
      const old = directory.openFile("db", "create");
      old.write(0, bytes(2));
      directory.rename("new", "db");
      directory.sync();
      expect(directory.list()).toEqual(["db"]);
      expect(contents(directory.openFile("db", "read"))).toEqual([1]);
      expect(contents(old)).toEqual([2]);
      directory.rename("db", "db");
      expect(directory.list()).toEqual(["db"]);
      expect(codeOf(() => directory.rename("missing", "db"))).toBe("ENOENT");
    });

    test("a removed file lives on for who has it open, and its name is free", () => {
      const directory = make();
      const old = directory.openFile("a", "create");
      old.write(0, bytes(1));
      directory.remove("a");
      expect(directory.exists("a")).toBe(false);
      expect(codeOf(() => directory.remove("a"))).toBe("ENOENT");
      const fresh = directory.openFile("a", "create-exclusive");
      old.write(1, bytes(2));
      old.sync();
      directory.sync();
      expect(contents(old)).toEqual([1, 2]);
      expect(fresh.size()).toBe(0);
    });
  });
}

/** What every `DirectoryTree` does besides. */
export function describeDirectoryTree(name: string, make: () => DirectoryTree): void {
  describe(`directories in a directory of ${name}`, () => {
    test("are made once, listed, and removed when they are empty", () => {
      const directory = make();
      directory.makeFolder("wal");
      expect([directory.list(), directory.exists("wal")]).toEqual([["wal"], true]);
      expect(codeOf(() => directory.makeFolder("wal"))).toBe("EEXIST");
      const folder = directory.folder("wal");
      expect([folder.path, folder.list()]).toEqual([`${directory.path}/wal`, []]);
      folder.openFile("a", "create").write(0, bytes(1));
      expect(codeOf(() => directory.removeFolder("wal"))).toBe("ENOTEMPTY");
      folder.remove("a");
      directory.removeFolder("wal");
      expect(directory.list()).toEqual([]);
      expect(codeOf(() => directory.removeFolder("wal"))).toBe("ENOENT");
    });

    test("move with what is in them, over an empty one but no other", () => {
      const directory = make();
      for (const folder of ["new", "empty", "full"]) directory.makeFolder(folder);
      directory.folder("new").openFile("a", "create").write(0, bytes(1));
      directory.folder("full").openFile("b", "create").close();
      expect(codeOf(() => directory.rename("new", "full"))).toBe("ENOTEMPTY");
      directory.rename("new", "empty");
      expect(directory.list()).toEqual(["empty", "full"]);
      expect(contents(directory.folder("empty").openFile("a", "read"))).toEqual([1]);
      expect(codeOf(() => directory.openFile("empty", "write"))).toBe("EISDIR");
    });
  });
}

/** What a file does that can be synced beside, and a directory. */
export function describeSyncBeside(name: string, make: () => Directory): void {
  test(`syncing beside, on ${name}: what is written meanwhile is written`, async () => {
    const directory = make();
    const file = directory.openFile("a", "create");
    file.write(0, bytes(1, 2));
    const synced = file.syncBeside?.();
    expect(synced).toBeInstanceOf(Promise);
    file.write(1, bytes(3));
    await synced;
    expect(contents(file)).toEqual([1, 3]);
    await directory.syncBeside?.();
  });
}
