import { describe, expect, test } from "vitest";
import { etcdctl, FakeTransport, type Ran } from "../../../test/support/fake-transport.ts";
import { EtcdError } from "../../base/errors.ts";
import { KV_METHODS, type TxnResponse } from "../../proto/tables/kv.ts";
import type { Partially } from "../../proto/tables/message-table.ts";

async function txn(
  stdin: string | Uint8Array | AsyncIterable<string>,
  flags: readonly string[] = [],
  answer: Partially<TxnResponse> | Error = { succeeded: true },
): Promise<Ran & { readonly requests: readonly unknown[] }> {
  const server = new FakeTransport().on(KV_METHODS.txn, answer);
  const ran = await etcdctl(server, ["txn", ...flags], { stdin });
  for (const { settings } of server.calls) expect(settings.timeoutMs).toBeUndefined();
  return { ...ran, requests: server.requests };
}

describe("comparisons", () => {
  test.each<[string, object]>([
    ['ver("k") = "1"', { key: "k", version: 1n }],
    ['version("k") != "-1"', { key: "k", result: 3, version: -1n }],
    ['c("k") > "1"', { key: "k", result: 1, target: 1, createRevision: 1n }],
    ['create("k") < "1"', { key: "k", result: 2, target: 1, createRevision: 1n }],
    ['m("k") = "1"', { key: "k", target: 2, modRevision: 1n }],
    ['mod("k") = "9223372036854775807"', { key: "k", target: 2, modRevision: 2n ** 63n - 1n }],
    ['val("k") = "v"', { key: "k", target: 3, value: "v" }],
    ['value("k w") = "v w"', { key: "k w", target: 3, value: "v w" }],
    ['val("\\xff\\u00fc\\"") = "a\\tb"', { key: '\xff\xc3\xbc"', target: 3, value: "a\tb" }],
    ["val(`k`) = `a\\t`", { key: "k", target: 3, value: "a\\t" }],
    ['val( "k")   =   "v"  and more', { key: "k", target: 3, value: "v" }],
    ['val("=") = "="', { key: "=", target: 3, value: "=" }],
    ['lease("k") = "1a"', { key: "k", target: 4, lease: 26n }],
  ])("%s", async (line, compare) => {
    const { code, out, err, requests } = await txn(`${line}\n\n\n\n`);
    expect([code, out, err]).toEqual([0, "SUCCESS\n", ""]);
    expect(requests).toEqual([{ compare: [compare] }]);
  });

  test.each([
    ["foo", "malformed comparison: foo"],
    ['ver("k") = 1', 'malformed comparison: ver("k") = 1; got ver("k") = ""'],
    ['ver(k) = "1"', 'malformed comparison: ver(k) = "1"; got ver("")  ""'],
    ['ver("k")= "1"', 'malformed comparison: ver("k")= "1"; got ver("k")  ""'],
    ['ver("k" ) = "1"', 'malformed comparison: ver("k" ) = "1"; got ver("k")  ""'],
    ['ver("k") ="1"', 'malformed comparison: ver("k") ="1"; got ver("k") ="1" ""'],
    ['val("k") = "v', 'malformed comparison: val("k") = "v; got val("k") = ""'],
    ['val("k") = "\\x"', 'malformed comparison: val("k") = "\\x"; got val("k") = ""'],
    ['bogus("k") = "1"', 'malformed comparison: bogus("k") = "1" (unknown target bogus)'],
    ['ver ("k") = "1"', 'malformed comparison: ver ("k") = "1" (unknown target ver )'],
    ['ver("k") ~ "1"', 'malformed comparison: ver("k") ~ "1" (unknown operator ~)'],
    ['ver("k") = "x"', 'invalid txn compare request: ver("k") = "x"'],
    ['lease("k") = "0x1"', 'invalid txn compare request: lease("k") = "0x1"'],
  ])("%s is refused", async (line, message) => {
    const { code, out, err, requests } = await txn(`${line}\n\n\n\n`);
    expect([code, out, err, requests]).toEqual([3, "", `Error: ${message}\n`, []]);
  });
});

