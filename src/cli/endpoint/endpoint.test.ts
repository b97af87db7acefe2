import { describe, expect, test } from "vitest";
import { etcdctl, FakeTransport } from "../../../test/support/fake-transport.ts";
import { EtcdError } from "../../base/errors.ts";
import { deadlineExceeded } from "../../client/status.ts";
import { CLUSTER_METHODS } from "../../proto/tables/cluster.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";
import { MAINTENANCE_METHODS, type StatusResponse } from "../../proto/tables/maintenance.ts";
import type { Partially } from "../../proto/tables/message-table.ts";

const HEADER = { clusterId: 3n, memberId: 0xffff_ffff_ffff_fff1n, revision: 7n, raftTerm: 2n };
const STATUS: Partially<StatusResponse> = {
  header: HEADER,
  version: "3.6.0",
  dbSize: 25_000n,
  dbSizeInUse: 10_000n,
  dbSizeQuota: 2_147_483_648n,
  leader: HEADER.memberId,
  raftIndex: 12n,
  raftTerm: 2n,
  raftAppliedIndex: 11n,
  storageVersion: "3.6.0",
  errors: ["one", "two"],
  downgradeInfo: { enabled: true, targetVersion: "3.5" },
};

describe("endpoint status", () => {
  const server = (): FakeTransport => new FakeTransport().on(MAINTENANCE_METHODS.status, STATUS);

  test("has etcd 3.4's ten columns, and 3.6's sixteen if they are asked for", async () => {
    const short = await etcdctl(server(), ["endpoint", "status"]);
    expect(short.out).toBe(
      "127.0.0.1:2379, fffffffffffffff1, 3.6.0, 25 kB, true, false, 2, 12, 11, one, two\n",
    );
    const long = await etcdctl(server(), ["endpoint", "status", "--all-columns"]);
    expect(long.out).toBe(
      "127.0.0.1:2379, fffffffffffffff1, 3.6.0, 3.6.0, 25 kB, 10 kB, 60%, 2.1 GB, true, false, 2, 12, 11, one, two, 3.5, true\n",
    );
  });

  test("a server that says no size has no share of it to tell", async () => {
    const empty = new FakeTransport().on(MAINTENANCE_METHODS.status, {});
    const { out } = await etcdctl(empty, ["endpoint", "status", "--all-columns"]);
    expect(out).toBe("127.0.0.1:2379, 0, , , 0 B, 0 B, 0%, 0 B, true, false, 0, 0, 0, , , false\n");
  });

  test("json and fields have all there is", async () => {
    const json = await etcdctl(server(), ["endpoint", "status", "-w", "json"]);
    expect(json.out).toBe(
      '[{"Endpoint":"127.0.0.1:2379","Status":{"header":{"cluster_id":3,"member_id":18446744073709551601,"revision":7,"raft_term":2},' +
        '"version":"3.6.0","dbSize":25000,"leader":18446744073709551601,"raftIndex":12,"raftTerm":2,"raftAppliedIndex":11,' +
        '"errors":["one","two"],"dbSizeInUse":10000,"storageVersion":"3.6.0","dbSizeQuota":2147483648,' +
        '"downgradeInfo":{"enabled":true,"targetVersion":"3.5"}}}]\n',
    );
    const fields = await etcdctl(server(), ["endpoint", "status", "-w", "fields"]);
    expect(fields.out).toBe(
      '"ClusterID" : 3\n"MemberID" : 18446744073709551601\n"Revision" : 7\n"RaftTerm" : 2\n"Version" : "3.6.0"\n' +
        '"StorageVersion" : "3.6.0"\n"DBSize" : 25000\n"DBSizeInUse" : 10000\n"DBSizeQuota" : 2147483648\n' +
        '"Leader" : 18446744073709551601\n"IsLearner" : false\n"RaftIndex" : 12\n"RaftTerm" : 2\n"RaftAppliedIndex" : 11\n' +
        '"Errors" : [one two]\n"Endpoint" : "127.0.0.1:2379"\n"DowngradeTargetVersion" : "3.5"\n"DowngradeEnabled" : true\n\n',
    );
  });

  test("every endpoint is asked at once, and answers stand in the order of the endpoints", async () => {
    const waiting: (() => void)[] = [];
    const server = new FakeTransport().on(MAINTENANCE_METHODS.status, async () => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        // Nobody is answered before the last has been asked, and the last is answered first.
        if (waiting.length === 3) for (const answer of waiting.reverse()) answer();
      });
      return STATUS;
    });
    const { out } = await etcdctl(server, ["endpoint", "status", "--endpoints=a:1, b:2,c:3"]);
    expect(out.split("\n").map((line) => line.split(",")[0])).toEqual(["a:1", " b:2", "c:3", ""]);
    expect(server.calls.map(({ settings }) => settings.endpoint)).toEqual(["a:1", " b:2", "c:3"]);
  });

  test("who does not answer is told on stderr, and the others are printed", async () => {
    const server = new FakeTransport().on(MAINTENANCE_METHODS.status, (_, { endpoint }) =>
      endpoint === "b:2" ? deadlineExceeded() : STATUS,
    );
    const args = ["endpoint", "status", "--endpoints=a:1,b:2"];
    const { code, out, err } = await etcdctl(server, args);
    expect([code, err]).toEqual([
      1,
      "Failed to get the status of endpoint b:2 (context deadline exceeded)\n",
    ]);
    expect(out).toMatch(/^a:1, [^\n]*\n$/);
  });

  test("with --cluster the members' client URLs are asked", async () => {
    const clustered = server().on(CLUSTER_METHODS.list, {
      members: [{ clientUrls: ["http://a:1", "http://a:2"] }, {}, { clientUrls: ["http://b:1"] }],
    });
    const { out } = await etcdctl(clustered, ["endpoint", "--cluster", "status"]);
    expect(out.split("\n").map((line) => line.split(",")[0])).toEqual([
      "http://a:1",
      "http://a:2",
      "http://b:1",
      "",
    ]);
    const refusing = server().on(CLUSTER_METHODS.list, new EtcdError("USER_EMPTY"));
    const { code, err } = await etcdctl(refusing, ["endpoint", "status", "--cluster"]);
    expect([code, err]).toEqual([
      1,
      "Error: failed to fetch endpoints from etcd cluster member list: etcdserver: user name is empty\n",
    ]);
  });
});

