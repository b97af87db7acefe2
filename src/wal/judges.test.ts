/** Others read what we wrote: the independent reader, and etcd itself. */
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SystemDirectory } from "../../native-free/file.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { describeWithPeers } from "../../test/support/describe-with-peers.ts";
import { decode } from "../../test/support/judge.ts";
import { loadEtcd, RealEtcd } from "../../test/support/real-etcd.ts";
import { rng } from "../../test/support/rng.ts";
import { readRecords, replay } from "../../test/support/wal-records.ts";
import { runWalLoad, WalModel } from "../../test/support/wal-workload.ts";
import { encodeMetadata } from "./metadata.ts";
import { readLog, validSnapshots } from "./reader.ts";
import { segmentsOf } from "./segment-name.ts";
import { createWal, openWal, type WalOptions } from "./wal.ts";
import { zeroFillInSteps } from "./zero-fill.ts";

describeWithPeers("the independent reader", ["python3"], () => {
  test.each([
    ["segments that grow by steps", { segmentBytes: 20_000, stepBytes: 8192 }],
    ["segments that are prepared", { segmentBytes: 20_000, prepare: zeroFillInSteps }],
    ["one segment that grows with its records", { stepBytes: 0 }],
  ] as [string, WalOptions][])("finds every record good: %s", async (_, options) => {
    const parent = new SystemDirectory(scratchFolder("wal"));
    const metadata = encodeMetadata({ nodeId: 0xabcdn, clusterId: 2n ** 63n + 1n });
    const model = new WalModel();
    const first = createWal(parent, "wal", metadata, options);
    await runWalLoad(first, model, rng(1), { steps: 40, dataBytesMax: 3000 });
    await first.append([
      { type: 0, term: model.term, index: 1 + first.lastIndex, data: rng(2).bytes(200_000) },
    ]);
    await first.close();
    const { wal, contents } = openWal(first.directory, undefined, options);
    await wal.append([{ type: 0, term: model.term, index: 1 + wal.lastIndex, data: undefined }]);
    await wal.close();

    const { records } = readRecords(wal.directory);
    const said = decode("wal", wal.directory.path).split("\n");
    const lines = said.filter((line) => /^ +\d+ len=/.test(line));
    expect(lines).toHaveLength(records.length);
    for (const [i, line] of lines.entries()) expect(line).toContain(` ok ${records[i]?.kind}`);
    expect(
      said
        .filter((line) => line.includes("zero length field"))
        .every((line) => line.endsWith("all zero")),
    ).toBe(true);
    const last = lines.filter((line) => line.includes(" ok entry ")).at(-1);
    expect(last).toContain(`index=${contents.entries.length + 1} Normal (empty)`);
  });
});

/** The data directory's log, written again by us in segments of `segmentBytes`. */
async function rewrite(
  dataDir: string,
  options: WalOptions,
): Promise<{ segments: number; bytes: number }> {
  const member = new SystemDirectory(join(dataDir, "member"));
  const { records } = readRecords(member.folder("wal"));
  const [, head] = records;
  if (head?.kind !== "metadata") throw new Error("no metadata");
  const wal = createWal(member, "wal.new", head.metadata, options);
  await replay(wal, records.slice(3));
  await wal.close();
  rmSync(join(member.path, "wal"), { recursive: true });
  renameSync(join(member.path, "wal.new"), join(member.path, "wal"));
  const files = readdirSync(join(member.path, "wal")).map(
    (name) => statSync(join(member.path, "wal", name)).size,
  );
  return { segments: files.length, bytes: files.reduce((sum, size) => sum + size, 0) };
}

