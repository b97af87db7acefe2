/**
 * strata-inspect on files that real etcd and bbolt wrote: in this process where its answer is looked at, and as the built
 * command where a process can be another thing than its main function.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JobPool } from "../../src/jobs/pool.ts";
import { runInspect } from "../../tools/inspect-run.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { peerPath } from "../support/peers.ts";
import { loadEtcd, RealEtcd } from "../support/real-etcd.ts";

const TOOL = fileURLToPath(new URL("../../dist/tools/inspect.js", import.meta.url));
const GOLDEN = fileURLToPath(new URL("../golden", import.meta.url));
const JUDGE = fileURLToPath(new URL("../judge/decode.py", import.meta.url));

const COMMANDS = [
  ["summary"],
  ["buckets"],
  ["keys"],
  ["keys", "--history"],
  ["get", "a"],
  ["leases"],
  ["meta"],
  ["pages"],
  ["page", "0"],
  ["page", "3"],
  ["check"],
];

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Every command, the forms of the report in turn; `inspect.test.ts` beside the code has all of both. */
async function everyCommand(path: string): Promise<Ran[]> {
  const all: Ran[] = [];
  for (const [i, args] of COMMANDS.entries()) {
    const ran = await inspect(path, ...args, "-o", i % 2 === 0 ? "text" : "json");
    if (ran.stderr !== "") expect(ran.stderr).toMatch(/^Error: [^\n]*\n$/);
    if (ran.stdout.startsWith("{")) JSON.parse(ran.stdout);
    all.push(ran);
  }
  return all;
}

/** Copies of the golden files: nobody else locks those. */
let folder = "";
let reports = 0;
const goldens = readdirSync(GOLDEN).filter((name) => name.endsWith(".db"));

const before = process.cwd();
const pool = new JobPool();

beforeAll(() => {
  folder = scratchFolder("inspect");
  for (const name of goldens) copyFileSync(join(GOLDEN, name), join(folder, name));
  process.chdir(folder);
});

afterAll(async () => {
  process.chdir(before);
  await pool[Symbol.asyncDispose]();
});

/** In this process: most of a process's time is its start. The folder of the files is the current one. */
async function inspect(...args: readonly string[]): Promise<Ran> {
  const report = join(folder, `report-${reports++}`);
  const fd = openSync(report, "w+");
  let stdout = "";
  let stderr = "";
  try {
    const code = await runInspect(args, {
      stdout: fd,
      stderr: (text) => {
        stderr += text;
      },
      help: (text) => {
        stdout += text;
      },
      colour: false,
      debug: false,
      display: async () => ({ show: undefined, end: () => undefined }),
      pool,
    });
    return { code, stdout: stdout + readFileSync(report, "utf8"), stderr };
  } finally {
    closeSync(fd);
  }
}

/** The built command, as a user has it. */
async function inspectProcess(...args: readonly string[]): Promise<Ran> {
  return await run(process.execPath, [TOOL, ...args]);
}

async function run(program: string, args: readonly string[]): Promise<Ran> {
  const env = { ...process.env, NO_COLOR: "1" };
  const child = spawn(program, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const out: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (bytes: Buffer) => out.push(bytes));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stdout: Buffer.concat(out).toString(), stderr };
}

// biome-ignore lint/suspicious/noExplicitAny: the shapes are what is tested.
type Json = any;

async function inspectJson(...args: readonly string[]): Promise<Json> {
  const { code, stdout, stderr } = await inspect(...args, "-o", "json");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

function without<T extends object>(rows: readonly T[], ...names: readonly string[]): object[] {
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name))),
  );
}

test("the golden files are there", () => {
  expect(goldens.length).toBeGreaterThanOrEqual(14);
});

