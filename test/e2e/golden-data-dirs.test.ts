/** Data dirs that real etcds of three versions left: opened with what test/golden/README.md says of them, or refused. */
import { appendFileSync, copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SystemDirectory } from "../../native-free/file.ts";
import { CONSISTENT_INDEX, FINISHED_COMPACT_REV, KEY, META } from "../../src/backend/buckets.ts";
import { readRevision } from "../../src/backend/revision.ts";
import { readU64BE, viewOf } from "../../src/base/bytes.ts";
import { Strata, type StrataOptions } from "../../src/index.ts";
import { Cluster } from "../../src/membership/cluster.ts";
import { encodeV2Store } from "../../src/membership/v2-store.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { encodeMetadata } from "../../src/wal/metadata.ts";
import { writeSnapFile } from "../../src/wal/snap-file.ts";
import { createWal } from "../../src/wal/wal.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { goldenPath } from "../support/golden.ts";
import { goldenDataDir } from "../support/golden-data-dir.ts";
import { RealEtcd } from "../support/real-etcd.ts";

const MEMBER = 0x25351fad42b3c84cn;
const CLUSTER = 0x3d3fd201ef4996abn;

async function open(dir: string, options: StrataOptions = {}): Promise<Strata> {
  const log = (): void => undefined;
  return await Strata.open({ dir }, { clientUrls: ["http://127.0.0.1:1"], log, ...options });
}

/** Keys with their values, cut short. */
async function keysOf(store: Strata): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key, value } of store.range({ prefix: "" })) {
    keys.push(`${key.string()}=${value.string().slice(0, 3)}`);
  }
  return keys;
}

