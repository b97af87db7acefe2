import { renameSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SystemDirectory } from "../../../native-free/file.ts";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { goldenDataDir } from "../../../test/support/golden-data-dir.ts";
import { MemoryIo } from "../../../test/support/memory-io.ts";
import { META, STORAGE_VERSION } from "../../backend/buckets.ts";
import { main } from "../../console/main.ts";
import { Strata } from "../../engine/strata.ts";
import { openPageFile } from "../../pagefile/open.ts";
import { FieldWriter } from "../../proto/protobuf.ts";
import { EntryType } from "../../wal/entry.ts";
import { openWal } from "../../wal/wal.ts";
import { ETCDUTL } from "../etcdutl.ts";

async function migrate(...args: readonly string[]): Promise<[number, string, string]> {
  const io = new MemoryIo();
  const code = await main(ETCDUTL, ["migrate", ...args], io);
  return [code, io.stdout.text, io.stderr.text];
}

/** What its database says of its version. */
function versionRow(dir: string): string | undefined {
  const file = openPageFile(join(dir, "member/snap/db"), { readOnly: true });
  try {
    const row = file.view((tx) => tx.bucket(META)?.get(STORAGE_VERSION));
    return row && Buffer.from(row).toString();
  } finally {
    file.close();
  }
}

test("a data dir of etcd 3.6 becomes one of 3.5, and back again", async () => {
  const dir = goldenDataDir("v36");
  const to = (version: string): Promise<[number, string, string]> =>
    migrate("--data-dir", dir, "--target-version", version);
  expect(await to("3.6")).toEqual([0, "", "storage version up-to-date: 3.6.0\n"]);
  expect(await to("3.5")).toEqual([0, "", "storage version: 3.5.0\n"]);
  expect(versionRow(dir)).toBeUndefined();
  expect(await to("3.5")).toEqual([0, "", "storage version up-to-date: 3.5.0\n"]);
  expect(await to("3.6")).toEqual([0, "", "storage version: 3.6.0\n"]);
  expect(versionRow(dir)).toBe("3.6.0");
});

test("one of strata's becomes one of 3.6, and strata goes on with it", async () => {
  const dir = join(scratchFolder("migrate"), "data");
  const open = (): Promise<Strata> => Strata.open({ dir }, { log: () => undefined });
  {
    await using store = await open();
    await store.put("k", "v");
  }
  const flags = ["--data-dir", dir, "--target-version"];
  expect(await migrate(...flags, "3.6")).toEqual([0, "", "storage version: 3.6.0\n"]);
  {
    await using store = await open();
    expect((await store.get("k"))?.value.string()).toBe("v");
    const [code, , stderr] = await migrate(...flags, "3.5");
    expect([code, stderr]).toEqual([1, expect.stringContaining("held by")]);
  }
  expect(versionRow(dir)).toBe("3.6.0");
  expect(await migrate(...flags, "3.5")).toEqual([0, "", "storage version: 3.5.0\n"]);
});

test("one of 3.4 has no version to begin with", async () => {
  const message = "Error: missing term information\n";
  const args = ["--data-dir", goldenDataDir("basic"), "--target-version=3.6"];
  expect(await migrate(...args)).toEqual([1, "", message]);
  expect(await migrate(...args, "--force")).toEqual([1, "", message]);
});

test("a version that nobody knows the way to, unless it is forced", async () => {
  const dir = goldenDataDir("v36");
  const flags = ["--data-dir", dir, "--target-version"];
  expect(await migrate(...flags, "3.8")).toEqual([
    1,
    "",
    'Error: cannot create migration plan: version "3.7.0" is not supported\n',
  ]);
  const major = "cannot create migration plan: changing major storage version is not supported";
  expect(await migrate(...flags, "4.0")).toEqual([1, "", `Error: ${major}\n`]);
  expect(versionRow(dir)).toBe("3.6.0");
  expect(await migrate(...flags, "4.0", "--force")).toEqual([
    0,
    "",
    `Warning: forced: ${major}\nstorage version: 4.0.0\n`,
  ]);
  expect(versionRow(dir)).toBe("4.0.0");
});

test("a log that has what 3.5 cannot read", async () => {
  const dir = goldenDataDir("v36");
  const { wal } = openWal(new SystemDirectory(join(dir, "member/wal")));
  const test = new FieldWriter().message(1, Buffer.from("3.6.0")).bytes();
  const data = new FieldWriter().message(9900, test).bytes();
  const { term } = wal.hardState;
  await wal.append([{ type: EntryType.normal, term, index: wal.lastIndex + 1, data }]);
  await wal.close();
  const why =
    "cannot downgrade storage, WAL contains newer entries, as the target version (3.5.0) is lower than the version (3.6.0) detected from WAL logs";
  const args = ["--data-dir", dir, "--target-version=3.5"];
  expect(await migrate(...args)).toEqual([1, "", `Error: ${why}\n`]);
  expect(versionRow(dir)).toBe("3.6.0");
  const forced = `Warning: forced: ${why}\nstorage version: 3.5.0\n`;
  expect(await migrate(...args, "--force")).toEqual([0, "", forced]);
  expect(versionRow(dir)).toBeUndefined();
});

test("a data dir without its log stays as it is", async () => {
  const dir = goldenDataDir("v36");
  renameSync(join(dir, "member/wal"), join(dir, "member/elsewhere"));
  const [code, , stderr] = await migrate("--data-dir", dir, "--target-version=3.5");
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^Error: failed to read wal: [^\n]+\n$/),
  ]);
  expect(versionRow(dir)).toBe("3.6.0");
});

test.each([
  ["3", 'wrong target version format, expected "X.Y", got "3"'],
  ["3.5.1", 'wrong target version format, expected "X.Y", got "3.5.1"'],
  ["3.x", 'failed to parse target version: strconv.ParseInt: parsing "x": invalid syntax'],
  ["3.4", 'target version "3.4" not supported. Minimal "3.5"'],
  ["2.9", 'target version "2.9" not supported. Minimal "3.5"'],
])("the target %s is refused", async (version, message) => {
  expect(await migrate("--data-dir=nowhere", "--target-version", version)).toEqual([
    128,
    "",
    `Error: ${message}\n`,
  ]);
});

test("what is missing is said", async () => {
  const [code, , stderr] = await migrate("--target-version=3.6");
  expect([code, stderr]).toEqual([1, 'Error: required flag(s) "data-dir" not set\n']);
  expect(await migrate("--data-dir=nowhere", "--target-version=3.6")).toEqual([
    1,
    "",
    "Error: stat nowhere/member/snap/db: no such file or directory\n",
  ]);
});
