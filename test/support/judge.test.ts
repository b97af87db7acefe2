import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "./cleanup.ts";
import { describeWithPeers } from "./describe-with-peers.ts";
import { goldenCopy, goldenFiles, goldenPath, goldenStatus } from "./golden.ts";
import {
  decode,
  judgeApply,
  judgeCheck,
  judgeCompact,
  judgeDigest,
  judgeDump,
  judgeHold,
  type Operation,
} from "./judge.ts";
import { peerPath } from "./peers.ts";

const PAGE_BYTES = 4096;
const hex = (text: string): string => Buffer.from(text).toString("hex");

/** A copy of a golden file with bytes changed by hand. */
function damaged(name: string, damage: (bytes: Buffer) => void): string {
  const file = goldenCopy(name);
  const bytes = readFileSync(file);
  damage(bytes);
  writeFileSync(file, bytes);
  return file;
}

// bbolt-nested.db stores its freelist on page 5: count at byte 10, ids from byte 16, the last two 23 and 24.
const FREELIST = 5 * PAGE_BYTES;
const LAST_IDS = FREELIST + 16 + 10 * 8;
const ALPHA_ROOT = 22;

describeWithPeers("the judge", ["go-bbolt"], () => {
  test.each(goldenFiles(".db"))("finds %s clean, and leaves it as it was", (name) => {
    const file = goldenCopy(name);
    expect(judgeCheck(file)).toEqual({ ok: true, errors: [] });
    expect(readFileSync(file).equals(readFileSync(goldenPath(name)))).toBe(true);
  });

  test("finds a live page in the freelist, and the one it pushed out", () => {
    const file = damaged("bbolt-nested.db", (bytes) => {
      bytes.writeUInt32LE(ALPHA_ROOT, LAST_IDS);
      bytes.writeUInt32LE(23, LAST_IDS + 8);
    });
    expect(judgeCheck(file)).toEqual({
      ok: false,
      errors: ["page 22: reachable freed", "page 24: unreachable unfreed"],
    });
  });

  test("finds a page that nothing refers to", () => {
    const file = damaged("bbolt-nested.db", (bytes) => bytes.writeUInt16LE(11, FREELIST + 10));
    expect(judgeCheck(file)).toEqual({ ok: false, errors: ["page 24: unreachable unfreed"] });
  });

  test("finds keys out of order, which Tx.Check 1.3.6 does not look at", () => {
    const file = damaged("bbolt-ps1024.db", (bytes) => {
      for (let at = bytes.indexOf("k042"); at >= 0; at = bytes.indexOf("k042", at)) {
        bytes.write("k999", at);
      }
    });
    const { ok, errors } = judgeCheck(file);
    expect(ok).toBe(false);
    expect(errors).toContain('bucket ["a"]: key 6b303433 does not follow 6b393939');
  });

  test("survives what bbolt does not: a panic is an error", () => {
    const LEAF = 2;
    const file = damaged("bbolt-nested.db", (bytes) => bytes.writeUInt16LE(LEAF, FREELIST + 8));
    expect(judgeCheck(file)).toEqual({
      ok: false,
      errors: [expect.stringMatching(/^crash: panic: invalid freelist page: 5, page type is leaf/)],
    });
  });

  test("refuses a file that is cut short, and one that is not there without making it", () => {
    const cut = goldenCopy("basic.datadir.db");
    truncateSync(cut, 7 * PAGE_BYTES);
    expect(judgeCheck(cut).errors).toEqual(["file has 28672 bytes, its pages in use need 32768"]);
    const missing = join(scratchFolder("judge"), "none.db");
    expect(judgeCheck(missing).errors).toEqual([expect.stringContaining("no such file")]);
    expect(() => judgeDump(missing)).toThrow("no such file");
    expect(existsSync(missing)).toBe(false);
  });

  test("dumps nested buckets, sequences, keys and empty values", () => {
    const dump = judgeDump(goldenPath("bbolt-nested.db"));
    const alpha = hex("alpha");
    expect(dump.map(({ path, sequence, keys }) => [path, sequence, keys.length])).toEqual([
      [[alpha], "7", 266],
      [[alpha, hex("nested")], "2", 1],
      [[alpha, hex("nested"), hex("deeper")], "0", 1],
      [[hex("empty")], String(2 ** 40), 0],
      [[hex("inline-1024")], "0", 1],
      [[hex("overflow")], "0", 1],
      [[hex("paged-1025")], "0", 1],
    ]);
    expect(dump[0]?.keys[1]).toEqual([hex("key-0002"), hex("value-0002")]);
    expect(dump[5]?.keys).toEqual([[hex("zero"), ""]]);
  });

  test("digests are those of the dump", () => {
    for (const name of goldenFiles(".db")) {
      const expected = judgeDump(goldenPath(name)).map(({ path, sequence, keys }) => {
        const hash = createHash("sha256");
        for (const part of keys.flat()) {
          const bytes = Buffer.from(part, "hex");
          const length = Buffer.alloc(4);
          length.writeUInt32BE(bytes.length);
          hash.update(length).update(bytes);
        }
        return { path, sequence, keys: keys.length, digest: hash.digest("hex") };
      });
      expect(judgeDigest(goldenPath(name))).toEqual(expected);
    }
  });

  test("writes a script's transactions, and forgets the one that was rolled back", () => {
    const file = join(scratchFolder("judge"), "new.db");
    const a = [hex("a")];
    const inner = [hex("a"), hex("inner")];
    const script: Operation[] = [
      { op: "begin" },
      { op: "createBucket", path: a },
      { op: "createBucket", path: inner },
      { op: "put", path: inner, key: hex("k"), value: "" },
      { op: "put", path: a, key: "ff00", value: "01" },
      { op: "put", path: a, key: hex("gone"), value: "02" },
      { op: "setSequence", path: a, sequence: String(2n ** 64n - 2n) },
      { op: "nextSequence", path: a },
      { op: "commit" },
      { op: "begin" },
      { op: "delete", path: a, key: hex("gone") },
      { op: "createBucket", path: [hex("b")] },
      { op: "deleteBucket", path: [hex("b")] },
      { op: "commit" },
      { op: "begin" },
      { op: "deleteBucket", path: inner },
      { op: "rollback" },
    ];
    const applied = judgeApply(file, script, { pageSize: 1024, noFreelistSync: true });
    expect(applied).toHaveLength(script.length);
    expect(applied[7]).toEqual({ sequence: String(2n ** 64n - 1n) });
    expect(judgeCheck(file)).toEqual({ ok: true, errors: [] });
    expect(judgeDump(file)).toEqual([
      { path: a, sequence: String(2n ** 64n - 1n), keys: [["ff00", "01"]] },
      { path: inner, sequence: "0", keys: [[hex("k"), ""]] },
    ]);
    const bytes = readFileSync(file);
    expect(bytes.readUInt32LE(24)).toBe(1024);
    expect(bytes.readBigUInt64LE(48)).toBe(2n ** 64n - 1n); // The freelist is not stored.
  });

  test("an operation that bbolt refuses ends the script, or is an answer", () => {
    const file = join(scratchFolder("judge"), "refused.db");
    const script: Operation[] = [
      { op: "begin" },
      { op: "put", path: [hex("none")], key: "00", value: "" },
      { op: "createBucket", path: [hex("a")] },
      { op: "createBucket", path: [hex("a")] },
      { op: "put", path: [hex("a")], key: "", value: "" },
      { op: "commit" },
    ];
    expect(() => judgeApply(file, script)).toThrow("operation 2 (put): bucket not found");
    expect(judgeApply(file, script, { keepGoing: true })).toEqual([
      {},
      { error: "bucket not found" },
      {},
      { error: "bucket already exists" },
      { error: "key required" },
      {},
    ]);
    expect(() => judgeApply(file, [{ op: "begin" }])).toThrow("ends inside a transaction");
  });

  test("compacts a file into a smaller one of the same content", () => {
    const source = goldenCopy("bbolt-nested.db");
    const target = join(scratchFolder("judge"), "compact.db");
    for (const options of [{}, { txMaxSize: 100, noSync: true }]) {
      const into = `${target}.${JSON.stringify(options).length}`;
      const { sourceBytes, targetBytes } = judgeCompact(source, into, options);
      expect(sourceBytes).toBe(131072);
      expect(targetBytes).toBe(statSync(into).size);
      expect(judgeDigest(into)).toEqual(judgeDigest(source));
    }
  });
});

