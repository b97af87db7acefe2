import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { goldenPath } from "../../test/support/golden.ts";
import { decoded, goldenLog, readRecords } from "../../test/support/wal-records.ts";
import { decodeNormalEntry } from "../proto/normal-entry.ts";
import {
  type ConfChange,
  decodeConfChange,
  decodeMemberContext,
  encodeMemberContext,
} from "../wal/conf-change.ts";
import { decodeMetadata } from "../wal/metadata.ts";
import { decodeSnapFile } from "../wal/snap-file.ts";
import { initialEntries, isBelow, startEntries } from "./boot-entries.ts";
import { attributesPut, Cluster, confStateRow, type RowChange } from "./cluster.ts";
import { clusterOfRows } from "./cluster-rows.ts";
import { clusterId } from "./ids.ts";
import { decodeV2Store, encodeV2Store } from "./v2-store.ts";

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString();

/** Rows as they would stand in the file: `bucket/key` to value. */
class Rows {
  readonly rows = new Map<string, string>();

  add(changes: readonly RowChange[]): void {
    for (const { bucket, key, value } of changes) {
      const name = `${text(bucket)}/${text(key)}`;
      if (value === undefined) this.rows.delete(name);
      else this.rows.set(name, text(value) ?? "");
    }
  }

  get(): Record<string, string> {
    return Object.fromEntries(this.rows);
  }
}

/** The golden log's cluster, and the rows that its entries made. */
function replayed(name: string): { cluster: Cluster; rows: Rows; refused: string[] } {
  const { records } = readRecords(goldenLog(name));
  const rows = new Rows();
  const refused: string[] = [];
  const [, head] = records;
  if (head?.kind !== "metadata") throw new Error("no metadata");
  const metadata = decoded(decodeMetadata(head.metadata));
  const cluster = new Cluster(metadata.clusterId, metadata.nodeId);
  for (const record of records) {
    if (record.kind !== "entry") continue;
    const { type, data = new Uint8Array() } = record.entry;
    if (type === 1) {
      const applied = cluster.applyConfChange(decoded(decodeConfChange(data)));
      if (applied.kind === "changed") rows.add(applied.rows);
      else refused.push(applied.why);
      continue;
    }
    const entry = decodeNormalEntry(data);
    if (entry.kind === "v2") rows.add(cluster.applyV2Put(entry.put) ?? []);
    if (entry.kind !== "request") continue;
    const { request } = entry.logged;
    if (request?.kind === "clusterVersionSet") rows.add(cluster.setVersion(request.version));
    if (request?.kind === "clusterMemberAttrSet") {
      rows.add(cluster.setAttributes(request.memberId, request));
    }
  }
  return { cluster, rows, refused };
}

const N1 =
  '{"id":2681083982177880140,"peerURLs":["http://127.0.0.1:23800"],"name":"n1","clientURLs":["http://127.0.0.1:23790"]}';
const CONF_STATE = '{"voters":[2681083982177880140],"auto_leave":false}';