/** The one line that a user is told. */
async function refusalOf(dir: string): Promise<string> {
  const error: unknown = await open(dir).then(
    (store) => store.close(),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(Error);
  const { message, code } = error as Error & { code: string };
  expect(message).not.toContain("\n");
  return `${code}: ${message.replaceAll(dir, "DIR")}`;
}

/** That of the fixtures, in whatever state it is left, opens again and has the same. */
async function mustOpenAgain(dir: string): Promise<void> {
  await using store = await open(dir);
  await store.put("zz", "taken");
  expect((await store.get("zz"))?.value.string()).toBe("taken");
}

test("basic: its history, revision by revision", async () => {
  const dir = goldenDataDir("basic");
  {
    await using store = await open(dir);
    expect(store.status()).toMatchObject({
      revision: 11n,
      compactedRevision: -1n,
      memberId: MEMBER,
      clusterId: CLUSTER,
      alarms: [],
      leases: 1,
    });
    expect(await keysOf(store)).toEqual([
      "a=3",
      "b=aga",
      "big=vvv",
      "empty=",
      "leased=v1",
      "t1=x",
      "t2=y",
    ]);
    expect(await store.get("a")).toMatchObject({ createRevision: 2n, version: 2n });
    expect((await store.get("foo", { revision: 8 }))?.value.string()).toBe("bar");
    expect(await store.get("b", { revision: 7 })).toBeUndefined();
    const lease = await store.lease.timeToLive(0x484ca201c682cb0bn, { keys: true });
    expect(lease).toMatchObject({ grantedTtl: 3600 });
    expect(lease?.keys.map((key) => Buffer.from(key).toString())).toEqual(["leased"]);
    const hashes = [
      1084519789, 2587454935, 1827592406, 2069675932, 3967517047, 796222162, 3759686506, 1696238628,
      3618038822, 2974413485, 4142670154,
    ];
    for (const [i, hash] of hashes.entries()) {
      expect(await store.hashKv(i + 1)).toMatchObject({ hash, compactRevision: -1n });
    }
    expect(store.member.cluster).toMatchObject({
      version: "3.4.0",
      removed: [],
      members: [{ id: MEMBER, name: "n1", peerUrls: ["http://127.0.0.1:23800"] }],
    });
  }
  await mustOpenAgain(dir);
});

test("basic: from its log alone, and with the whole segment that etcd had laid out", async () => {
  const dir = goldenDataDir("basic");
  rmSync(join(dir, "member/snap/db"));
  const segment = join(dir, `member/wal/${"0".repeat(16)}-${"0".repeat(16)}.wal`);
  appendFileSync(segment, Buffer.alloc(1_000_000));
  {
    await using store = await open(dir);
    expect(await store.hashKv(11)).toMatchObject({ hash: 4142670154, revision: 11n });
    expect(store.status()).toMatchObject({ memberId: MEMBER, clusterId: CLUSTER, leases: 1 });
  }
  await mustOpenAgain(dir);
});

test("full: compacted, an alarm, leases, snapshots", async () => {
  const dir = goldenDataDir("full");
  {
    // Else an alarm whose cause is gone lifts itself.
    await using store = await open(dir, { selfMaintain: false });
    expect(store.status()).toMatchObject({
      revision: 30n,
      compactedRevision: 21n,
      memberId: MEMBER,
      clusterId: CLUSTER,
      alarms: [{ memberId: MEMBER, alarm: 1 }],
      leases: 1,
    });
    expect(await keysOf(store)).toEqual(["k0=v12", "k2=bac", "l1=x", "l2=y"]);
    expect(await store.hashKv()).toMatchObject({ hash: 421711451, compactRevision: 21n });
    const lease = await store.lease.timeToLive((await store.lease.list())[0] ?? 0n, { keys: true });
    expect(lease).toMatchObject({ grantedTtl: 7200 });
    expect(lease?.keys.map((key) => Buffer.from(key).toString())).toEqual(["l1", "l2"]);
    await expect(store.get("k0", { revision: 20 })).rejects.toMatchObject({ code: "COMPACTED" });
    await expect(store.put("x", "1")).rejects.toMatchObject({ code: "NO_SPACE" });
    expect(store.member.cluster.version).toBe("3.4.0");
    expect(await store.alarms.disarm("noSpace")).toHaveLength(1);
  }
  await mustOpenAgain(dir);
});

test("full: while authentication is on, it is refused", async () => {
  const dir = goldenDataDir("full");
  copyFileSync(goldenPath("full.snapshot.db"), join(dir, "member/snap/db"));
  expect(await refusalOf(dir)).toBe(
    "INCOMPATIBLE: DIR/member/snap/db: authentication is enabled, which this version does not enforce: disable it first",
  );
});

test("full: users that the log makes, and the database has not got, are not left out", async () => {
  const dir = goldenDataDir("full");
  rmSync(join(dir, "member/snap"), { recursive: true });
  mkdirSync(join(dir, "member/snap"));
  copyFileSync(goldenPath("compact16.snapshot.db"), join(dir, "member/snap/db"));
  expect(await refusalOf(dir)).toMatch(/^INCOMPATIBLE: log entry \d+ changes users or roles/);
});

test("members: one is left of those that came and went", async () => {
  const dir = goldenDataDir("members");
  {
    await using store = await open(dir);
    expect(store.status()).toMatchObject({ revision: 2n, memberId: MEMBER, clusterId: CLUSTER });
    expect(store.member.cluster.members.map(({ id }) => id)).toEqual([MEMBER]);
    expect(store.member.cluster.removed).toHaveLength(1);
    expect(await keysOf(store)).toHaveLength(1);
  }
  await mustOpenAgain(dir);
});

test("v35: its log goes on where the snapshot of its database ends", async () => {
  const dir = goldenDataDir("v35");
  {
    await using store = await open(dir);
    expect(store.status()).toMatchObject({ compactedRevision: 4n, memberId: MEMBER });
    // A snapshot of revision 6, and five puts of c in the log behind it.
    expect(store.status().revision).toBe(11n);
    expect((await store.get("c"))?.value.string()).toBe("5");
    expect(await store.hashKv(6)).toMatchObject({ hash: 3339490773 });
    expect(await store.hashKv(5)).toMatchObject({ hash: 376657901 });
    expect(store.member.cluster.version).toBe("3.5.0");
  }
  await mustOpenAgain(dir);
});

test("v36: requests in their newer form", async () => {
  const dir = goldenDataDir("v36");
  {
    await using store = await open(dir);
    expect(store.status()).toMatchObject({ revision: 9n, compactedRevision: -1n });
    expect(await store.hashKv()).toMatchObject({ hash: 654140488, revision: 9n });
    expect(store.member.cluster.version).toBe("3.6.0");
  }
  await mustOpenAgain(dir);
});

test("restore: a cluster of two is refused", async () => {
  expect(await refusalOf(goldenDataDir("restore"))).toBe(
    "INCOMPATIBLE: this data dir belongs to a cluster of 2 voting members: strata serves one with a single member",
  );
});

function databaseAlone(golden: string): string {
  const dir = scratchFolder("golden-db");
  mkdirSync(join(dir, "member/snap"), { recursive: true });
  copyFileSync(goldenPath(golden), join(dir, "member/snap/db"));
  return dir;
}

/** A log whose beginning was given up at a snapshot, just where the database ends: as a snapshot's release leaves it. */
async function logBehind(dir: string): Promise<void> {
  const file = openPageFile(join(dir, "member/snap/db"));
  const row = file.view((tx) => tx.bucket(META)?.get(CONSISTENT_INDEX)?.slice());
  file.close();
  const index = readU64BE(viewOf(row ?? new Uint8Array(8)), 0);
  expect(index).toBeGreaterThan(200);
  const cluster = new Cluster(CLUSTER, MEMBER, {
    members: [
      {
        id: MEMBER,
        name: "n1",
        peerUrls: ["http://127.0.0.1:23800"],
        clientUrls: ["http://127.0.0.1:23790"],
        isLearner: false,
      },
    ],
    removed: [],
    version: "3.4.0",
  });
  const member = new SystemDirectory(join(dir, "member"));
  const confState = cluster.confState();
  const data = encodeV2Store(cluster);
  writeSnapFile(member.folder("snap"), { index, term: 2, confState, data });
  const wal = createWal(member, "wal", encodeMetadata({ nodeId: MEMBER, clusterId: CLUSTER }));
  await wal.append([], { term: 2, vote: MEMBER, commit: index });
  await wal.saveSnapshot({ index, term: 2, confState });
  await wal.close();
}

test("compact-crash: without its log it is refused; with one, the compaction is finished", async () => {
  const dir = databaseAlone("compact-crash.db");
  expect(await refusalOf(dir)).toBe(
    "INCOMPATIBLE: DIR/member/snap/db is there, and no log beside it: restore it as a snapshot into a new data dir",
  );
  await logBehind(dir);
  let finished = (): void => undefined;
  const compacted = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const store = await open(dir, {
    compactionBatchLimit: 10,
    log: ({ message }) => message === "finished scheduled compaction" && finished(),
  });
  expect(store.status()).toMatchObject({ revision: 207n, compactedRevision: 200n });
  await compacted;
  expect(await store.hashKv()).toMatchObject({ hash: 2391440851, compactRevision: 200n });
  await store.close();
  const file = openPageFile(join(dir, "member/snap/db"));
  file.view((tx) => {
    const at = tx.bucket(META)?.get(FINISHED_COMPACT_REV);
    expect(at && readRevision(at)).toMatchObject({ main: 200, sub: 0 });
    let records = 0;
    const cursor = tx.bucket(KEY)?.cursor();
    for (let more = cursor?.first(); more; more = cursor?.next()) records++;
    expect(records).toBe(110);
  });
  file.close();
});

test("a database that lacks what its log has given up is refused", async () => {
  const dir = databaseAlone("compact-crash.db");
  await logBehind(dir);
  copyFileSync(goldenPath("basic.datadir.db"), join(dir, "member/snap/db"));
  expect(await refusalOf(dir)).toMatch(
    /^INCOMPATIBLE: DIR\/member\/wal has committed entry 2\d\d, and neither it nor DIR\/member\/snap\/db has it/,
  );
});

test("wal-segments: a log of no member, and without its database", async () => {
  const dir = scratchFolder("golden-log");
  mkdirSync(join(dir, "member/snap"), { recursive: true });
  const wal = join(dir, "member/wal");
  mkdirSync(wal);
  for (const name of new SystemDirectory(goldenPath("wal-segments")).list()) {
    copyFileSync(join(goldenPath("wal-segments"), name), join(wal, name));
  }
  expect(await refusalOf(dir)).toBe(
    "INCOMPATIBLE: DIR/member/snap/db is missing, and the log does not reach back to the beginning: restore a snapshot",
  );
});

test("one that is open names its holder", async () => {
  const dir = goldenDataDir("basic");
  await using _holder = await open(dir);
  expect(await refusalOf(dir)).toMatch(new RegExp(`^LOCKED: DIR/member/snap/db.*${process.pid}`));
});

describeWithPeers("a data dir that a real etcd has open", ["etcd", "etcdctl"], () => {
  test("is refused, and etcd named", async () => {
    await using etcd = await RealEtcd.start();
    expect(await refusalOf(etcd.dataDir)).toMatch(
      new RegExp(`^LOCKED: DIR/member/snap/db.*${etcd.pid}`),
    );
  });
});
