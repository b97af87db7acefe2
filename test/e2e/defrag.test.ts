/** The built defragmentation: what it gives back, whom it refuses, and how it stops. */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { type CommandName, run } from "../support/built-cli.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { goldenCopy, goldenPath } from "../support/golden.ts";
import { etcdctl, loadEtcd, RealEtcd } from "../support/real-etcd.ts";

function dataDir(golden: string): { readonly dir: string; readonly database: string } {
  const dir = scratchFolder("defrag");
  const database = join(dir, "member/snap/db");
  mkdirSync(dirname(database), { recursive: true });
  copyFileSync(goldenPath(golden), database);
  return { dir, database };
}

/** Hash and revision: what defragmentation must not change. */
async function contentOf(path: string): Promise<object> {
  const { code, stdout } = await run("etcdctl", ["snapshot", "status", path, "-w", "json"]);
  expect(code).toBe(0);
  const { hash, revision, totalKey } = JSON.parse(stdout) as Record<string, number>;
  return { hash, revision, totalKey };
}

test("strata-defrag FILE says what it gained", async () => {
  const path = goldenCopy("defrag.before.db");
  const before = await contentOf(path);
  const { code, stdout, stderr } = await run("strata-defrag", [path]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^\S+\/defrag\.before\.db: 78 kB -> 25 kB \(68 % gained\) in \d+ ms\n$/);
  expect(await contentOf(path)).toEqual(before);
  expect(readdirSync(dirname(path))).toHaveLength(1);
});

test.each([
  ["strata-defrag", []],
  ["etcdutl", ["defrag"]],
  ["etcdctl", ["defrag"]],
] as const)("%s %j --data-dir takes the database in it", async (name: CommandName, words) => {
  const { dir, database } = dataDir("defrag.before.db");
  const before = await contentOf(dir);
  const { code, stdout, stderr } = await run(name, [...words, "--data-dir", dir]);
  expect([code, stderr]).toEqual([0, ""]);
  // etcd's own commands are silent when all is well.
  if (words.length > 0) expect(stdout).toBe("");
  expect(statSync(database).size).toBe(24_576);
  expect(await contentOf(dir)).toEqual(before);
});

test("nothing to gain is no failure, and nothing is touched", async () => {
  const path = goldenCopy("defrag.before.db");
  await run("strata-defrag", [path]);
  const { ino, mtimeMs } = statSync(path);
  const { code, stdout } = await run("strata-defrag", [path]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/nothing worth gaining/);
  expect(statSync(path)).toMatchObject({ ino, mtimeMs });
});

test("etcdutl defrag wants its flag, and names the folder that failed", async () => {
  const { code, stderr } = await run("etcdutl", ["defrag"]);
  expect([code, stderr]).toEqual([1, 'Error: required flag(s) "data-dir" not set\n']);
  const { dir, database } = dataDir("v36.datadir.db");
  writeFileSync(database, "x".repeat(8192));
  const failed = await run("etcdutl", ["defrag", "--data-dir", dir]);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(
    /^Error: Failed to defragment etcd data\[\S+\] \(\S+\/db: offset 16: invalid database [^\n]*\)\n$/,
  );
});

describeWithPeers("defragmentation beside a real etcd", ["etcd", "etcdctl"], () => {
  test("a running etcd is named, and its file left alone; a stopped one starts on the new file", async () => {
    const etcd = await RealEtcd.start();
    const value = (): string => "v".repeat(500);
    await loadEtcd(etcd, { count: 2000, key: (i) => `k${i}`, value });
    await etcd.etcdctl("del", "k1", "--prefix");
    await etcd.etcdctl("compaction", "3", "--physical");
    const database = join(etcd.dataDir, "member/snap/db");
    const { ino } = statSync(database);
    const refused = await run("strata-defrag", ["--data-dir", etcd.dataDir]);
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toMatch(
      new RegExp(`^Error: \\S+/db: held by etcd \\(pid ${etcd.pid}\\)[^\\n]*\\n$`),
    );
    expect(statSync(database).ino).toBe(ino);

    // etcdutl waits as etcd's does, says for whom, and goes on when it may.
    let waiting = "";
    const utl = run("etcdutl", ["defrag", "--data-dir", etcd.dataDir], {
      onStderr: (_child, stderr) => {
        waiting = stderr;
      },
    });
    while (!waiting.includes("pid")) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(waiting).toMatch(/^waiting for etcd to close and release its lock on "\S+\/db"\./);
    expect(waiting).toContain(`held by etcd (pid ${etcd.pid})`);
    await etcd.stop();
    expect(await utl).toMatchObject({ code: 0, stdout: "" });
    expect(statSync(database).ino).not.toBe(ino);

    await using again = await RealEtcd.start({ dataDir: etcd.dataDir });
    const left = await again.etcdctl("get", "k", "--prefix", "--keys-only", "-w", "json");
    expect(JSON.parse(left.stdout)).toMatchObject({ count: 2000 - 1111 });
  }, 120_000);

  test("SIGINT and SIGTERM stop it half-way: the old file is as it was, and nothing is beside it", async () => {
    const folder = scratchFolder("stopped");
    const path = join(folder, "db");
    await using etcd = await RealEtcd.start();
    const value = "v".repeat(100_000);
    await loadEtcd(etcd, { count: 1200, key: (i) => `k${i % 900}`, value: () => value, batch: 8 });
    await etcd.etcdctl("snapshot", "save", path);
    const before = await etcdctl("snapshot", "status", path);
    const bytes = readFileSync(path);
    expect(bytes.length).toBeGreaterThan(100_000_000);

    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      let sent = false;
      const ran = await run("strata-defrag", [path, "--force", "--progress=json"], {
        // Once the copy has begun, and long before it can be done.
        onStderr: (child, stderr) => {
          if (sent || !/"phase":"copying","done":[1-9]/.test(stderr)) return;
          sent = child.kill(signal);
        },
      });
      expect(sent).toBe(true);
      expect([ran.code, ran.stdout]).toEqual([code, ""]);
      expect(ran.stderr).toMatch(new RegExp(`\nError: stopped by ${signal}\n$`));
      expect(readdirSync(folder)).toEqual(["db"]);
    }
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect((await etcdctl("snapshot", "status", path)).stdout).toBe(before.stdout);
  }, 180_000);
});
