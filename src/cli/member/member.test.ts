import { describe, expect, test } from "vitest";
import { etcdctl, FakeTransport } from "../../../test/support/fake-transport.ts";
import { CLUSTER_METHODS } from "../../proto/tables/cluster.ts";
import { MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";
import { encode } from "../../proto/tables/message-table.ts";

const HEADER = { clusterId: 0x263dn, memberId: 7n, raftTerm: 2n };
const MEMBERS = [
  { id: 0xabcn, name: "", peerUrls: ["http://n:1", "http://n:2"], isLearner: true },
  { id: 0xffff_ffff_ffff_ffffn, name: "m1", peerUrls: ["http://a:1"], clientUrls: ["http://a:2"] },
];

const server = (): FakeTransport =>
  new FakeTransport()
    .on(CLUSTER_METHODS.list, { header: HEADER, members: MEMBERS })
    .on(CLUSTER_METHODS.add, { header: HEADER, member: MEMBERS[0], members: MEMBERS })
    .on(CLUSTER_METHODS.remove, { header: HEADER })
    .on(CLUSTER_METHODS.update, { header: HEADER })
    .on(CLUSTER_METHODS.promote, { header: HEADER, members: MEMBERS });

describe("member list", () => {
  test("has a row a member", async () => {
    const asked = server();
    expect((await etcdctl(asked, ["member", "list"])).out).toBe(
      "abc, unstarted, , http://n:1,http://n:2, , true\n" +
        "ffffffffffffffff, started, m1, http://a:1, http://a:2, false\n",
    );
    await etcdctl(asked, ["member", "list", "--consistency=s"]);
    expect(asked.calls.map(({ request }) => request)).toEqual([
      { linearizable: true },
      { linearizable: false },
    ]);
  });

  test("as fields, json and bytes", async () => {
    const fields = await etcdctl(server(), ["member", "list", "-w", "fields"]);
    expect(fields.out).toBe(
      '"ClusterID" : 9789\n"MemberID" : 7\n"Revision" : 0\n"RaftTerm" : 2\n' +
        '"ID" : 2748\n"Name" : ""\n"PeerURL" : "http://n:1"\n"PeerURL" : "http://n:2"\n"IsLearner" : true\n\n' +
        '"ID" : 18446744073709551615\n"Name" : "m1"\n"PeerURL" : "http://a:1"\n"ClientURL" : "http://a:2"\n"IsLearner" : false\n\n',
    );
    const json = await etcdctl(server(), ["member", "list", "-w", "json", "--hex"]);
    expect(json.out).toBe(
      '{"header":{"cluster_id":9789,"member_id":7,"raft_term":2},"members":[' +
        '{"ID":2748,"peerURLs":["http://n:1","http://n:2"],"isLearner":true},' +
        '{"ID":18446744073709551615,"name":"m1","peerURLs":["http://a:1"],"clientURLs":["http://a:2"]}]}\n',
    );
    const ascii = { members: [{ id: 1n, name: "m1" }] };
    const plain = new FakeTransport().on(CLUSTER_METHODS.list, ascii);
    const bytes = encode(CLUSTER_METHODS.list.output, ascii);
    expect((await etcdctl(plain, ["member", "list", "-w", "protobuf"])).out).toBe(
      Buffer.from(bytes).toString(),
    );
  });
});

describe("member add", () => {
  test("prints what the new member is to be started with", async () => {
    const asked = server();
    const args = ["member", "add", 'new"', "--learner", "--peer-urls=http://n:1,http://n:2"];
    const { code, out } = await etcdctl(asked, args);
    expect([code, out]).toEqual([
      0,
      "Member              abc added to cluster             263d\n\n" +
        'ETCD_NAME="new\\""\n' +
        'ETCD_INITIAL_CLUSTER="new\\"=http://n:1,new\\"=http://n:2,m1=http://a:1"\n' +
        'ETCD_INITIAL_ADVERTISE_PEER_URLS="http://n:1,http://n:2"\n' +
        'ETCD_INITIAL_CLUSTER_STATE="existing"\n',
    ]);
    expect(asked.calls.map(({ request }) => request)).toEqual([
      { peerUrls: ["http://n:1", "http://n:2"], isLearner: true },
    ]);
  });

  test("in other forms is the answer alone", async () => {
    const args = ["member", "add", "n", "--peer-urls=http://n:1", "-w", "json"];
    const { out } = await etcdctl(server(), args);
    expect(out).toMatch(/^\{"header":\{.*\},"member":\{"ID":2748,.*\},"members":\[.*\]\}\n$/);
  });

  test("a form that is not offered is refused when it is done", async () => {
    const asked = server();
    const args = ["member", "add", "n", "--peer-urls=http://n:1", "-w", "fields"];
    const { code, err } = await etcdctl(asked, args);
    expect([code, err]).toEqual([4, "Error: fields not supported as output format\n"]);
    expect(asked.calls).toHaveLength(1);
  });
});

test.each([
  [["list", "--consistency=x"], 4, 'unknown consistency flag "x"'],
  [["add"], 128, "member name not provided"],
  [["add", "n"], 128, "member peer urls not provided"],
  [["add", "a", "b"], 128, "too many arguments"],
  [
    ["add", "a", "http://x:1", "HTTPS://y:2"],
    128,
    "too many arguments, did you mean --peer-urls=http://x:1, did you mean --peer-urls=HTTPS://y:2",
  ],
  [["add", "n", "--peer-urls=bad"], 1, "URL scheme must be http, https, unix, or unixs: bad"],
  [
    ["add", "n", "--peer-urls=http://a"],
    1,
    'URL address does not have the form "host:port": http://a',
  ],
  [["add", "n", "--peer-urls=http://a:1/p"], 1, "URL must not contain a path: http://a:1/p"],
  [["update"], 128, "member ID is not provided"],
  [["update", "1", "2"], 128, "member ID is not provided"],
  [["update", "1"], 128, "member peer urls not provided"],
  [
    ["update", "x"],
    128,
    'bad member ID arg (strconv.ParseUint: parsing "x": invalid syntax), expecting ID in Hex',
  ],
  [
    ["remove", "10000000000000000"],
    128,
    'bad member ID arg (strconv.ParseUint: parsing "10000000000000000": value out of range), expecting ID in Hex',
  ],
  [["promote"], 128, "member ID is not provided"],
])("member %j is refused before anybody is asked", async (args, exitCode, message) => {
  const asked = server();
  const { code, out, err } = await etcdctl(asked, ["member", ...args]);
  expect([code, out, err]).toEqual([exitCode, "", `Error: ${message}\n`]);
  expect(asked.calls).toEqual([]);
});

test.each([
  [["remove", "ffffffffffffffff"], "removed from", CLUSTER_METHODS.remove],
  [["update", "FFFFFFFFFFFFFFFF", "--peer-urls=unix://s:1"], "updated in", CLUSTER_METHODS.update],
  [["promote", "ffffffffffffffff"], "promoted in", CLUSTER_METHODS.promote],
])("member %j", async (args, did, method) => {
  const asked = server();
  const { code, out } = await etcdctl(asked, ["member", ...args]);
  expect([code, out]).toEqual([0, `Member ffffffffffffffff ${did} cluster             263d\n`]);
  expect(asked.calls.map(({ path }) => path)).toEqual([method.path]);
  expect(asked.calls[0]?.request).toMatchObject({ id: 0xffff_ffff_ffff_ffffn });
  const json = await etcdctl(asked, ["member", ...args, "-w", "json"]);
  expect(json.out).toMatch(/^\{"header":\{"cluster_id":9789,"member_id":7,"raft_term":2\}/);
});

describe("move-leader", () => {
  const statusOf = (leaderAt: string): FakeTransport =>
    new FakeTransport()
      .on(MAINTENANCE_METHODS.status, (_, { endpoint }) => ({
        header: { memberId: endpoint === leaderAt ? 0xan : 1n },
        leader: 0xan,
      }))
      .on(MAINTENANCE_METHODS.moveLeader, {});

  test("asks the leader, and nobody behind it", async () => {
    const asked = statusOf("b:2");
    const args = ["move-leader", "c0ffee", "--endpoints=a:1, b:2,c:3"];
    const { code, out } = await etcdctl(asked, args);
    expect([code, out]).toEqual([0, "Leadership transferred from a to c0ffee\n"]);
    expect(asked.calls.map(({ settings }) => settings.endpoint)).toEqual(["a:1", "b:2", "b:2"]);
    expect(asked.calls.at(-1)?.request).toEqual({ targetId: 0xc0ffeen });
    expect((await etcdctl(asked, [...args, "-w", "json"])).out).toBe("{}\n");
  });

  test.each([
    [["c0ffee", "--endpoints=a:1,c:3"], 128, "no leader endpoint given at [a:1 c:3]"],
    [[], 128, "move-leader command needs 1 argument"],
    [["1", "2"], 128, "move-leader command needs 1 argument"],
    [["-z"], 1, "unknown shorthand flag: 'z' in -z"],
    [["zz"], 128, 'strconv.ParseUint: parsing "zz": invalid syntax'],
  ])("%j is refused", async (args, exitCode, message) => {
    const { code, err } = await etcdctl(statusOf("b:2"), ["move-leader", ...args]);
    expect([code, err]).toEqual([exitCode, `Error: ${message}\n`]);
  });
});

describe("downgrade", () => {
  const answering = (): FakeTransport =>
    new FakeTransport().on(MAINTENANCE_METHODS.downgrade, { version: "3.6" });

  test.each([
    [["validate", "3.5"], "validate", { action: 0, version: "3.5" }],
    [["enable", "3.5"], "enable", { action: 1, version: "3.5" }],
    [["cancel"], "cancel", { action: 2, version: "" }],
  ])("%j", async (args, verb, request) => {
    const asked = answering();
    const { code, out } = await etcdctl(asked, ["downgrade", ...args]);
    expect([code, out]).toEqual([0, `Downgrade ${verb} success, cluster version 3.6\n`]);
    expect(asked.calls.map((call) => call.request)).toEqual([request]);
    const json = await etcdctl(asked, ["downgrade", ...args, "-w", "json"]);
    expect(json.out).toBe('{"version":"3.6"}\n');
    expect((await etcdctl(asked, ["downgrade", ...args, "-w", "fields"])).code).toBe(4);
  });

  test.each([
    [["validate"], "TARGET_VERSION not provided"],
    [["enable", "3.5", "3.4"], "too many arguments"],
    [["enable", ""], "target version not provided"],
  ])("%j is refused", async (args, message) => {
    const { code, err } = await etcdctl(answering(), ["downgrade", ...args]);
    expect([code, err]).toEqual([128, `Error: ${message}\n`]);
  });
});