// test/golden/README.md has these figures from etcd itself.
const figures: Readonly<Record<string, object>> = {
  "basic.snapshot.db": { revision: 11, live_keys: 7, leases: 1, size: 32768, consistent_index: 15 },
  "basic.datadir.db": { revision: 11, live_keys: 7, leases: 1, size: 32768, consistent_index: 15 },
  "compact16.snapshot.db": { revision: 20, finished_compact_revision: 16, live_keys: 5, leases: 1 },
  "full.snapshot.db": { revision: 30, finished_compact_revision: 21, live_keys: 4, leases: 1 },
  "full.datadir.db": { revision: 30, finished_compact_revision: 21, live_keys: 4, leases: 1 },
  "compact-crash.db": { revision: 207, scheduled_compact_revision: 200, live_keys: 103 },
  "defrag.before.db": { revision: 207, finished_compact_revision: 200, live_keys: 103 },
  "defrag.after.db": { revision: 207, live_keys: 103, txid: 2, pages_free: 2 },
  "restore.db": { revision: 11, live_keys: 7, consistent_index: 2, leases: 1 },
  "members.datadir.db": { consistent_index: 5, live_keys: 1, alarms: [] },
  "v35.snapshot.db": { revision: 6, finished_compact_revision: 4, live_keys: 2 },
  "v36.datadir.db": { revision: 9, storage_version: "3.6.0" },
  "bbolt-nested.db": { txid: 5, size: 25 * 4096, trailing_bytes: 28672, pages_free: 12 },
  "bbolt-ps1024.db": { page_size: 1024, size: 11 * 1024 },
};

describe("the summary has the figures that etcd gave", () => {
  test.each(goldens)("%s", async (name) => {
    const summary = await inspectJson(name);
    expect(summary).toMatchObject(figures[name] ?? {});
    expect(figures[name]).toBeDefined();
    expect(summary.read).toEqual({ mode: "locked" });
    expect(summary.fault_count).toBe(0);
    expect(summary.trailer.kind).toBe(name.includes("snapshot") ? "verified" : "none");
    const status = name.replace(/\.db$/, ".status.json");
    if (readdirSync(GOLDEN).includes(status)) {
      const { revision, totalKey, totalSize } = JSON.parse(
        readFileSync(join(GOLDEN, status), "utf8"),
      );
      const rows = summary.buckets.reduce((sum: number, { keys }: Json) => sum + keys, 0);
      expect({ revision: summary.revision, rows, size: summary.size }).toEqual({
        revision,
        rows: totalKey,
        size: totalSize,
      });
    }
  });

  test("alarms, auth and members are told", async () => {
    const full = await inspectJson("full.snapshot.db");
    expect(full.alarms).toMatchObject([{ alarm: "NOSPACE" }]);
    expect(full.auth).toMatchObject({
      enabled: true,
      users: [
        { name: "bob", roles: ["r1"] },
        { name: "root", roles: ["root"], has_password: true },
      ],
    });
    expect((await inspectJson("full.datadir.db")).auth.enabled).toBe(false);
    const members = await inspectJson("members.datadir.db");
    expect(members.members).toMatchObject([{ id_hex: "25351fad42b3c84c", name: "n1" }]);
    expect(members.removed_members).toHaveLength(1);
    // etcdctl 3.4 leaves the old row in the copy that it restores; its members stand in the snapshot file.
    const restored = await inspectJson("restore.db");
    expect(restored.members).toMatchObject([{ id_hex: "25351fad42b3c84c" }]);
  });

  test("an id keeps all its digits in JSON", async () => {
    const { stdout } = await inspectProcess("basic.snapshot.db", "-o", "json");
    expect(stdout).toContain('"id":2681083982177880140,');
    const leases = await inspect("basic.snapshot.db", "leases", "-o", "json");
    expect(leases.stdout).toContain(`"id":${0x484ca201c682cb0bn},"id_hex":"484ca201c682cb0b"`);
  });
});

describe("dumps to review", () => {
  const dumps: readonly (readonly [file: string, ...args: string[]])[] = [
    ...COMMANDS.map((args): [string, ...string[]] => ["basic.snapshot.db", ...args]),
    ["full.snapshot.db", "summary"],
    ["full.snapshot.db", "keys", "--history", "--redact"],
    ["full.snapshot.db", "leases"],
    ["compact-crash.db", "summary"],
    ["members.datadir.db", "summary"],
    ["restore.db", "summary"],
    ["v35.snapshot.db", "summary"],
    ["v36.datadir.db", "summary"],
    ["v36.datadir.db", "page", "3"],
    ["bbolt-nested.db", "summary"],
    ["bbolt-nested.db", "buckets"],
    ["bbolt-nested.db", "pages"],
    ["bbolt-nested.db", "page", "5"],
    ["bbolt-nested.db", "page", "3"],
    ["bbolt-ps1024.db", "pages"],
  ];
  test.each(dumps)("%s %s %s %s", async (file, ...args) => {
    const { code, stdout, stderr } = await inspect(file, ...args);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const name = [file.replace(/\.db$/, ""), ...args].join(" ").replace(/[ -]+/g, "-");
    await expect(stdout).toMatchFileSnapshot(`../golden/inspect/${name}.txt`);
  });
});