describe("endpoint hashkv", () => {
  const answer = { header: HEADER, hash: 0xffff_fff0, compactRevision: -1n, hashRevision: 6n };
  const server = (): FakeTransport => new FakeTransport().on(MAINTENANCE_METHODS.hashKv, answer);

  test.each([
    [[], "127.0.0.1:2379, 4294967280\n"],
    [["--all-columns"], "127.0.0.1:2379, 4294967280, 6\n"],
    [
      ["-w", "json"],
      '[{"Endpoint":"127.0.0.1:2379","HashKV":{"header":{"cluster_id":3,"member_id":18446744073709551601,"revision":7,"raft_term":2},"hash":4294967280,"compact_revision":-1,"hash_revision":6}}]\n',
    ],
    [
      ["-w", "fields"],
      '"ClusterID" : 3\n"MemberID" : 18446744073709551601\n"Revision" : 7\n"RaftTerm" : 2\n"Endpoint" : "127.0.0.1:2379"\n"Hash" : 4294967280\n"HashRevision" : 6\n\n',
    ],
    [
      ["-w", "table", "--all-columns"],
      "+----------------+------------+---------------+\n|    ENDPOINT    |    HASH    | HASH REVISION |\n" +
        "+----------------+------------+---------------+\n| 127.0.0.1:2379 | 4294967280 |             6 |\n" +
        "+----------------+------------+---------------+\n",
    ],
  ])("%j", async (flags, text) => {
    const asked = server();
    const { code, out } = await etcdctl(asked, ["endpoint", "hashkv", "--rev=6", ...flags]);
    expect([code, out]).toEqual([0, text]);
    expect(asked.calls.map(({ request }) => request)).toEqual([{ revision: 6n }]);
  });

  test("the last refusal is the command's", async () => {
    const server = new FakeTransport().on(MAINTENANCE_METHODS.hashKv, (_, { endpoint }) =>
      endpoint === "a:1" ? deadlineExceeded() : new EtcdError("COMPACTED"),
    );
    const { code, err } = await etcdctl(server, ["endpoint", "hashkv", "--endpoints=a:1,b:2"]);
    const why = "etcdserver: mvcc: required revision has been compacted";
    expect([code, err]).toEqual([
      1,
      `Failed to get the hash of endpoint a:1 (context deadline exceeded)\nFailed to get the hash of endpoint b:2 (${why})\nError: ${why}\n`,
    ]);
  });
});

