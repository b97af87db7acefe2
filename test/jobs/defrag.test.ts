import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { SystemFile } from "../../native-free/file.ts";
import { lockFile } from "../../native-free/file-lock.ts";
import { defragFile } from "../../src/jobs/defrag.ts";
import { defrag } from "../../src/jobs/defrag-work.ts";
import { JobPool } from "../../src/jobs/pool.ts";
import type { Progress } from "../../src/jobs/progress.ts";
import { snapshotStatus } from "../../src/jobs/snapshot-status.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { makeBigPageFile } from "../support/big-page-file.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { goldenCopy, goldenFiles, goldenPath } from "../support/golden.ts";
import { judgeCheck, judgeDigest } from "../support/judge.ts";

const pool = new JobPool();
afterAll(() => pool.close());

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test.each(goldenFiles(".db"))(
  "%s keeps its hash, revision and rows, and loses its free pages",
  async (name) => {
    const path = goldenCopy(name);
    const before = await snapshotStatus(pool, path, { liveKeys: true });
    const report = await defragFile(pool, path, { force: true });
    const after = await snapshotStatus(pool, path, { liveKeys: true });
    expect({ ...after, sizeBytes: 0, trailer: after.trailer.kind }).toEqual({
      ...before,
      sizeBytes: 0,
      trailer: before.trailer.kind,
    });
    expect(after.sizeBytes).toBe(report.sizeAfterBytes);
    expect(statSync(path).size).toBe(report.fileAfterBytes);
    const file = openPageFile(path);
    expect(file.check().faults).toEqual([]);
    expect(file.space().freeBytes).toBe(0);
    file.close();
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
  },
);

test("a snapshot's trailer is that of the new content, computed by somebody else", async () => {
  const path = goldenCopy("full.snapshot.db");
  const report = await defragFile(pool, path);
  expect(report.trailer).toBe("renewed");
  const bytes = readFileSync(path);
  expect(sha256(bytes.subarray(0, -32))).toBe(bytes.subarray(-32).toString("hex"));
});

test("what is not worth it is left alone, unless forced", async () => {
  const path = goldenCopy("defrag.after.db");
  await defragFile(pool, path, { force: true });
  const before = readFileSync(path);
  await expect(defragFile(pool, path)).rejects.toMatchObject({ code: "NO_GAIN" });
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(dirname(path))).toEqual([basename(path)]);
  const { sizeAfterBytes, sizeBeforeBytes } = await defragFile(pool, path, { force: true });
  expect(sizeAfterBytes).toBe(sizeBeforeBytes);
});

test("mode and owner stay, a symbolic link stays one, a hard link keeps the old content", async () => {
  const path = goldenCopy("defrag.before.db");
  chmodSync(path, 0o640);
  const folder = dirname(path);
  const link = join(folder, "link.db");
  const backup = join(folder, "backup.db");
  symlinkSync(basename(path), link);
  linkSync(path, backup);
  const { uid, gid } = statSync(path);
  await defragFile(pool, link);
  expect(readlinkSync(link)).toBe(basename(path));
  expect(statSync(path)).toMatchObject({ mode: 0o100640, uid, gid, size: 24576 });
  expect(readFileSync(backup).equals(readFileSync(goldenPath("defrag.before.db")))).toBe(true);
});

test("a data dir's database is found", async () => {
  const dir = scratchFolder("datadir");
  mkdirSync(join(dir, "member/snap"), { recursive: true });
  copyFileSync(goldenPath("defrag.before.db"), join(dir, "member/snap/db"));
  const { path, sizeBeforeBytes, sizeAfterBytes } = await defragFile(pool, dir);
  expect(path).toBe(join(dir, "member/snap/db"));
  expect(sizeBeforeBytes).toBe(77824);
  expect(sizeAfterBytes).toBeLessThan(40_000);
});

test("a locked file is refused with its holder's pid, and stays as it is", async () => {
  const path = goldenCopy("defrag.before.db");
  const holder = new SystemFile(path, "read");
  expect(lockFile(holder, "shared").kind).toBe("held");
  const refusal = defragFile(pool, path, { force: true });
  await expect(refusal).rejects.toMatchObject({ code: "LOCKED" });
  await expect(refusal).rejects.toThrow(new RegExp(`pid ${process.pid}`));
  holder.close();
  expect(readFileSync(path).equals(readFileSync(goldenPath("defrag.before.db")))).toBe(true);
});

test("litter of a killed run is removed, and nothing else", async () => {
  const path = goldenCopy("defrag.before.db");
  const folder = dirname(path);
  const name = basename(path);
  for (const each of [`${name}.tmp.123`, `${name}.tmp.keep`, `${name}.tmp`, "other.tmp.5"]) {
    writeFileSync(join(folder, each), "x");
  }
  const { removedLeftovers } = await defragFile(pool, path);
  expect(removedLeftovers).toEqual([`${name}.tmp.123`]);
  expect(readdirSync(folder).sort()).toEqual(
    [name, `${name}.tmp`, `${name}.tmp.keep`, "other.tmp.5"].sort(),
  );
});

test("a damaged database is refused before anything is put in its place", async () => {
  const path = goldenCopy("defrag.before.db");
  const bytes = readFileSync(path);
  // The keys of every leaf, from page 4 on: order is the one thing that betrays flipped bytes.
  for (let at = 4 * 4096; at < bytes.length; at++) bytes[at] = (bytes[at] as number) ^ 0x55;
  writeFileSync(path, bytes);
  await expect(defragFile(pool, path, { force: true })).rejects.toMatchObject({ code: "CORRUPT" });
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect(readdirSync(dirname(path))).toEqual([basename(path)]);
});

test("stopping it leaves the old file and no litter; progress says how far it was", async () => {
  const path = join(scratchFolder("abort"), "db");
  makeBigPageFile(path, 300_000, 200, 1);
  const before = sha256(readFileSync(path));
  const stop = new AbortController();
  const seen: Progress[] = [];
  const run = defragFile(pool, path, {
    force: true,
    signal: stop.signal,
    onProgress: (progress) => {
      seen.push(progress);
      if (progress.done > 0) stop.abort();
    },
  });
  await expect(run).rejects.toMatchObject({ name: "AbortError" });
  expect(
    seen.some(({ phase, done, total, rate }) => phase === "copying" && done <= total && rate > 0),
  ).toBe(true);
  expect(sha256(readFileSync(path))).toBe(before);
  expect(readdirSync(dirname(path))).toEqual(["db"]);
});

test("who opened the old file and waited for it does not go on with a file without a name", async () => {
  const path = goldenCopy("defrag.before.db");
  const waiter = new SystemFile(path, "write");
  await defrag({ path, force: true });
  expect(lockFile(waiter, "exclusive").kind).toBe("held");
  const head = new Uint8Array(8192);
  waiter.read(0, head);
  expect(head.every((byte) => byte === 0)).toBe(true);
  waiter.close();
});

describeWithPeers("bbolt on a defragmented file", ["go-bbolt"], () => {
  test.each(["bbolt-nested.db", "bbolt-ps1024.db", "full.datadir.db", "compact-crash.db"])(
    "%s is clean and holds the same, nested buckets and sequences included",
    async (name) => {
      const path = goldenCopy(name);
      const before = judgeDigest(path);
      await defragFile(pool, path, { force: true });
      expect(judgeCheck(path)).toEqual({ ok: true, errors: [] });
      expect(judgeDigest(path)).toEqual(before);
    },
  );
});