describe("golden logs", () => {
  test.each([
    ["basic.wal", "3.4.0"],
    ["full.wal", "3.4.0"],
    ["v36.wal", "3.6.0"],
  ])("%s makes etcd's rows", (name, version) => {
    const { cluster, rows, refused } = replayed(name);
    expect(refused).toEqual([]);
    expect(cluster.id).toBe(clusterId(cluster.members.map(({ id }) => id)));
    expect(cluster.members.map(({ id }) => id)).toEqual([cluster.localId]);
    const { localId } = cluster;
    const row = rows.get()[`members/${localId.toString(16)}`] ?? "";
    if (name !== "v36.wal") expect(row).toBe(N1);
    expect(row).toContain("clientURLs");
    // The page file that etcd wrote beside this log has the very same row.
    expect(readFileSync(goldenPath(name.replace(".wal", ".datadir.db")))).toSatisfy((db: Buffer) =>
      db.includes(row),
    );
    expect(rows.get()).toEqual({
      [`members/${localId.toString(16)}`]: row,
      "cluster/clusterVersion": version,
      "meta/confState": `{"voters":[${localId}],"auto_leave":false}`,
    });
  });

  test("members.wal: a learner comes, moves and goes", () => {
    const { cluster, rows, refused } = replayed("members.wal");
    expect(refused).toEqual([]);
    expect(cluster.removed).toHaveLength(1);
    const removed = (cluster.removed[0] as bigint).toString(16);
    expect(rows.get()).toEqual({
      "members/25351fad42b3c84c": N1,
      [`members_removed/${removed}`]: "removed",
      "cluster/clusterVersion": "3.4.0",
      "meta/confState": CONF_STATE,
    });
    expect(readFileSync(goldenPath("members.datadir.db")).includes(`${removed}removed`)).toBe(true);
    const all = new Rows();
    all.add([...cluster.rows(), confStateRow(cluster.confState())]);
    expect(all.get()).toEqual(rows.get());
  });

  test("restore.wal and restore.snap say the same; the store is written as etcd did", () => {
    const { cluster } = replayed("restore.wal");
    const snap = decoded(decodeSnapFile(readFileSync(goldenPath("restore.snap"))));
    const stored = decoded(decodeV2Store(snap.data));
    // The names of initial members are in the log alone.
    expect(stored.members).toEqual(cluster.members.map((member) => ({ ...member, name: "" })));
    expect(cluster.confState()).toEqual(snap.confState);
    expect(text(encodeV2Store(cluster))).toBe(text(snap.data));
    expect(text(encodeV2Store(stored))).toBe(text(snap.data));
  });

  test.each(["full.snap15.snap", "full.snap2a.snap"])("%s: and from a live server", (name) => {
    const snap = decoded(decodeSnapFile(readFileSync(goldenPath(name))));
    const stored = decoded(decodeV2Store(snap.data));
    const { cluster } = replayed("full.wal");
    expect(stored).toEqual({
      members: cluster.members,
      removed: [],
      version: "3.4.0",
    });
    // All but one thing: the live server had once looked for a version that was not there yet.
    expect(text(encodeV2Store(cluster))).toBe(
      text(snap.data)?.replace('"getsFail":1', '"getsFail":0'),
    );
  });
});

const peer = (id: bigint): string => `http://peer${id}:2380`;
const change = (type: ConfChange["type"], nodeId: bigint, more: object = {}): ConfChange => ({
  id: 1n,
  type,
  nodeId,
  context:
    type === 1 ? undefined : encodeMemberContext({ id: nodeId, peerUrls: [peer(nodeId)], ...more }),
});
const [ADD, REMOVE, UPDATE, ADD_LEARNER] = [0, 1, 2, 3] as const;

