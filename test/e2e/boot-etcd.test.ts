/**
 * A real etcd starts on data directories that it has never seen: log, snapshot and page file all made here. It finds
 * the member that they tell of, and the keys that their entries put.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SystemDirectory, SystemFile } from "../../native-free/file.ts";
import {
  ALARM,
  AUTH,
  AUTH_ROLES,
  AUTH_USERS,
  CLUSTER,
  CONSISTENT_INDEX,
  KEY,
  LEASE,
  MEMBERS,
  MEMBERS_REMOVED,
  META,
} from "../../src/backend/buckets.ts";
import { utf8, viewOf, writeU64BE } from "../../src/base/bytes.ts";
import {
  type BootEntries,
  initialEntries,
  startEntries,
} from "../../src/membership/boot-entries.ts";
import { Cluster, confStateRow } from "../../src/membership/cluster.ts";
import { clusterId, memberId } from "../../src/membership/ids.ts";
import { RequestIds } from "../../src/membership/request-ids.ts";
import { decodeV2Store, encodeV2Store } from "../../src/membership/v2-store.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { RequestEncoder } from "../../src/proto/internal-request.ts";
import {
  CompareResult,
  CompareTarget,
  NO_END,
  type PutRequest,
  type Request,
} from "../../src/proto/messages.ts";
import { decodeNormalEntry } from "../../src/proto/normal-entry.ts";
import {
  decodeConfChange,
  encodeConfChange,
  encodeMemberContext,
} from "../../src/wal/conf-change.ts";
import type { Entry } from "../../src/wal/entry.ts";
import { encodeMetadata } from "../../src/wal/metadata.ts";
import { readLog, validSnapshots } from "../../src/wal/reader.ts";
import { loadNewestSnap, snapName, writeSnapFile } from "../../src/wal/snap-file.ts";
import { createWal, type Wal } from "../../src/wal/wal.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { RealEtcd } from "../support/real-etcd.ts";
import { decoded } from "../support/wal-records.ts";

/** Nobody listens there: a single member has nobody to call. */
const PEER_URL = "http://127.0.0.1:1";
const TOKEN = "boot-etcd";
const MEMBER = memberId([PEER_URL], TOKEN);
const CLUSTER_ID = clusterId([MEMBER]);

/** A data directory, and what its next entry is to be. */
class Made {
  readonly dataDir = join(scratchFolder("boot"), "data");
  readonly cluster = new Cluster(CLUSTER_ID, MEMBER);
  readonly ids = new RequestIds(MEMBER, Date.now());
  readonly wal: Wal;
  readonly snaps: SystemDirectory;
  readonly #encoder = new RequestEncoder();

  constructor() {
    mkdirSync(join(this.dataDir, "member/snap"), { recursive: true, mode: 0o700 });
    const member = new SystemDirectory(join(this.dataDir, "member"));
    this.snaps = member.folder("snap");
    this.wal = createWal(member, "wal", encodeMetadata({ nodeId: MEMBER, clusterId: CLUSTER_ID }));
  }

  /** A new cluster's beginning, and its first start. */
  async boot(): Promise<void> {
    await this.append(initialEntries([{ id: MEMBER, name: "ours", peerUrls: [PEER_URL] }]));
    await this.append(
      startEntries({
        memberId: MEMBER,
        term: this.wal.hardState.term,
        lastIndex: this.wal.lastIndex,
        attributes: { name: "ours", clientUrls: ["http://127.0.0.1:2"] },
        clusterVersion: this.cluster.version,
        requestId: () => this.ids.next(),
      }),
    );
  }

  async append({ entries, hardState }: BootEntries): Promise<void> {
    for (const entry of entries) applyToCluster(this.cluster, entry);
    await this.wal.append(entries, hardState);
  }

  async request(request: Request): Promise<void> {
    const logged = { id: this.ids.next(), username: "", authRevision: 0, request };
    const data = this.#encoder.encode(logged);
    const { term } = this.wal.hardState;
    const index = this.wal.lastIndex + 1;
    const hardState = { ...this.wal.hardState, commit: index };
    await this.wal.append([{ type: 0, term, index, data }], hardState);
  }

