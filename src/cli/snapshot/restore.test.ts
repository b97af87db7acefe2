import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { goldenPath } from "../../../test/support/golden.ts";
import { MemoryIo } from "../../../test/support/memory-io.ts";
import {
  CONSISTENT_INDEX,
  KEY,
  MEMBERS,
  META,
  SCHEDULED_COMPACT_REV,
  TERM,
} from "../../backend/buckets.ts";
import { encodeRevision } from "../../backend/revision.ts";
import type { Program } from "../../console/command.ts";
import { main } from "../../console/main.ts";
import { Strata } from "../../engine/strata.ts";
import { openPageFile } from "../../pagefile/open.ts";
import { ETCDCTL } from "../etcdctl.ts";
import { ETCDUTL } from "../etcdutl.ts";

const BASIC = goldenPath("basic.snapshot.db");

const GOLDEN_CLUSTER = [
  "--name=r1",
  "--initial-cluster=r1=http://127.0.0.1:33800,r2=http://127.0.0.1:33801",
  "--initial-cluster-token=newtok",
  "--initial-advertise-peer-urls=http://127.0.0.1:33800",
];

async function restore(
  program: Program,
  args: readonly string[],
  io: MemoryIo = new MemoryIo(),
): Promise<[number, string, string]> {
  const code = await main(program, ["snapshot", "restore", ...args], io);
  return [code, io.stdout.text, io.stderr.text];
}

const OK = [0, "", ""];

/** The log of a data dir, and the rest of its segment's zeros apart. */
function walOf(dir: string): Buffer {
  return readFileSync(join(dir, "0000000000000000-0000000000000000.wal"));
}

function rows(dir: string, bucket: Uint8Array): [string, string][] {
  const file = openPageFile(join(dir, "member/snap/db"), { readOnly: true });
  try {
    return file.view((tx) => {
      const found: [string, string][] = [];
      const cursor = tx.bucket(bucket)?.cursor();
      for (let more = cursor?.first(); more && cursor; more = cursor.next()) {
        const text = (bytes: Uint8Array | undefined): string =>
          Buffer.from(bytes ?? []).toString("latin1");
        found.push([text(cursor.key()), text(cursor.value())]);
      }
      return found;
    });
  } finally {
    file.close();
  }
}

test("the log and the .snap file are those that etcdctl 3.4 makes, to the byte", async () => {
  const dir = join(scratchFolder("restore"), "deep", "r1");
  expect(await restore(ETCDCTL, [BASIC, "--data-dir", dir, ...GOLDEN_CLUSTER])).toEqual(OK);
  const golden = readFileSync(goldenPath("restore.wal"));
  const wal = walOf(join(dir, "member/wal"));
  expect(wal.subarray(0, golden.length).equals(golden)).toBe(true);
  expect(wal.subarray(golden.length).every((byte) => byte === 0)).toBe(true);
  const snap = join(dir, "member/snap");
  expect(readdirSync(snap)).toEqual(["0000000000000001-0000000000000002.snap", "db"]);
  const made = readFileSync(join(snap, "0000000000000001-0000000000000002.snap"));
  expect(made.equals(readFileSync(goldenPath("restore.snap")))).toBe(true);
  expect(readdirSync(join(dir, "member"))).toEqual(["snap", "wal"]);
  expect(statSync(join(snap, "db")).mode & 0o777).toBe(0o600);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
});

test("the database has the new members in the place of the old one, and is at the log's end", async () => {
  const dir = join(scratchFolder("restore"), "r1");
  expect(await restore(ETCDCTL, [BASIC, "--data-dir", dir, ...GOLDEN_CLUSTER])).toEqual(OK);
  expect(rows(dir, MEMBERS)).toEqual([
    [
      "6dc1cbb84e0b2884",
      '{"id":7908826413083076740,"peerURLs":["http://127.0.0.1:33800"],"name":"r1"}',
    ],
    [
      "703fffe1beb81d81",
      '{"id":8088464800813161857,"peerURLs":["http://127.0.0.1:33801"],"name":"r2"}',
    ],
  ]);
  const meta = new Map(rows(dir, META));
  const name = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  expect(meta.get(name(CONSISTENT_INDEX))).toBe("\0\0\0\0\0\0\0\x02");
  expect(meta.get(name(TERM))).toBe("\0\0\0\0\0\0\0\x01");
  expect(meta.get("confState")).toBe(
    '{"voters":[7908826413083076740,8088464800813161857],"auto_leave":false}',
  );
});