describe("reading", () => {
  test("not a byte of the input changes, nor its times", async () => {
    const path = join(folder, "full.snapshot.db");
    utimesSync(path, 1_000_000_000, 1_000_000_000);
    const before = statSync(path, { bigint: true });
    const hash = sha256(path);
    for (const { code, stderr } of await everyCommand("full.snapshot.db")) {
      expect([code, stderr]).toEqual([0, ""]);
    }
    const after = statSync(path, { bigint: true });
    expect([after.mtimeNs, after.ctimeNs, after.size]).toEqual([
      before.mtimeNs,
      before.ctimeNs,
      before.size,
    ]);
    expect(sha256(path)).toBe(hash);
  });

  test("a data dir is its database, and the command may come first", async () => {
    const snap = join(folder, "dir", "member", "snap");
    mkdirSync(snap, { recursive: true });
    copyFileSync(join(folder, "basic.datadir.db"), join(snap, "db"));
    const one = await inspectJson("dir", "keys");
    const other = await inspectJson("keys", "dir");
    expect(other).toEqual(one);
    expect(one.file).toBe("dir/member/snap/db");
    expect(one.count).toBe(7);
  });

  test("keys as of earlier revisions, by prefix, and limited", async () => {
    const keysAt = async (...args: string[]): Promise<string[]> =>
      (await inspectJson("basic.snapshot.db", "keys", ...args)).kvs.map(
        ({ key_text, value_text }: Json) => `${key_text}=${value_text ?? ""}`,
      );
    expect(await keysAt("--rev", "1")).toEqual([]);
    expect(await keysAt("--rev", "3")).toEqual(["a=1", "b=2"]);
    expect(await keysAt("--rev", "6")).toEqual(["a=3", "b=2", "empty=", "foo=bar"]);
    expect(await keysAt("--rev", "7")).toEqual(["a=3", "empty=", "foo=bar"]);
    expect(await keysAt("--prefix", "t")).toEqual(["t1=x", "t2=y"]);
    expect(await keysAt("--prefix", "74", "--hex")).toEqual(["t1=x", "t2=y"]);
    const limited = await inspectJson("basic.snapshot.db", "keys", "--limit", "2");
    expect(limited).toMatchObject({ count: 7, more: true });
    expect(limited.kvs).toHaveLength(2);
    const got = await inspectJson("basic.snapshot.db", "get", "a", "--rev", "3");
    expect(got.kvs).toEqual([
      {
        key: "YQ==",
        key_text: "a",
        create_revision: 2,
        mod_revision: 2,
        version: 1,
        value: "MQ==",
        value_text: "1",
      },
    ]);
  });

  test("a revision that is compacted or still to come is refused in etcd's words", async () => {
    for (const command of [["keys"], ["keys", "--history"], ["get", "k0"]]) {
      const below = await inspect("full.snapshot.db", ...command, "--rev", "20");
      expect(below).toEqual({
        code: 1,
        stdout: "",
        stderr: "Error: etcdserver: mvcc: required revision has been compacted\n",
      });
      const beyond = await inspect("full.snapshot.db", ...command, "--rev", "31");
      expect(beyond).toEqual({
        code: 1,
        stdout: "",
        stderr: "Error: etcdserver: mvcc: required revision is a future revision\n",
      });
      expect((await inspect("full.snapshot.db", ...command, "--rev", "21")).code).toBe(0);
    }
    // Scheduled and not finished: the rows below are half gone.
    expect((await inspect("compact-crash.db", "keys", "--rev", "199")).code).toBe(1);
  });

  test("values are left out with --redact, and password hashes always", async () => {
    const redacted = await inspect("basic.snapshot.db", "get", "b", "--redact");
    expect(redacted.stdout).toMatch(/value {5}<5 bytes, crc32c [0-9a-f]{8}>/);
    expect(redacted.stdout).not.toContain("again");
    const users: string[] = [];
    const { pages } = await inspectJson("full.snapshot.db", "pages");
    const forms = [[], ["-o", "json"], ["--hex"]];
    for (const { id, type } of pages as { id: number; type: string }[]) {
      if (type === "meta") continue;
      const plain = await inspect("full.snapshot.db", "page", String(id));
      for (const form of forms) {
        const { stdout } =
          form.length === 0
            ? plain
            : await inspect("full.snapshot.db", "page", String(id), ...form);
        expect(stdout).not.toMatch(/\$2[aby]?\$\d\d\$/);
        expect(stdout).not.toContain(Buffer.from("$2a$10$").toString("hex"));
        for (const [, value] of stdout.matchAll(/"value":"([^"]*)"/g)) {
          const bytes = Buffer.from(value ?? "", "base64").toString("latin1");
          expect(bytes).not.toContain("$2a$");
        }
        if (stdout.includes("user root, a password")) users.push(stdout);
      }
    }
    expect(readFileSync(join(folder, "full.snapshot.db"), "latin1")).toContain("$2a$");
    expect(users.length).toBeGreaterThan(0);
  });

  test("a reader that goes away ends it quietly", async () => {
    const shell = `${JSON.stringify(process.execPath)} ${JSON.stringify(TOOL)} full.snapshot.db keys --history -o json | head -c 10`;
    const { stdout, stderr } = await run("bash", ["-c", `set -o pipefail; ${shell}`]);
    expect({ stdout, stderr }).toEqual({ stdout: '{"file":"f', stderr: "" });
  });
});