describe("operations", () => {
  test.each<[string, object]>([
    ["put k v", { requestPut: { key: "k", value: "v" } }],
    ["  put\tk   v  ", { requestPut: { key: "k", value: "v" } }],
    ["pu k v", { requestPut: { key: "k", value: "v" } }],
    ['put "a b" \'c "d\'', { requestPut: { key: "a b", value: 'c "d' } }],
    ['put k "\\xff\\n\\u00fc"', { requestPut: { key: "k", value: "\xff\n\xc3\xbc" } }],
    ['put k ab"cd"', { requestPut: { key: "k", value: 'ab"cd"' } }],
    [
      "put --lease=a --prev-kv k v x",
      { requestPut: { key: "k", value: "v", lease: 10n, prevKv: true } },
    ],
    ["put k -- -5", { requestPut: { key: "k", value: "-5" } }],
    ["get k", { requestRange: { key: "k" } }],
    ["--prefix=true get k", { requestRange: { key: "k", rangeEnd: "l" } }],
    ['get --prefix ""', { requestRange: { key: "\0", rangeEnd: "\0" } }],
    ["get a c --limit 2", { requestRange: { key: "a", rangeEnd: "c", limit: 2n } }],
    ["del k --prev-kv", { requestDeleteRange: { key: "k", prevKv: true } }],
  ])("%s", async (line, op) => {
    expect((await txn(`\n${line}\n\n\n`)).requests).toEqual([{ success: [op] }]);
    expect((await txn(`\n\n${line}\n \t \n`)).requests).toEqual([{ failure: [op] }]);
  });

  test.each<[string, number, string]>([
    ["put", 3, "invalid txn compare request: put"],
    ["fly k v", 3, "invalid txn request: fly k v"],
    ["put --bogus k v", 3, "invalid txn request: put --bogus k v"],
    ["put k v --endpoints=x", 3, "invalid txn request: put k v --endpoints=x"],
    ["get k --limit=x", 3, "invalid txn request: get k --limit=x"],
    ["put -h k", 3, "invalid txn request: put -h k"],
    ['put k "a\\qb"', 3, "invalid syntax"],
    ["put k", 128, "put command needs 1 argument and input from stdin or 2 arguments"],
    [
      "put --lease=zz k v",
      128,
      'bad lease ID (strconv.ParseInt: parsing "zz": invalid syntax), expecting ID in Hex',
    ],
    ["get k --consistency=z", 4, 'unknown consistency flag "z"'],
    [
      "del a b c",
      128,
      "del command needs one argument as key and an optional argument as range_end",
    ],
  ])("%s is refused", async (line, exitCode, message) => {
    const { code, out, err, requests } = await txn(`\n${line}\n\n\n`);
    expect([code, out, err, requests]).toEqual([exitCode, "", `Error: ${message}\n`, []]);
  });

  test("a put without a value takes what is behind the piece that was read", async () => {
    const input = async function* (): AsyncGenerator<string, void> {
      yield "\nput k\n\n\n";
      yield "all ";
      yield "of it\n";
    };
    expect((await txn(input())).requests).toEqual([
      { success: [{ requestPut: { key: "k", value: "all of it\n" } }] },
    ]);
  });

  test("lines come in pieces of any size, and of any bytes", async () => {
    const text = Buffer.from('val("k\xff") = "1"\n\nput \xfe v\n\n\n', "latin1");
    const input = async function* (): AsyncGenerator<Uint8Array, void> {
      for (const byte of text) yield Buffer.of(byte);
    };
    const { requests } = await txn(input() as AsyncIterable<never>);
    expect(requests).toEqual([
      {
        compare: [{ key: "k\xff", target: 3, value: "1" }],
        success: [{ requestPut: { key: "\xfe", value: "v" } }],
      },
    ]);
  });
});

test.each(["", "\n", "\n\n", "\n\nput k v", 'ver("k") = "1"'])(
  "%j ends too early",
  async (stdin) => {
    const { code, out, err, requests } = await txn(stdin);
    expect([code, out, err, requests]).toEqual([3, "", "Error: EOF\n", []]);
  },
);

test("an argument is refused before anything is read", async () => {
  const { code, err } = await txn("\n\n\n", ["x"]);
  expect([code, err]).toEqual([128, "Error: txn command does not accept argument\n"]);
});

test("-i says what is being read", async () => {
  const prompts =
    "compares:\nsuccess requests (get, put, del):\nfailure requests (get, put, del):\n";
  expect((await txn("\n\n\n", ["-i"])).out).toBe(`${prompts}SUCCESS\n`);
  expect((await txn("\n", ["--interactive"])).out).toBe(prompts.split("failure")[0]);
});

test("what the server refuses", async () => {
  const { code, err } = await txn("\n\n\n", [], new EtcdError("DUPLICATE_KEY"));
  expect([code, err]).toEqual([1, "Error: etcdserver: duplicate key given in txn request\n"]);
});

const ANSWER: Partially<TxnResponse> = {
  header: { clusterId: 7n, memberId: 8n, revision: 5n, raftTerm: 2n },
  responses: [
    { responsePut: { header: { revision: 5n } } },
    {
      responseRange: {
        header: { revision: 5n },
        kvs: [{ key: Buffer.from("k"), value: Buffer.from("v") }],
        count: 1n,
      },
    },
    { responseDeleteRange: { header: { revision: 5n }, deleted: 2n } },
  ],
};

test("each form has the answers of all operations", async () => {
  const shown = async (...flags: string[]): Promise<string> =>
    (await txn("\n\n\n", flags, ANSWER)).out;
  expect(await shown()).toBe("FAILURE\n\nOK\n\nk\nv\n\n2\n");
  expect(await shown("--hex")).toBe("FAILURE\n\nOK\n\n\\x6b\n\\x76\n\n2\n");
  expect(await shown("-w", "json")).toBe(
    '{"header":{"cluster_id":7,"member_id":8,"revision":5,"raft_term":2},"responses":[' +
      '{"Response":{"ResponsePut":{"header":{"revision":5}}}},' +
      '{"Response":{"ResponseRange":{"header":{"revision":5},"kvs":[{"key":"aw==","value":"dg=="}],"count":1}}},' +
      '{"Response":{"ResponseDeleteRange":{"header":{"revision":5},"deleted":2}}}]}\n',
  );
  const header = (revision: number): string =>
    `"ClusterID" : 0\n"MemberID" : 0\n"Revision" : ${revision}\n"RaftTerm" : 0\n`;
  expect(await shown("-w", "fields")).toBe(
    '"ClusterID" : 7\n"MemberID" : 8\n"Revision" : 5\n"RaftTerm" : 2\n"Succeeded" : false\n' +
      `${header(5)}${header(5)}"Key" : "k"\n"CreateRevision" : 0\n"ModRevision" : 0\n"Version" : 0\n` +
      `"Value" : "v"\n"Lease" : 0\n"More" : false\n"Count" : 1\n${header(5)}"Deleted" : 2\n`,
  );
  expect(await shown("-w", "protobuf")).toContain("\n\x01k");
  expect(await txn("\n\n\n", ["-w", "json"], { succeeded: true })).toMatchObject({
    out: '{"succeeded":true}\n',
  });
  expect(await txn("\n\n\n", ["-w", "table"], ANSWER)).toMatchObject({
    code: 4,
    err: "Error: table not supported as output format\n",
  });
});