test("etcdutl says in the log, too, who votes", async () => {
  const dir = join(scratchFolder("restore"), "r1");
  expect(await restore(ETCDUTL, [BASIC, "--data-dir", dir, ...GOLDEN_CLUSTER])).toEqual(OK);
  const golden = readFileSync(goldenPath("restore.wal"));
  const wal = walOf(join(dir, "member/wal"));
  // All but the last record: its beginning tells how long it is.
  const lastRecord = golden.lastIndexOf(Buffer.from([0x08, 0x05, 0x10])) - 8;
  expect(wal.subarray(0, lastRecord).equals(golden.subarray(0, lastRecord))).toBe(true);
  expect(wal.subarray(lastRecord).equals(golden.subarray(lastRecord))).toBe(false);
});

test("a restored store has what the snapshot had, and goes on", async () => {
  const dir = join(scratchFolder("restore"), "one");
  expect(await restore(ETCDUTL, [BASIC, "--data-dir", dir])).toEqual(OK);
  await using store = await Strata.open({ dir }, { log: () => undefined });
  expect((await store.hashKv(11n)).hash).toBe(4142670154);
  expect((await store.put("new", "1")).revision).toBe(12n);
});

test("a log somewhere else", async () => {
  const root = scratchFolder("restore");
  const [dir, wal] = [join(root, "one"), join(root, "deep/log")];
  expect(await restore(ETCDCTL, [BASIC, "--data-dir", dir, "--wal-dir", wal])).toEqual(OK);
  expect(readdirSync(join(dir, "member"))).toEqual(["snap"]);
  expect(walOf(wal).length).toBeGreaterThan(0);
  const message = `Error: wal-dir ${JSON.stringify(wal)} exists\n`;
  const again = await restore(ETCDUTL, [BASIC, "--data-dir", join(root, "two"), "--wal-dir", wal]);
  expect(again).toEqual([1, "", message]);
  const inside = join(root, "two/member/log");
  const [code, , stderr] = await restore(ETCDUTL, [
    ...[BASIC, "--data-dir", join(root, "two")],
    ...["--wal-dir", inside],
  ]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("is where the database goes")]);
  const usual = join(root, "three/member/wal");
  expect(
    await restore(ETCDUTL, [BASIC, "--data-dir", join(root, "three"), "--wal-dir", usual]),
  ).toEqual(OK);
  expect(readdirSync(root).sort()).toEqual(["deep", "one", "three"]);
});

test("a revision that jumps has all before it compacted", async () => {
  const dir = join(scratchFolder("restore"), "one");
  const bump = ["--bump-revision=1000", "--mark-compacted"];
  expect(await restore(ETCDUTL, [BASIC, "--data-dir", dir, ...bump])).toEqual(OK);
  expect(rows(dir, KEY).at(-1)).toEqual([
    Buffer.from(encodeRevision(1011, 0)).toString("latin1"),
    "",
  ]);
  const scheduled = Buffer.from(SCHEDULED_COMPACT_REV).toString();
  expect(new Map(rows(dir, META)).get(scheduled)).toBe(
    Buffer.from(encodeRevision(1011, 0)).toString("latin1"),
  );
  await using store = await Strata.open({ dir }, { log: () => undefined });
  expect((await store.get("a"))?.value.string()).toBe("3");
  await expect(store.get("a", { revision: 1010n })).rejects.toMatchObject({ code: "COMPACTED" });
  expect((await store.put("new", "1")).revision).toBe(1012n);
});

test.each([["--bump-revision=5"], ["--mark-compacted"]])("%s alone is refused", async (flag) => {
  const message = "Error: --mark-compacted required if --revision-bump > 0\n";
  expect(await restore(ETCDUTL, [BASIC, flag])).toEqual([128, "", message]);
});