describe("bad arguments", () => {
  test.each([
    [[]],
    [["basic.snapshot.db", "nosuch"]],
    [["basic.snapshot.db", "get"]],
    [["basic.snapshot.db", "page", "x"]],
    [["basic.snapshot.db", "keys", "--rev", "-1"]],
    [["basic.snapshot.db", "pages", "--limit", "3"]],
    [["basic.snapshot.db", "-o", "yaml"]],
    [["basic.snapshot.db", "keys", "--nosuch"]],
    [["basic.snapshot.db", "get", "zz", "--hex"]],
  ])("%j", async (args) => {
    const { code, stdout, stderr } = await inspect(...args);
    expect([code, stdout]).toEqual([128, ""]);
    expect(stderr).toMatch(/^Error: .*\n$/);
  });

  test("a process says it the same way", async () => {
    const args = ["basic.snapshot.db", "keys", "--nosuch"];
    expect(await inspectProcess(...args)).toEqual(await inspect(...args));
  });

  test("help goes to stdout", async () => {
    const { code, stdout, stderr } = await inspectProcess("--help");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("strata-inspect");
    expect(stdout).toMatch(/check +everything that is wrong/);
  });
});

describe("files that are none, or damaged", () => {
  const PNG = "89504e470d0a1a0a0000000d49484452";

  function file(name: string, bytes: Uint8Array): string {
    writeFileSync(join(folder, name), bytes);
    return name;
  }

  function golden(name: string, change: (bytes: Buffer) => Buffer): string {
    return file(`damaged-${name}`, change(readFileSync(join(GOLDEN, name))));
  }

  test("missing, empty, foreign", async () => {
    for (const ran of await everyCommand("nosuch.db")) {
      expect(ran).toEqual({
        code: 1,
        stdout: "",
        stderr: "Error: nosuch.db: no such file or directory\n",
      });
    }
    for (const ran of await everyCommand(file("empty.db", new Uint8Array(0)))) {
      const stderr = "Error: empty.db: offset 0: the file is empty\n";
      expect(ran).toEqual({ code: 1, stdout: "", stderr });
    }
    mkdirSync(join(folder, "no-data-dir"));
    expect((await inspect("no-data-dir")).stderr).toBe(
      "Error: no-data-dir/member/snap/db: no such file or directory\n",
    );
    const png = file("png.db", Buffer.concat([Buffer.from(PNG, "hex"), Buffer.alloc(50_000, 7)]));
    const sqlite = file(
      "sqlite.db",
      Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(100_000, 3)]),
    );
    for (const path of [png, sqlite]) {
      for (const { code, stderr } of await everyCommand(path)) {
        expect(code).toBe(1);
        expect(stderr).toMatch(/: offset 16: invalid database \(magic 0x/);
      }
      expect((await inspect(path, "keys")).stdout).toBe("");
    }
  });

  test("a pipe or a device is not waited for", async () => {
    expect((await inspectProcess("/dev/zero")).stderr).toBe(
      "Error: /dev/zero: not a regular file\n",
    );
    spawnSync("mkfifo", [join(folder, "fifo")]);
    expect((await inspect("fifo")).stderr).toBe("Error: fifo: not a regular file\n");
  });

  test("a truncated file says where it ends, and shows what is there", async () => {
    const path = golden("full.snapshot.db", (bytes) => bytes.subarray(0, 60_000));
    const all = await everyCommand(path);
    expect(all.some(({ code }) => code === 0)).toBe(true); // The metas are whole.
    const { code, stdout, stderr } = await inspectProcess(path, "check");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: damaged-full.snapshot.db: offset \d+: /);
    expect(stdout).toContain("the file has 14 pages, its meta says 47 are in use");
    const summary = await inspect(path);
    expect(summary.code).toBe(1);
    expect(summary.stdout).toMatch(/^txid +\d+$/m);
  });

  test("one meta damaged: the other counts, and the reason is told", async () => {
    const path = golden("basic.datadir.db", (bytes) => {
      bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
      return bytes;
    });
    const { code, stdout } = await inspect(path, "meta");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^validity +INVALID +valid, active$/m);
    expect(stdout).toContain("page 0: checksum error (meta says 0x");
    expect((await inspect(path)).stdout).toMatch(/^other meta +page 0: INVALID: checksum error/m);
  });

  test("both metas damaged: metas and pages are still shown", async () => {
    const path = golden("basic.datadir.db", (bytes) => {
      bytes.fill(0, 72, 80);
      bytes.fill(0, 4096 + 72, 4096 + 80);
      return bytes;
    });
    const meta = await inspect(path, "meta");
    expect(meta.code).toBe(1);
    expect(meta.stdout).toMatch(/^validity +INVALID +INVALID$/m);
    expect(meta.stdout).toMatch(/^read: page by page: neither meta is valid/m);
    const pages = await inspect(path, "pages");
    expect(pages.code).toBe(1);
    expect(pages.stdout).toMatch(/^4 +branch +2 +0$/m);
    const page = await inspect(path, "page", "4");
    expect(page.stdout).toMatch(/^ +0 +32 +17 +3 /m);
    const keys = await inspect(path, "keys");
    expect(keys.stdout).toBe("");
    expect(keys.stderr).toMatch(/offset 72: checksum error/);
  });

  test("a damaged page is shown as far as it goes, and the rest of the file too", async () => {
    // Page 3 of basic is a leaf of bucket key: let its second element reach out of it.
    const path = golden("basic.snapshot.db", (bytes) => {
      bytes.writeUInt32LE(0x7fff_ffff, 3 * 4096 + 16 + 16 + 8);
      return bytes;
    });
    const page = await inspect(path, "page", "3");
    expect(page.code).toBe(1);
    expect(page.stdout).toContain("fault     page 3: element 1 of 9 reaches");
    expect(page.stdout).toContain("(outside the page)");
    expect(page.stdout).toContain('2_0 "a" = "1"');
    const keys = await inspect(path, "keys");
    expect(keys.code).toBe(1);
    expect(keys.stdout).toContain('"big" = "vvv');
    expect(keys.stderr).toMatch(
      /^Error: damaged-basic.snapshot.db: offset 12320: page 3: element 1/,
    );
    const check = await inspect(path, "check");
    expect(check.stdout).toMatch(/^SHA-256 {2}wrong: expected/m);
    expect(check.stderr).toContain("(and 1 more faults)");
  });

  test("a tree that bites its tail ends", async () => {
    const path = golden("basic.datadir.db", (bytes) => {
      bytes.writeBigUInt64LE(4n, 4 * 4096 + 16 + 8); // The branch is its own first child.
      return bytes;
    });
    for (const { code, stderr } of await everyCommand(path)) {
      if (code !== 0) expect(stderr).toContain("page 4: multiple references");
    }
    expect((await inspect(path, "check")).code).toBe(1);
  });

  test("a file that claims to be huge costs nothing", async () => {
    const path = file("sparse.db", readFileSync(join(GOLDEN, "basic.datadir.db")));
    truncateSync(join(folder, path), 2 ** 36);
    const { code, stdout } = await inspect(path, "summary");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^trailing bytes +68719443968$/m);
  });
});