  /** What a snapshot at the last index needs: its file, its record, and a page file that is as far. */
  async snapshot(): Promise<string> {
    const { term } = this.wal.hardState;
    const index = this.wal.lastIndex;
    this.#writePageFile(index);
    const confState = this.cluster.confState();
    const data = encodeV2Store(this.cluster);
    const name = writeSnapFile(this.snaps, { term, index, confState, data });
    await this.wal.saveSnapshot({ term, index, confState });
    return name;
  }

  #writePageFile(consistentIndex: number): void {
    const file = PageFile.open(new SystemFile(join(this.snaps.path, "db"), "create-exclusive"));
    file.update((tx) => {
      for (const name of [
        ALARM,
        AUTH,
        AUTH_ROLES,
        AUTH_USERS,
        CLUSTER,
        KEY,
        LEASE,
        MEMBERS,
        MEMBERS_REMOVED,
        META,
      ]) {
        tx.createBucket(name);
      }
      const index = new Uint8Array(8);
      writeU64BE(viewOf(index), 0, consistentIndex);
      tx.bucket(META)?.put(CONSISTENT_INDEX, index);
      for (const row of [...this.cluster.rows(), confStateRow(this.cluster.confState())]) {
        if (row.value !== undefined) tx.bucket(row.bucket)?.put(row.key, row.value);
      }
    });
    file.close();
  }
}

function applyToCluster(cluster: Cluster, { type, data }: Entry): void {
  if (type === 1) {
    const applied = cluster.applyConfChange(decoded(decodeConfChange(data ?? new Uint8Array())));
    expect(applied.kind).toBe("changed");
    return;
  }
  const entry = decodeNormalEntry(data);
  if (entry.kind === "v2") expect(cluster.applyV2Put(entry.put)).toBeDefined();
}

function put(key: string, value: string | Uint8Array, lease = 0n): PutRequest {
  return {
    kind: "put",
    key: utf8(key),
    value: typeof value === "string" ? utf8(value) : value,
    lease,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  };
}

const LEASE_ID = 0x1234_5678_9abc_def0n;

/** Every kind of request to the key space. */
const REQUESTS: readonly Request[] = [
  put("a", "1"),
  put("a", "2"),
  put("b", ""),
  put("gone", "x"),
  { kind: "deleteRange", key: utf8("gone"), rangeEnd: NO_END, prevKv: false },
  { kind: "leaseGrant", id: LEASE_ID, ttl: 3600 },
  put("leased", "l", LEASE_ID),
  put("large", new Uint8Array(100_000).fill(97)),
  {
    kind: "txn",
    compare: [
      {
        result: CompareResult.equal,
        target: CompareTarget.value,
        key: utf8("a"),
        rangeEnd: NO_END,
        operand: { target: 3, value: utf8("2") },
      },
      {
        result: CompareResult.greater,
        target: CompareTarget.version,
        key: utf8("a"),
        rangeEnd: NO_END,
        operand: { target: 0, number: 1 },
      },
    ],
    success: [put("yes", "1"), put("also", "2")],
    failure: [put("no", "1")],
  },
  { kind: "compaction", revision: 3, physical: false },
];

async function mustHaveAllKeys(etcd: RealEtcd): Promise<void> {
  const { stdout } = await etcd.etcdctl("get", "", "--prefix", "-w", "json");
  const { header, kvs } = JSON.parse(stdout) as {
    header: { revision: number };
    kvs: { key: string; value?: string; version: number; mod_revision: number; lease?: number }[];
  };
  const shown = kvs.map(({ key, value = "", version, mod_revision }) => [
    Buffer.from(key, "base64").toString(),
    Buffer.from(value, "base64").toString().slice(0, 10),
    version,
    mod_revision,
  ]);
  expect(shown).toEqual([
    ["a", "2", 2, 3],
    ["also", "2", 1, 9],
    ["b", "", 1, 4],
    ["large", "aaaaaaaaaa", 1, 8],
    ["leased", "l", 1, 7],
    ["yes", "1", 1, 9],
  ]);
  expect(header.revision).toBe(9);
  const lease = await etcd.etcdctl("lease", "timetolive", LEASE_ID.toString(16), "--keys");
  expect(lease.stdout).toMatch(/granted with TTL\(3600s\).*attached keys\(\[leased\]\)/);
  expect((await etcd.etcdctl("get", "a", "--rev=2")).stderr).toContain("compacted");
}