test("a bump is a number without a sign, and one that can be counted to", async () => {
  const [code, , stderr] = await restore(ETCDUTL, [
    BASIC,
    "--bump-revision=-1",
    "--mark-compacted",
  ]);
  expect(code).toBe(1);
  expect(stderr).toContain(
    'invalid argument "-1" for "--bump-revision" flag: strconv.ParseUint: parsing "-1": invalid syntax',
  );
  const most = `--bump-revision=${Number.MAX_SAFE_INTEGER}`;
  const dir = join(scratchFolder("restore"), "one");
  const message = `Error: revision 11 cannot be raised by ${Number.MAX_SAFE_INTEGER}\n`;
  const args = [BASIC, "--data-dir", dir, "--mark-compacted", most];
  expect(await restore(ETCDUTL, args)).toEqual([1, "", message]);
  expect(existsSync(dir)).toBe(false);
});

test("an existing data dir: etcdctl takes none, etcdutl an empty one", async () => {
  const root = scratchFolder("restore");
  const dir = join(root, "there");
  mkdirSync(dir);
  const there = `Error: data-dir ${JSON.stringify(dir)} exists\n`;
  expect(await restore(ETCDCTL, [BASIC, "--data-dir", dir])).toEqual([1, "", there]);
  expect(await restore(ETCDUTL, [BASIC, "--data-dir", dir])).toEqual(OK);
  const full = `Error: data-dir ${JSON.stringify(dir)} not empty or could not be read\n`;
  expect(await restore(ETCDUTL, [BASIC, "--data-dir", dir])).toEqual([1, "", full]);
  writeFileSync(join(root, "file"), "");
  const [code, , stderr] = await restore(ETCDUTL, [BASIC, "--data-dir", join(root, "file")]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("not empty or could not be read")]);
});

test.each<[string, readonly string[], string]>([
  [
    "no such name",
    ["--name=m9"],
    'couldn\'t find local name "m9" in the initial cluster configuration',
  ],
  ["no name", ["--name="], 'couldn\'t find local name "" in the initial cluster configuration'],
  [
    "no members",
    ["--initial-cluster="],
    'couldn\'t find local name "default" in the initial cluster configuration',
  ],
  [
    "a URL that is advertised and not in the cluster",
    ["--initial-advertise-peer-urls=http://127.0.0.1:1,http://localhost:2380"],
    "--initial-advertise-peer-urls has http://127.0.0.1:1 but missing from --initial-cluster=default=http://127.0.0.1:1,default=http://localhost:2380",
  ],
  [
    "a URL of the cluster that is not advertised",
    ["--initial-cluster=default=http://localhost:2380,default=http://127.0.0.1:1"],
    "--initial-cluster has default=http://127.0.0.1:1 but missing from --initial-advertise-peer-urls=http://localhost:2380",
  ],
  [
    "two members with one URL",
    ["--initial-cluster=default=http://localhost:2380,two=http://localhost:2380"],
    "initial cluster default=http://localhost:2380,two=http://localhost:2380 has duplicate url",
  ],
  [
    "a URL without a port",
    ["--initial-cluster=default=http://localhost"],
    'URL address does not have the form "host:port": http://localhost',
  ],
  [
    "a URL with a path",
    ["--initial-cluster=default=http://localhost:2380/x"],
    "URL must not contain a path: http://localhost:2380/x",
  ],
  [
    "a name without a URL",
    ["--initial-cluster=default"],
    "URL scheme must be http, https, unix, or unixs: ",
  ],
  [
    "no advertised URL",
    ["--initial-advertise-peer-urls="],
    "URL scheme must be http, https, unix, or unixs: ",
  ],
])("%s is refused before anything is made", async (_, flags, message) => {
  const dir = join(scratchFolder("restore"), "r");
  for (const program of [ETCDCTL, ETCDUTL]) {
    const args = [BASIC, "--data-dir", dir, ...flags];
    expect(await restore(program, args)).toEqual([1, "", `Error: ${message}\n`]);
  }
  expect(existsSync(dir)).toBe(false);
});

test("a name may come twice, with one URL each time", async () => {
  const dir = join(scratchFolder("restore"), "r");
  const urls = ["http://localhost:2381", "http://localhost:2380"];
  const args = [
    `--initial-cluster=${urls.map((url) => `default=${url}`).join(",")}`,
    `--initial-advertise-peer-urls=${urls.join(",")}`,
  ];
  expect(await restore(ETCDCTL, [BASIC, "--data-dir", dir, ...args])).toEqual(OK);
  const [[, json = ""] = []] = rows(dir, MEMBERS);
  expect(JSON.parse(json)).toMatchObject({ peerURLs: [...urls].sort() });
});

