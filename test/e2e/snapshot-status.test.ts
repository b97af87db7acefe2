/** `snapshot status` against the files that real etcd wrote, and against the real etcdctl. */
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Ran, run } from "../support/built-cli.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { sayHere } from "../support/command-here.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { goldenFiles, goldenPath, goldenStatus } from "../support/golden.ts";
import { etcdctl, loadEtcd, RealEtcd } from "../support/real-etcd.ts";

const FORMATS = ["json", "simple", "fields", "table"] as const;
const databases = goldenFiles(".db");

async function ours(path: string, format: string): Promise<Ran> {
  return await sayHere("etcdctl", ["snapshot", "status", path, "-w", format]);
}

/** In all four forms. */
async function expectEqual(path: string): Promise<void> {
  for (const format of FORMATS) {
    const [mine, theirs] = await Promise.all([
      ours(path, format),
      etcdctl("snapshot", "status", path, "-w", format),
    ]);
    expect(theirs.code).toBe(0);
    expect(mine).toEqual({ code: 0, stdout: theirs.stdout, stderr: "" });
  }
}

describe("golden files", () => {
  const withStatus = databases.filter((name) => goldenStatus(name) !== undefined);

  test("there are some to look at", () => {
    expect(withStatus.length).toBeGreaterThan(5);
    expect(databases.length).toBeGreaterThan(withStatus.length);
  });

  test.each(withStatus)("%s: what etcdctl said of it when it was made", async (name) => {
    const said = readFileSync(goldenPath(name.replace(/\.db$/, ".status.json")), "utf8");
    const { code, stdout, stderr } = await ours(goldenPath(name), "json");
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: said.replace(/\n+$/, "\n"),
      stderr: "",
    });
  });

  // Keys as etcdutl 3.6.0 counts them: test/golden/README.md.
  test.each([
    ["basic.snapshot.db", 7],
    ["compact16.snapshot.db", 5],
    ["full.snapshot.db", 4],
    ["compact-crash.db", 103],
    ["defrag.after.db", 103],
    ["restore.db", 7],
    ["v35.snapshot.db", 2],
  ])("%s has %d live keys for etcdutl", async (name, keys) => {
    const { stdout } = await sayHere("etcdutl", [
      "snapshot",
      "status",
      goldenPath(name),
      "-w",
      "json",
    ]);
    const status = goldenStatus(name);
    expect(JSON.parse(stdout)).toEqual({ ...status, totalKey: keys, version: "" });
  });
});

describeWithPeers("golden files beside the real etcdctl", ["etcdctl"], () => {
  test.each(databases)("%s in every form, byte for byte", async (name) => {
    await expectEqual(goldenPath(name));
  });

  test("a data dir is read as the database in it", async () => {
    const dir = scratchFolder("datadir");
    mkdirSync(join(dir, "member/snap"), { recursive: true });
    const database = join(dir, "member/snap/db");
    copyFileSync(goldenPath("basic.datadir.db"), database);
    const theirs = await etcdctl("snapshot", "status", database);
    expect(await run("etcdctl", ["snapshot", "status", dir])).toEqual({
      code: 0,
      stdout: theirs.stdout,
      stderr: "",
    });
  });
});

describeWithPeers("a database that etcd writes now", ["etcd", "etcdctl"], () => {
  test("keys, leases, deletes and compactions: equal in every form", async () => {
    const folder = scratchFolder("status");
    await using etcd = await RealEtcd.start();
    const saved = async (name: string): Promise<string> => {
      const path = join(folder, name);
      expect((await etcd.etcdctl("snapshot", "save", path)).code).toBe(0);
      return path;
    };
    await expectEqual(await saved("empty.db"));

    const value = (i: number): string => `${i}`.repeat(1 + (i % 300));
    await loadEtcd(etcd, { count: 3000, key: (i) => `k/${i % 1700}`, value, batch: 1 });
    await expectEqual(await saved("keys.db"));

    const grant = await etcd.etcdctl("lease", "grant", "600");
    const lease = /lease (\w+) granted/.exec(grant.stdout)?.[1] ?? "";
    await etcd.etcdctl("put", "leased", "v", `--lease=${lease}`);
    await etcd.etcdctl("put", "big", "x".repeat(100_000));
    await etcd.etcdctl("del", "k/1", "--prefix");
    await etcd.etcdctl("compaction", "2500", "--physical");
    await expectEqual(await saved("compacted.db"));
    await etcd.etcdctl("defrag");
    await etcd.etcdctl("put", "k/2", "after");
    await expectEqual(await saved("defragmented.db"));

    // What etcdutl counts is what a client can read.
    const count = await etcd.etcdctl(
      "get",
      "",
      "--prefix",
      "--keys-only",
      "--limit=0",
      "-w",
      "json",
    );
    const { count: alive } = JSON.parse(count.stdout) as { readonly count: number };
    const snapshot = await saved("last.db");
    const { stdout } = await run("etcdutl", ["snapshot", "status", snapshot, "-w", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ totalKey: alive });

    // While etcd holds the file there is no lock to be had; it does not write just now.
    const running = await run("etcdctl", ["snapshot", "status", etcd.dataDir, "-w", "json"]);
    const closed = await ours(snapshot, "json");
    const { revision } = JSON.parse(closed.stdout) as { readonly revision: number };
    expect(running.code).toBe(0);
    expect(JSON.parse(running.stdout)).toMatchObject({ revision });

    await etcd.stop();
    await expectEqual(join(etcd.dataDir, "member/snap/db"));
  }, 120_000);
});
