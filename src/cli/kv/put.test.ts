import { expect, test } from "vitest";
import { etcdctl, FakeTransport, type Ran } from "../../../test/support/fake-transport.ts";
import { EtcdError } from "../../base/errors.ts";
import { KV_METHODS, type PutResponse } from "../../proto/tables/kv.ts";
import type { Partially } from "../../proto/tables/message-table.ts";

const HEADER = { clusterId: 7n, memberId: 2n ** 63n + 1n, revision: 5n, raftTerm: 2n };
const PREVIOUS: Partially<PutResponse> = {
  header: HEADER,
  prevKv: {
    key: Buffer.from("k"),
    createRevision: 2n,
    modRevision: 3n,
    version: 2n,
    value: Buffer.from('o"ld\n'),
    lease: 0n,
  },
};

async function put(
  args: readonly string[],
  stdin = "",
  answer: Partially<PutResponse> | Error = { header: HEADER },
): Promise<Ran & { readonly requests: readonly unknown[] }> {
  const server = new FakeTransport().on(KV_METHODS.put, answer);
  const ran = await etcdctl(server, ["put", ...args], { stdin });
  return { ...ran, requests: server.requests };
}

test.each<[string[], string, object]>([
  [["k", "v"], "", { key: "k", value: "v" }],
  [["k", "v", "extra"], "", { key: "k", value: "v" }],
  [["k"], "from stdin\n", { key: "k", value: "from stdin\n" }],
  [["k", ""], "unread", { key: "k" }],
  [["k", "--", "-5"], "", { key: "k", value: "-5" }],
  [["--", "-k", "v"], "", { key: "-k", value: "v" }],
  [["ü", "\udcff"], "", { key: "\xc3\xbc", value: "\xff" }],
  [["--lease=1234abcd", "k", "v"], "", { key: "k", value: "v", lease: 0x1234abcdn }],
  [["--lease=-1", "k", "v"], "", { key: "k", value: "v", lease: -1n }],
  [
    ["--prev-kv", "--ignore-lease", "k", "v"],
    "",
    { key: "k", value: "v", prevKv: true, ignoreLease: true },
  ],
  [["--ignore-value", "k"], "unread", { key: "k", ignoreValue: true }],
])("put %j with %j on stdin", async (args, stdin, request) => {
  const { code, out, err, requests } = await put(args, stdin);
  expect([code, out, err]).toEqual([0, "OK\n", ""]);
  expect(requests).toEqual([request]);
});

const NO_VALUE = "put command needs 1 argument and input from stdin or 2 arguments";

test.each<[string[], string]>([
  [[], NO_VALUE],
  [["k"], NO_VALUE],
  [["--ignore-value", "k", "v"], "put command needs only 1 argument when 'ignore-value' is set"],
  [
    ["--lease=zz", "k", "v"],
    'bad lease ID (strconv.ParseInt: parsing "zz": invalid syntax), expecting ID in Hex',
  ],
  [
    ["--lease=11112222333344445", "k", "v"],
    'bad lease ID (strconv.ParseInt: parsing "11112222333344445": value out of range), expecting ID in Hex',
  ],
])("put %j is refused before any call", async (args, message) => {
  const { code, out, err, requests } = await put(args);
  expect([code, out, err, requests]).toEqual([128, "", `Error: ${message}\n`, []]);
});

test("what the server refuses is said in its words", async () => {
  const { code, out, err } = await put(["k", "v"], "", new EtcdError("LEASE_NOT_FOUND"));
  expect([code, out, err]).toEqual([1, "", "Error: etcdserver: requested lease not found\n"]);
});

test("each form has the pair that was there", async () => {
  const shown = async (...flags: string[]): Promise<string> =>
    (await put(["--prev-kv", "k", "v", ...flags], "", PREVIOUS)).out;
  expect(await shown()).toBe('OK\nk\no"ld\n\n');
  expect(await shown("--hex")).toBe("OK\n\\x6b\n\\x6f\\x22\\x6c\\x64\\x0a\n");
  expect(await shown("-w", "json")).toBe(
    '{"header":{"cluster_id":7,"member_id":9223372036854775809,"revision":5,"raft_term":2},' +
      '"prev_kv":{"key":"aw==","create_revision":2,"mod_revision":3,"version":2,"value":"byJsZAo="}}\n',
  );
  expect(await shown("-w", "fields")).toBe(
    '"ClusterID" : 7\n"MemberID" : 9223372036854775809\n"Revision" : 5\n"RaftTerm" : 2\n' +
      '"PrevKey" : "k"\n"PrevCreateRevision" : 2\n"PrevModRevision" : 3\n"PrevVersion" : 2\n' +
      '"PrevValue" : "o\\"ld\\n"\n"PrevLease" : 0\n',
  );
});

test("a format that a put has not got is refused when it has been done, one that nothing has before", async () => {
  const table = await put(["k", "v", "-w", "table"]);
  expect([table.code, table.err]).toEqual([4, "Error: table not supported as output format\n"]);
  expect(table.requests).toHaveLength(1);
  const xml = await put(["k", "v", "-w", "xml"]);
  expect([xml.code, xml.err]).toEqual([4, "Error: unsupported output format\n"]);
  expect(xml.requests).toHaveLength(0);
});
