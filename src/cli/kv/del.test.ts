import { expect, test } from "vitest";
import { etcdctl, FakeTransport, type Ran } from "../../../test/support/fake-transport.ts";
import { type DeleteRangeResponse, KV_METHODS } from "../../proto/tables/kv.ts";
import type { Partially } from "../../proto/tables/message-table.ts";

const GONE: Partially<DeleteRangeResponse> = {
  header: { clusterId: 7n, memberId: 8n, revision: 5n, raftTerm: 2n },
  deleted: 1n,
  prevKvs: [
    {
      key: Buffer.from("a"),
      createRevision: 2n,
      modRevision: 3n,
      version: 2n,
      value: Buffer.from("1"),
    },
  ],
};

async function del(
  args: readonly string[],
  answer: Partially<DeleteRangeResponse> = {},
): Promise<Ran & { readonly requests: readonly unknown[] }> {
  const server = new FakeTransport().on(KV_METHODS.deleteRange, answer);
  const ran = await etcdctl(server, ["del", ...args]);
  return { ...ran, requests: server.requests };
}

test.each<[string[], object]>([
  [["k"], { key: "k" }],
  [["a", "c"], { key: "a", rangeEnd: "c" }],
  [["a", "c", "--range"], { key: "a", rangeEnd: "c" }],
  [["--prefix", "p"], { key: "p", rangeEnd: "q" }],
  [["--prefix", ""], { key: "\0", rangeEnd: "\0" }],
  [["", "--from-key"], { key: "\0", rangeEnd: "\0" }],
  [["k", "--prev-kv"], { key: "k", prevKv: true }],
])("del %j", async (args, request) => {
  const { code, out, err, requests } = await del(args);
  expect([code, out, err]).toEqual([0, "0\n", ""]);
  expect(requests).toEqual([request]);
});

const COUNT = "del command needs one argument as key and an optional argument as range_end";

test.each<[string[], string]>([
  [[], COUNT],
  [["a", "b", "c"], COUNT],
  [
    ["--prefix", "--from-key", "a"],
    "`--prefix` and `--from-key` cannot be set at the same time, choose one",
  ],
  [
    ["--prefix", "a", "b"],
    "too many arguments, only accept one argument when `--prefix` or `--from-key` is set",
  ],
])("del %j is refused before any call", async (args, message) => {
  const { code, out, err, requests } = await del(args);
  expect([code, out, err, requests]).toEqual([128, "", `Error: ${message}\n`, []]);
});

test("each form has the pairs that are gone", async () => {
  const shown = async (...flags: string[]): Promise<string> =>
    (await del(["a", "--prev-kv", ...flags], GONE)).out;
  expect(await shown()).toBe("1\na\n1\n");
  expect(await shown("--hex")).toBe("1\n\\x61\n\\x31\n");
  expect(await shown("-w", "fields")).toBe(
    '"ClusterID" : 7\n"MemberID" : 8\n"Revision" : 5\n"RaftTerm" : 2\n"Deleted" : 1\n' +
      '"PrevKey" : "a"\n"PrevCreateRevision" : 2\n"PrevModRevision" : 3\n"PrevVersion" : 2\n' +
      '"PrevValue" : "1"\n"PrevLease" : 0\n',
  );
  expect(await shown("-w", "json")).toBe(
    '{"header":{"cluster_id":7,"member_id":8,"revision":5,"raft_term":2},"deleted":1,"prev_kvs":[' +
      '{"key":"YQ==","create_revision":2,"mod_revision":3,"version":2,"value":"MQ=="}]}\n',
  );
  expect(await shown("-w", "protobuf")).toContain("\n\x01a");
  expect((await del(["a", "-w", "table"], GONE)).err).toBe(
    "Error: table not supported as output format\n",
  );
});