describeWithPeers("beside the Python reader", ["python3"], () => {
  test.each(goldens)("%s: the same pages and buckets", async (name) => {
    const { stdout } = await run(peerPath("python3"), [JUDGE, "db", name, "--pages", "--no-kv"]);
    const judged: string[] = [];
    for (const line of stdout.split("\n")) {
      const page = /^ {2}page (\d+) (\w+)(?: count=(\d+) overflow=(\d+))?$/.exec(line);
      if (page === null) continue;
      const [, id, type, count, overflow] = page;
      judged.push(type === "free" ? `${id} free` : `${id} ${type} ${count} ${overflow}`);
    }
    const { pages } = await inspectJson(name, "pages");
    const ours: string[] = [];
    for (const { id, pages: run, type, count, overflow } of pages as Json[]) {
      for (let free = id; type === "free" && free < id + run; free++) ours.push(`${free} free`);
      if (type !== "free") ours.push(`${id} ${type} ${count} ${overflow}`);
    }
    expect(judged.length).toBeGreaterThan(3);
    expect(ours).toEqual(judged);

    const buckets = [...stdout.matchAll(/bucket (\S+) root=(\w+) sequence=(\d+) .* keys=(\d+)$/gm)];
    const mine = (await inspectJson(name, "buckets")).buckets as Json[];
    expect(mine.length).toBeGreaterThan(0);
    expect(
      mine.map(({ path_text, root_page, sequence, keys, buckets: inside }) =>
        [path_text.split("/").at(-1), root_page ?? "inline", sequence, keys + inside].join(" "),
      ),
    ).toEqual(
      buckets.map(([, bucket, root, sequence, keys]) => `${bucket} ${root} ${sequence} ${keys}`),
    );
  });
});

