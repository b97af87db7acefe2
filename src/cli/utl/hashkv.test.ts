import { readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { goldenCopy, goldenPath } from "../../../test/support/golden.ts";
import { MemoryIo } from "../../../test/support/memory-io.ts";
import { main } from "../../console/main.ts";
import { openPageFile } from "../../pagefile/open.ts";
import { ETCDUTL } from "../etcdutl.ts";

async function hashkv(
  args: readonly string[],
  io = new MemoryIo(),
): Promise<[number, string, string]> {
  const code = await main(ETCDUTL, ["hashkv", ...args], io);
  return [code, io.stdout.text, io.stderr.text];
}

/** What servers have said of these files: test/golden/README.md. */
test.each([
  ["basic.snapshot.db", "4142670154, 11, -1"],
  ["compact16.snapshot.db", "3968684480, 20, 16"],
  ["full.datadir.db", "421711451, 30, 21"],
  // Its compaction was cut short.
  ["compact-crash.db", "2391440851, 207, 200"],
  ["v35.snapshot.db", "3339490773, 6, 4"],
  ["v36.datadir.db", "654140488, 9, -1"],
])("%s has the hash that its server gave, and is not changed", async (name, text) => {
  const path = goldenCopy(name);
  const before = statSync(path, { bigint: true }).mtimeNs;
  expect(await hashkv([path])).toEqual([0, `${text}\n`, ""]);
  expect(statSync(path, { bigint: true }).mtimeNs).toBe(before);
  expect(readFileSync(path).equals(readFileSync(goldenPath(name)))).toBe(true);
});

const BASIC = goldenPath("basic.snapshot.db");

test("at every revision of a history that was never compacted", async () => {
  const hashes: string[] = [];
  for (let rev = 1; rev <= 11; rev++) {
    hashes.push((await hashkv([BASIC, "--rev", String(rev)]))[1].split(",")[0] as string);
  }
  expect(hashes.join(", ")).toBe(
    "1084519789, 2587454935, 1827592406, 2069675932, 3967517047, 796222162, 3759686506, 1696238628, 3618038822, 2974413485, 4142670154",
  );
});

test("a revision that is not there yet, and one that is gone", async () => {
  expect(await hashkv([BASIC, "--rev=12"])).toEqual([
    1,
    "",
    "Error: mvcc: required revision is a future revision\n",
  ]);
  expect(await hashkv([goldenPath("compact16.snapshot.db"), "--rev=15"])).toEqual([
    1,
    "",
    "Error: mvcc: required revision has been compacted\n",
  ]);
});

test.each([
  ["json", '{"hash":4142670154,"hashRevision":11,"compactRevision":-1}\n'],
  ["fields", '"Hash" : 4142670154\n"Hash revision" : 11\n"Compact revision" : -1\n'],
  [
    "table",
    "+------------+---------------+------------------+\n" +
      "|    HASH    | HASH REVISION | COMPACT REVISION |\n" +
      "+------------+---------------+------------------+\n" +
      "| 4142670154 |            11 |               -1 |\n" +
      "+------------+---------------+------------------+\n",
  ],
])("as %s", async (format, text) => {
  expect(await hashkv([BASIC, "-w", format])).toEqual([0, text, ""]);
});

test("a database that somebody has open", async () => {
  const path = goldenCopy("basic.datadir.db");
  const file = openPageFile(path);
  try {
    expect(await hashkv([path])).toEqual([0, "4142670154, 11, -1\n", ""]);
  } finally {
    file.close();
  }
});

test("what is no database, or no file", async () => {
  expect(await hashkv([])).toEqual([1, "", "Error: accepts 1 arg(s), received 0\n"]);
  expect(await hashkv(["a", "b"])).toEqual([1, "", "Error: accepts 1 arg(s), received 2\n"]);
  const missing = "Error: stat nofile.db: no such file or directory\n";
  expect(await hashkv(["nofile.db"])).toEqual([1, "", missing]);
  const [code, stdout, stderr] = await hashkv([goldenPath("README.md")]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^Error: [^\n]*invalid database [^\n]*\n$/);
  expect(await hashkv(["/dev/zero"])).toEqual([1, "", "Error: /dev/zero: not a regular file\n"]);
  expect(await hashkv([BASIC, "-w", "protobuf"])).toEqual([
    4,
    "",
    "Error: protobuf not supported as output format\n",
  ]);
});

test("a signal ends it with the signal's code", async () => {
  const io = new MemoryIo();
  io.send("SIGTERM");
  expect(await hashkv([BASIC], io)).toEqual([143, "", "Error: stopped by SIGTERM\n"]);
});