/** A changed copy of the snapshot. */
function changed(change: (bytes: Buffer) => Buffer): string {
  const path = join(scratchFolder("snapshot"), "changed.db");
  writeFileSync(path, change(readFileSync(BASIC)));
  return path;
}

const decimals = (from: string): RegExp => new RegExp(`^${from}\\[\\d+( \\d+){31}\\]`);

test("what is not the snapshot that was saved is refused, and leaves nothing", async () => {
  const dir = join(scratchFolder("restore"), "r");
  const refused = async (path: string, ...flags: string[]): Promise<string> => {
    const [code, stdout, stderr] = await restore(ETCDCTL, [path, "--data-dir", dir, ...flags]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(existsSync(dir)).toBe(false);
    expect(stderr).toMatch(/^Error: [^\n]*\n$/);
    return stderr.slice("Error: ".length, -1);
  };
  const missing = "snapshot missing hash but --skip-hash-check=false";
  for (const bytes of [32, 33, 511]) {
    expect(await refused(changed((all) => all.subarray(0, -bytes)))).toBe(missing);
  }
  expect(await refused(changed(() => Buffer.alloc(0)))).toBe(missing);
  for (const at of [16, 5000, 32768]) {
    const flipped = changed((all) => {
      all[at] = (all[at] as number) ^ 1;
      return all;
    });
    const message = await refused(flipped);
    expect(message).toMatch(decimals("expected sha256 "));
    expect(message.slice(message.indexOf(", got "))).toMatch(decimals(", got "));
  }
  const notOne = changed((all) => all.fill(0));
  expect(await refused(notOne, "--skip-hash-check")).toContain("invalid database");
  const short = changed((all) => all.subarray(0, 12288));
  expect(await refused(short, "--skip-hash-check")).toContain(`${short}: offset `);
  expect(
    await refused(
      changed(() => Buffer.alloc(0)),
      "--skip-hash-check",
    ),
  ).not.toBe("");
  expect(await refused("nofile.db")).toBe("open nofile.db: no such file or directory");
  const folder = scratchFolder("folder");
  expect(await refused(folder)).toBe(`read ${folder}: is a directory`);
});

test("without its checksum it is taken when it is said, and with a wrong one, too", async () => {
  const root = scratchFolder("restore");
  for (const [i, cut] of [32, 0].entries()) {
    const path = changed((all) => {
      all[all.length - 1] = (all[all.length - 1] as number) ^ 1;
      return all.subarray(0, all.length - cut);
    });
    const dir = join(root, `r${i}`);
    expect(await restore(ETCDCTL, [path, "--data-dir", dir, "--skip-hash-check"])).toEqual(OK);
    await using store = await Strata.open({ dir }, { log: () => undefined });
    expect((await store.hashKv()).hash).toBe(4142670154);
  }
});

test.each([[[]], [["a", "b"]]])("%j is not one argument", async (args) => {
  const message = "Error: snapshot restore requires exactly one argument\n";
  for (const program of [ETCDCTL, ETCDUTL]) {
    expect(await restore(program, args)).toEqual([128, "", message]);
  }
});

test("a signal ends it with the signal's code, and nothing is left", async () => {
  const dir = join(scratchFolder("restore"), "deep/r");
  const io = new MemoryIo();
  io.send("SIGINT");
  const args = [BASIC, "--data-dir", dir];
  expect(await restore(ETCDUTL, args, io)).toEqual([130, "", "Error: stopped by SIGINT\n"]);
  expect(existsSync(join(dir, ".."))).toBe(false);
});

test("the file that is restored is not touched", async () => {
  const path = changed((all) => all);
  chmodSync(path, 0o400);
  const { mtimeNs } = statSync(path, { bigint: true });
  const dir = join(scratchFolder("restore"), "r");
  expect(await restore(ETCDUTL, [path, "--data-dir", dir])).toEqual(OK);
  expect(statSync(path, { bigint: true }).mtimeNs).toBe(mtimeNs);
  expect(readFileSync(path).equals(readFileSync(BASIC))).toBe(true);
});