async function mustBeTheMember(etcd: RealEtcd): Promise<void> {
  const { stdout } = await etcd.etcdctl("member", "list");
  const id = MEMBER.toString(16);
  expect(stdout).toBe(`${id}, started, n1, ${PEER_URL}, ${etcd.clientUrl}, false\n`);
  const status = await etcd.etcdctl("endpoint", "status", "-w", "fields");
  expect(status.stdout).toContain(`"ClusterID" : ${CLUSTER_ID}\n`);
  expect(status.stdout).toContain(`"MemberID" : ${MEMBER}\n`);
}

describeWithPeers("real etcd boots from what is made here", ["etcd", "etcdctl"], () => {
  test("a log and nothing else", { timeout: 120_000 }, async () => {
    const made = new Made();
    await made.boot();
    for (const request of REQUESTS) await made.request(request);
    await made.wal.close();
    await using etcd = await RealEtcd.start({ dataDir: made.dataDir });
    await mustBeTheMember(etcd);
    await mustHaveAllKeys(etcd);
    expect(etcd.stderr).not.toContain("panic");
  });

  test("a snapshot, an empty page file, and a log that goes on; then its own snapshots", {
    timeout: 120_000,
  }, async () => {
    const made = new Made();
    await made.boot();
    const name = await made.snapshot();
    for (const request of REQUESTS) await made.request(request);
    await made.wal.close();
    expect(made.snaps.list()).toEqual([name, "db"]);
    const flags = ["--snapshot-count", "3"];
    {
      await using etcd = await RealEtcd.start({ dataDir: made.dataDir, flags });
      expect(etcd.stderr).toContain("recovered v2 store from snapshot");
      await mustBeTheMember(etcd);
      await mustHaveAllKeys(etcd);
      for (let i = 0; i < 8; i++) {
        expect((await etcd.etcdctl("put", "a", "2")).stdout).toBe("OK\n");
      }
      await etcd.stop();
    }
    // Our store went on in etcd's hands: it was changed there, and written again.
    const valid = validSnapshots(made.wal.directory);
    const { snapshot, broken } = loadNewestSnap(made.snaps, valid);
    expect(broken).toEqual([]);
    if (snapshot === undefined) return expect.unreachable("no snapshot");
    expect(snapName(snapshot)).not.toBe(name);
    expect(snapshot.confState).toEqual(made.cluster.confState());
    const stored = decoded(decodeV2Store(snapshot.data));
    expect(stored).toMatchObject({ members: [{ id: MEMBER, name: "n1" }], version: "3.4.0" });

    const cluster = new Cluster(CLUSTER_ID, MEMBER, stored);
    for (const entry of readLog(made.wal.directory, snapshot, "read").entries) {
      applyToCluster(cluster, entry);
    }
    expect(cluster.members[0]?.peerUrls).toEqual([PEER_URL]);
    await using etcd = await RealEtcd.start({ dataDir: made.dataDir, flags });
    await mustBeTheMember(etcd);
    expect((await etcd.etcdctl("get", "a", "--print-value-only")).stdout).toBe("2\n");
  });

  test("a member that was removed before the snapshot stays so", { timeout: 120_000 }, async () => {
    const made = new Made();
    await made.boot();
    const other = 0xabcdn;
    const change = async (type: 0 | 1, context: Uint8Array | undefined): Promise<void> => {
      const { term } = made.wal.hardState;
      const index = made.wal.lastIndex + 1;
      const data = encodeConfChange({ id: made.ids.next(), type, nodeId: other, context });
      const hardState = { ...made.wal.hardState, commit: index };
      await made.append({ entries: [{ type: 1, term, index, data }], hardState });
    };
    await change(0, encodeMemberContext({ id: other, peerUrls: ["http://127.0.0.1:3"] }));
    await change(1, undefined);
    expect(made.cluster.removed).toEqual([other]);
    await made.snapshot();
    await made.request(put("k", "v"));
    await made.wal.close();
    await using etcd = await RealEtcd.start({
      dataDir: made.dataDir,
      flags: ["--snapshot-count", "3"],
    });
    await mustBeTheMember(etcd);
    for (let i = 0; i < 5; i++) await etcd.etcdctl("put", "k", "v");
    expect((await etcd.etcdctl("get", "k", "--print-value-only")).stdout).toBe("v\n");
    await etcd.stop();
    const { snapshot } = loadNewestSnap(made.snaps, validSnapshots(made.wal.directory));
    expect(decoded(decodeV2Store(snapshot?.data ?? new Uint8Array()))).toMatchObject({
      removed: [other],
    });
  });
});