describe("changes of the members", () => {
  test("a learner is added, promoted, updated and removed", () => {
    const cluster = new Cluster(1n, 1n);
    const rows = new Rows();
    const apply = (one: ConfChange): void => {
      const applied = cluster.applyConfChange(one);
      if (applied.kind === "refused") throw new Error(applied.why);
      rows.add(applied.rows);
    };
    apply(change(ADD, 1n));
    apply(change(ADD_LEARNER, 2n ** 64n - 1n, { isLearner: true }));
    expect(cluster.confState()).toMatchObject({ voters: [1n], learners: [2n ** 64n - 1n] });
    expect(rows.get()["meta/confState"]).toBe(
      '{"voters":[1],"learners":[18446744073709551615],"auto_leave":false}',
    );
    apply(change(UPDATE, 2n ** 64n - 1n, { peerUrls: ["http://moved:1"] }));
    expect(rows.get()["members/ffffffffffffffff"]).toBe(
      '{"id":18446744073709551615,"peerURLs":["http://moved:1"],"isLearner":true}',
    );
    apply(change(ADD, 2n ** 64n - 1n, { isPromote: true }));
    expect(rows.get()["members/ffffffffffffffff"]).toBe(
      '{"id":18446744073709551615,"peerURLs":["http://moved:1"]}',
    );
    rows.add(
      cluster.applyV2Put(
        attributesPut(9n, 2n ** 64n - 1n, { name: "<b>", clientUrls: ["http://c:1"] }),
      ) ?? [],
    );
    expect(rows.get()["members/ffffffffffffffff"]).toBe(
      '{"id":18446744073709551615,"peerURLs":["http://moved:1"],"name":"\\u003cb\\u003e","clientURLs":["http://c:1"]}',
    );
    apply(change(REMOVE, 2n ** 64n - 1n));
    expect(rows.get()).toEqual({
      "members/1": '{"id":1,"peerURLs":["http://peer1:2380"]}',
      "members_removed/ffffffffffffffff": "removed",
      "meta/confState": '{"voters":[1],"auto_leave":false}',
    });
    expect(cluster.setAttributes(2n ** 64n - 1n, { name: "late", clientUrls: [] })).toEqual([]);
    expect(() => cluster.setAttributes(77n, { name: "", clientUrls: [] })).toThrow(
      expect.objectContaining({ code: "CORRUPT" }),
    );
  });

  test.each([
    ["id-exists", change(ADD, 1n, { peerUrls: ["http://other:1"] })],
    ["peer-url-taken", change(ADD, 5n, { peerUrls: [peer(1n)] })],
    ["peer-url-taken", change(UPDATE, 1n, { peerUrls: [peer(2n)] })],
    ["id-not-found", change(REMOVE, 5n)],
    ["id-not-found", change(UPDATE, 5n)],
    ["id-not-found", change(ADD, 5n, { isPromote: true })],
    ["not-a-learner", change(ADD, 1n, { isPromote: true })],
    ["id-removed", change(ADD, 3n)],
    ["learners-max", change(ADD_LEARNER, 6n, { isLearner: true })],
  ])("%s is refused, and changes nothing", (why, refused) => {
    const cluster = new Cluster(1n, 1n);
    cluster.applyConfChange(change(ADD, 1n));
    cluster.applyConfChange(change(ADD_LEARNER, 2n, { isLearner: true }));
    cluster.applyConfChange(change(ADD, 3n));
    cluster.applyConfChange(change(REMOVE, 3n));
    const before = cluster.rows();
    expect(cluster.applyConfChange(refused)).toEqual({ kind: "refused", why });
    expect(cluster.rows()).toEqual(before);
  });

  test("a downgrade is a row of its own", () => {
    const rows = new Rows();
    rows.add(new Cluster(1n, 1n).setDowngrade(true, "3.5.0"));
    expect(rows.get()["cluster/downgrade"]).toBe('{"target-version":"3.5.0","enabled":true}');
    rows.add(new Cluster(1n, 1n).setDowngrade(false, "3.5.0"));
    expect(rows.get()["cluster/downgrade"]).toBe('{"target-version":"","enabled":false}');
  });

  test("a context that is missing, no JSON, or of another member stops the log", () => {
    const cluster = new Cluster(1n, 1n);
    const bad = [undefined, Buffer.from("{"), Buffer.from("{}"), change(ADD, 2n).context];
    for (const context of bad) {
      expect(() => cluster.applyConfChange({ id: 1n, type: ADD, nodeId: 1n, context })).toThrow(
        expect.objectContaining({ code: "CORRUPT" }),
      );
    }
  });
});