describeWithPeers("real etcd", ["etcd", "etcdctl"], () => {
  const KEYS = 1500;
  const value = (i: number): string => `${i} `.repeat(500).slice(0, 2000);

  async function mustHaveAllKeys(etcd: RealEtcd): Promise<void> {
    const { stdout } = await etcd.etcdctl("get", "--prefix", "k", "--write-out=json");
    const { kvs } = JSON.parse(stdout) as { kvs: { key: string; value: string }[] };
    const found = new Map(
      kvs.map((kv) => [
        Buffer.from(kv.key, "base64").toString(),
        Buffer.from(kv.value, "base64").toString(),
      ]),
    );
    expect(found.size).toBe(KEYS);
    for (let i = 0; i < KEYS; i++) expect(found.get(`k${i}`)).toBe(value(i));
  }

  test("boots from a log that we wrote again, in small segments that were never laid out, and goes on", {
    timeout: 180_000,
  }, async () => {
    const dataDir = join(scratchFolder("etcd"), "data");
    const flags = ["--snapshot-count", "400"];
    {
      await using etcd = await RealEtcd.start({ dataDir, flags });
      await loadEtcd(etcd, { count: KEYS, key: (i) => `k${i}`, value, batch: 3 });
      await etcd.stop();
    }
    const wal = new SystemDirectory(join(dataDir, "member/wal"));
    const before = readLog(wal, { index: 0, term: 0 }, "read");
    const snapshots = validSnapshots(wal);
    expect(snapshots.length).toBeGreaterThan(1);

    const { segments, bytes } = await rewrite(dataDir, {
      segmentBytes: 1_000_000,
      stepBytes: 65_536,
    });
    expect(segments).toBeGreaterThan(2);
    expect(bytes).toBeLessThan(5_000_000);
    const after = readLog(wal, { index: 0, term: 0 }, "read");
    expect(after.hardState).toEqual(before.hardState);
    expect(after.entries).toHaveLength(before.entries.length);
    expect(validSnapshots(wal)).toEqual(snapshots);
    expect(
      readLog(wal, snapshots.at(-1) ?? { index: 0, term: 0 }, "read").entries.length,
    ).toBeGreaterThan(0);

    {
      await using etcd = await RealEtcd.start({ dataDir, flags });
      await mustHaveAllKeys(etcd);
      expect((await etcd.etcdctl("put", "after", "x")).stdout).toBe("OK\n");
      await etcd.stop("SIGKILL");
    }
    // And back: etcd's records behind ours, in one log.
    const { entries, end } = readLog(wal, { index: 0, term: 0 }, "write");
    expect(entries.length).toBeGreaterThan(before.entries.length + 1);
    expect([end.torn, end.garbageOffsetBytes]).toEqual([undefined, undefined]);
    expect(segmentsOf(wal.list())).toHaveLength(segments);
  });

  test("rebuilds every key from nothing but our log", { timeout: 180_000 }, async () => {
    const dataDir = join(scratchFolder("etcd"), "data");
    {
      await using etcd = await RealEtcd.start({ dataDir });
      await loadEtcd(etcd, { count: KEYS, key: (i) => `k${i}`, value, batch: 1 });
      await etcd.stop();
    }
    const { segments } = await rewrite(dataDir, { segmentBytes: 1_000_000 });
    expect(segments).toBeGreaterThan(2);
    rmSync(join(dataDir, "member/snap/db"));
    await using etcd = await RealEtcd.start({ dataDir });
    await mustHaveAllKeys(etcd);
  });

  test("is refused nothing either: we go on with its log, and it with ours", {
    timeout: 180_000,
  }, async () => {
    const dataDir = join(scratchFolder("etcd"), "data");
    {
      await using etcd = await RealEtcd.start({ dataDir });
      expect((await etcd.etcdctl("put", "a", "1")).stdout).toBe("OK\n");
      await etcd.stop("SIGKILL");
    }
    const directory = new SystemDirectory(join(dataDir, "member/wal"));
    const { wal, contents } = openWal(directory, undefined, { repair: true });
    const { hardState } = contents;
    // What etcd's leader begins a term with, so that it finds nothing to do with it.
    const term = hardState.term + 1;
    const index = wal.lastIndex + 1;
    await wal.append([{ type: 0, term, index, data: undefined }], {
      ...hardState,
      term,
      commit: index,
    });
    await wal.close();
    // Its own preallocated file was left as it was: 64 MB of zeros behind the records.
    const [name] = segmentsOf(directory.list()).map((segment) => segment.name);
    expect(statSync(join(directory.path, name ?? "")).size).toBe(64_000_000);
    await using etcd = await RealEtcd.start({ dataDir });
    expect((await etcd.etcdctl("get", "a", "--print-value-only")).stdout).toBe("1\n");
    expect((await etcd.etcdctl("put", "b", "2")).stdout).toBe("OK\n");
    await etcd.stop();
    const { entries } = readLog(directory, { index: 0, term: 0 }, "write");
    expect(entries.find((entry) => entry.index === index)?.term).toBe(term);
    expect(entries.length).toBeGreaterThan(index);
  });
});