describe("endpoint health", () => {
  const healthy = (): FakeTransport =>
    new FakeTransport().on(KV_METHODS.range, {}).on(MAINTENANCE_METHODS.alarm, {});

  test("is told in all forms", async () => {
    const [simple, json, fields, table] = await Promise.all(
      ["simple", "json", "fields", "table"].map(
        async (form) => (await etcdctl(healthy(), ["endpoint", "health", "-w", form])).out,
      ),
    );
    expect(simple).toMatch(
      /^127\.0\.0\.1:2379 is healthy: successfully committed proposal: took = [\d.]+(ms|µs|s)\n$/,
    );
    expect(json).toMatch(/^\[\{"endpoint":"127\.0\.0\.1:2379","health":true,"took":"[^"]+"\}\]\n$/);
    expect(fields).toMatch(
      /^"Endpoint" : "127\.0\.0\.1:2379"\n"Health" : true\n"Took" : \S+\n"Error" : \n\n$/,
    );
    expect(table).toMatch(/\| 127\.0\.0\.1:2379 \| +true \| +\S+ \| +\|\n/);
  });

  test("a user who may not read has been answered by the cluster", async () => {
    const refusing = healthy().on(KV_METHODS.range, new EtcdError("PERMISSION_DENIED"));
    expect((await etcdctl(refusing, ["endpoint", "health"])).code).toBe(0);
  });

  test.each([
    [healthy().on(KV_METHODS.range, deadlineExceeded()), "context deadline exceeded"],
    [
      healthy().on(MAINTENANCE_METHODS.alarm, { alarms: [{ alarm: 1 }, { alarm: 2 }] }),
      "Active Alarm(s): NOSPACE CORRUPT ",
    ],
    [healthy().on(MAINTENANCE_METHODS.alarm, deadlineExceeded()), "Unable to fetch the alarm list"],
  ])("unhealthy %#: %s", async (server, why) => {
    const { code, out, err } = await etcdctl(server, ["endpoint", "health"]);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toBe(
      `127.0.0.1:2379 is unhealthy: failed to commit proposal: ${why}\nError: unhealthy cluster\n`,
    );
    const json = await etcdctl(server, ["endpoint", "health", "-w", "json"]);
    expect(json.code).toBe(1);
    expect(json.out).toContain(`"health":false`);
    expect(json.out).toContain(`"error":"${why}"`);
  });

  test("both calls share one limit of time", async () => {
    const server = new FakeTransport()
      .on(MAINTENANCE_METHODS.alarm, {})
      .on(KV_METHODS.range, async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return {};
      });
    await etcdctl(server, ["endpoint", "health", "--command-timeout=60s"]);
    const [first = 0, second = 0] = server.calls.map(({ settings }) => settings.timeoutMs ?? 0);
    expect(first).toBeLessThanOrEqual(60_000);
    expect(second).toBeLessThan(first);
  });
});