describeWithPeers("the judge's lock", ["go-bbolt", "flock"], () => {
  const tryLock = (kind: "-x" | "-s", file: string): number | null =>
    spawnSync(peerPath("flock"), ["-n", kind, file, "true"]).status;

  test("is exclusive, and gone when released", async () => {
    const file = goldenCopy("basic.datadir.db");
    const held = await judgeHold(file);
    expect(held.pid).toBeGreaterThan(1);
    expect(tryLock("-s", file)).toBe(1);
    expect(judgeCheck(file)).toEqual({ ok: false, errors: ["timeout"] });
    await expect(judgeHold(file)).rejects.toThrow("timeout");
    await held.release();
    expect(tryLock("-x", file)).toBe(0);
  });

  test("lets readers in when it is a reader's", async () => {
    const file = goldenCopy("basic.datadir.db");
    const held = await judgeHold(file, { shared: true });
    expect(tryLock("-s", file)).toBe(0);
    expect(tryLock("-x", file)).toBe(1);
    expect(judgeCheck(file).ok).toBe(true);
    await held.release();
  });
});

describeWithPeers("the independent reader", ["python3"], () => {
  test.each(goldenFiles(".db"))("finds %s clean, with the status beside it", (name) => {
    expect(decode("check", goldenPath(name))).toBe("OK\n");
    const status = goldenStatus(name);
    if (status !== undefined) {
      expect(JSON.parse(decode("status", goldenPath(name)))).toMatchObject({
        "etcdctl-3.4": status,
      });
    }
  });

  test("finds a page that calls itself by another id, which bbolt 1.3.6 reads on from", () => {
    const file = damaged("bbolt-nested.db", (bytes) => {
      bytes.writeUInt32LE(77, ALPHA_ROOT * PAGE_BYTES);
    });
    expect(() => decode("check", file)).toThrow(/expected to be: 22, but self identifies as 77/);
  });
});