describe("what is written is read", () => {
  test("as rows and as a store, with ids of all 64 bits", () => {
    const cluster = new Cluster(1n, 1n);
    cluster.applyConfChange(change(ADD, 2n ** 63n + 1n));
    cluster.applyConfChange(change(ADD, 2n ** 63n + 2n));
    cluster.applyConfChange(change(ADD_LEARNER, 0xan, { isLearner: true }));
    cluster.applyConfChange(change(REMOVE, 2n ** 63n + 2n));
    cluster.setAttributes(0xan, { name: 'a"id":5&', clientUrls: ["http://c:1"] });
    cluster.setVersion("3.4.0");
    const { members, removed, version } = cluster;
    const state = { members, removed, version };
    expect(decodeV2Store(encodeV2Store(cluster))).toEqual(state);
    const rows = cluster.rows();
    const of = (bucket: string): RowChange[] => rows.filter((row) => text(row.bucket) === bucket);
    expect(
      clusterOfRows({
        members: of("members").map(({ key, value = new Uint8Array() }) => [key, value]),
        removed: of("members_removed").map(({ key }) => key),
        version: of("cluster")[0]?.value,
      }),
    ).toEqual(state);
    expect(new Cluster(1n, 1n, state).rows()).toEqual(rows);
  });

  test("more writes than the store's ring has slots", () => {
    const removed = Array.from({ length: 1500 }, (_, i) => BigInt(i + 1));
    const bytes = encodeV2Store({ members: [], removed, version: undefined });
    const { WatcherHub: hub } = JSON.parse(text(bytes) ?? "") as {
      WatcherHub: { EventHistory: { Queue: { Events: unknown[] }; StartIndex: number } };
    };
    expect(hub.EventHistory.Queue).toMatchObject({ Size: 1000, Front: 0, Back: 0 });
    expect(hub.EventHistory.Queue.Events).toHaveLength(1000);
    expect(hub.EventHistory.StartIndex).toBe(501);
    expect(decodeV2Store(bytes)).toMatchObject({ removed });
  });

  test("what is no store is said to be none", () => {
    for (const bad of ["", "null", "[]", "{}", '{"Root":{"Children":{"0":5}}}']) {
      expect(["object", "string"]).toContain(typeof decodeV2Store(Buffer.from(bad)));
    }
    expect(decodeV2Store(Buffer.from("{}"))).toBe("a store without /0");
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (json) => {
        expect(["object", "string"]).toContain(typeof decodeV2Store(Buffer.from(json)));
        expect(["object", "string"]).toContain(typeof decodeMemberContext(Buffer.from(json)));
      }),
    );
    for (const id of ['"abc"', "5.5", "-1", "18446744073709551616", "1e3", "null"]) {
      const context = Buffer.from(`{"id":${id},"peerURLs":[]}`);
      expect(decodeMemberContext(context)).toMatch(/^a context (without an id|that is no JSON)/);
    }
    const member = '{"Root":{"Children":{"0":{"Children":{"members":{"Children":{"zz":{}}}}}}}}';
    expect(decodeV2Store(Buffer.from(member))).toBe("/0/members/zz: no member's id");
  });
});

describe("what a member writes when it starts", () => {
  test("a new one: byte for byte what etcd 3.4 wrote, but for ids of requests", () => {
    const golden = readRecords(goldenLog("basic.wal")).records.flatMap((record) =>
      record.kind === "entry" ? [record.entry] : [],
    );
    const id = 0x25351fad42b3c84cn;
    const initial = initialEntries([{ id, name: "n1", peerUrls: ["http://127.0.0.1:23800"] }]);
    expect(initial).toEqual({
      entries: golden.slice(0, 1),
      hardState: { term: 1, vote: 0n, commit: 1 },
    });
    const ids = golden.slice(2, 4).map(({ data }) => {
      const entry = decodeNormalEntry(data);
      return entry.kind === "v2" ? entry.put.id : 0n;
    });
    const start = startEntries({
      memberId: id,
      term: 1,
      lastIndex: 1,
      attributes: { name: "n1", clientUrls: ["http://127.0.0.1:23790"] },
      clusterVersion: undefined,
      requestId: () => ids.shift() ?? 0n,
    });
    expect(start).toEqual({
      entries: golden.slice(1, 4),
      hardState: { term: 2, vote: id, commit: 4 },
    });
  });

  test("a later start names the version only if it is lower", () => {
    const start = (clusterVersion: string): number =>
      startEntries({
        memberId: 1n,
        term: 7,
        lastIndex: 50,
        attributes: { name: "n", clientUrls: [] },
        clusterVersion,
        requestId: () => 1n,
      }).hardState.commit;
    expect([start("3.3.0"), start("3.4.0"), start("3.10.0")]).toEqual([53, 52, 52]);
    expect(isBelow("3.4.0", "3.10.0")).toBe(true);
    expect(isBelow("3.4.0", "3.4.0")).toBe(false);
  });
});