describeWithPeers("a running etcd", ["etcd", "etcdctl"], () => {
  test("is inspected without its lock while it is written to, and then agrees", async () => {
    await using etcd = await RealEtcd.start();
    const load = {
      count: 1500,
      key: (i: number) => `key-${i % 700}`,
      value: (i: number) => `v${i}`,
    };
    await loadEtcd(etcd, { ...load, count: 700 });
    await etcd.etcdctl("put", "bin", "\u0001\u00e9\u{1f600}");
    await etcd.etcdctl("put", "empty", "");
    let writing = true;
    const writes = loadEtcd(etcd, { ...load, batch: 1, concurrency: 2 }).finally(() => {
      writing = false;
    });
    let seen = 0;
    while (writing || seen === 0) {
      const [summary, check] = await Promise.all([
        inspectProcess(etcd.dataDir, "-o", "json"),
        inspect(etcd.dataDir, "check"),
      ]);
      for (const { code, stdout, stderr } of [summary, check]) {
        if (code === 0) {
          seen++;
        } else {
          // The one way it may fail: outrun at every attempt, and then with nothing printed.
          expect(stdout).toBe("");
          expect(stderr).toMatch(/changed during each of 5 attempts .* etcdctl snapshot save/);
        }
      }
      if (summary.code === 0) {
        const { read, fault_count } = JSON.parse(summary.stdout);
        expect(read).toMatchObject({ mode: "unlocked", why: `held by etcd (pid ${etcd.pid})` });
        expect(fault_count).toBe(0);
      }
      if (check.code === 0) {
        expect(check.stdout).toMatch(
          /^read: without the lock \(held by etcd \(pid \d+\)\), \d attempts?$/m,
        );
      }
    }
    await writes;
    expect(seen).toBeGreaterThan(0);

    const listed = JSON.parse((await etcd.etcdctl("get", "", "--prefix", "-w", "json")).stdout);
    const { revision } = listed.header;
    let ours = await inspectJson(etcd.dataDir, "keys");
    for (let i = 0; i < 100 && ours.header.revision < revision; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50)); // etcd commits ten times a second.
      ours = await inspectJson(etcd.dataDir, "keys");
    }
    expect(ours.header.revision).toBe(revision);
    expect(listed.count).toBe(702);
    expect(ours.count).toBe(listed.count);
    expect(without(ours.kvs, "key_text", "value_text")).toEqual(listed.kvs);

    const earlier = revision - 700;
    const then = JSON.parse(
      (await etcd.etcdctl("get", "", "--prefix", "-w", "json", "--rev", String(earlier))).stdout,
    );
    const oursThen = await inspectJson(etcd.dataDir, "keys", "--rev", String(earlier));
    expect(without(oursThen.kvs, "key_text", "value_text")).toEqual(then.kvs);

    await etcd.stop();
    expect((await inspectJson(etcd.dataDir, "keys")).read).toEqual({ mode: "locked" });
  });
});

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
