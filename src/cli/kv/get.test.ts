import { describe, expect, test } from "vitest";
import { etcdctl, FakeTransport, type Ran } from "../../../test/support/fake-transport.ts";
import { EtcdError } from "../../base/errors.ts";
import { KV_METHODS, type RangeResponse } from "../../proto/tables/kv.ts";
import type { Partially } from "../../proto/tables/message-table.ts";

const HEADER = { clusterId: 7n, memberId: 8n, revision: 5n, raftTerm: 2n };
const TWO: Partially<RangeResponse> = {
  header: HEADER,
  kvs: [
    {
      key: Buffer.from("a"),
      createRevision: 2n,
      modRevision: 3n,
      version: 2n,
      value: Buffer.from("1"),
      lease: 2n ** 62n + 1n,
    },
    { key: Buffer.of(0xff), createRevision: 4n, modRevision: 4n, version: 1n },
  ],
  more: true,
  count: 9n,
};

interface Got extends Ran {
  readonly requests: readonly unknown[];
}

async function get(
  args: readonly string[],
  answer: Partially<RangeResponse> | Error = { header: HEADER },
): Promise<Got> {
  const server = new FakeTransport().on(KV_METHODS.range, answer);
  const ran = await etcdctl(server, ["get", ...args]);
  return { ...ran, requests: server.requests };
}

describe("the request of get", () => {
  test.each<[string[], object]>([
    [["k"], { key: "k" }],
    [["a", "c"], { key: "a", rangeEnd: "c" }],
    [["a", ""], { key: "a" }],
    [["", "c"], { rangeEnd: "c" }],
    [["a", "c", "extra"], { key: "a", rangeEnd: "c" }],
    [["--prefix", "p"], { key: "p", rangeEnd: "q" }],
    [["--prefix", "p\udcff\udcff"], { key: "p\xff\xff", rangeEnd: "q" }],
    [["--prefix", "\udcff\udcff"], { key: "\xff\xff", rangeEnd: "\0" }],
    [["--prefix", ""], { key: "\0", rangeEnd: "\0" }],
    [["--from-key", "k"], { key: "k", rangeEnd: "\0" }],
    [["--from-key", ""], { key: "\0", rangeEnd: "\0" }],
    [
      ["k", "--limit=5", "--rev=3", "--keys-only"],
      { key: "k", limit: 5n, revision: 3n, keysOnly: true },
    ],
    [["k", "--limit=-5", "--rev=-3"], { key: "k", limit: -5n }],
    [["k", "--consistency=s"], { key: "k", serializable: true }],
    [["k", "--order=descend"], { key: "k", sortOrder: 2 }],
    [["k", "--order=ASCEND"], { key: "k" }],
    [["k", "--order=ASCEND", "--sort-by=KEY"], { key: "k" }],
    [["k", "--sort-by=create"], { key: "k", sortTarget: 2 }],
    [["k", "--sort-by=MODIFY", "--order=Ascend"], { key: "k", sortTarget: 3, sortOrder: 1 }],
    [["k", "--sort-by=VALUE"], { key: "k", sortTarget: 4 }],
    [["k", "--sort-by=VERSION"], { key: "k", sortTarget: 1 }],
    [
      ["k", "--min-create-rev=1", "--max-create-rev=2", "--min-mod-rev=3", "--max-mod-rev=4"],
      {
        key: "k",
        minCreateRevision: 1n,
        maxCreateRevision: 2n,
        minModRevision: 3n,
        maxModRevision: 4n,
      },
    ],
    [["k", "--min-create-rev=-1", "--max-mod-rev=-1"], { key: "k" }],
  ])("%j", async (args, request) => {
    const { code, out, err, requests } = await get(args);
    expect([code, out, err]).toEqual([0, "", ""]);
    expect(requests).toEqual([request]);
  });
});

describe("arguments that get refuses before any call", () => {
  test.each<[string[], number, string]>([
    [[], 128, "get command needs one argument as key and an optional argument as range_end"],
    [
      ["--prefix", "--from-key", "a"],
      128,
      "`--prefix` and `--from-key` cannot be set at the same time, choose one",
    ],
    [
      ["--prefix", "a", "b"],
      128,
      "too many arguments, only accept one argument when `--prefix` or `--from-key` is set",
    ],
    [
      ["--from-key", "a", "b"],
      128,
      "too many arguments, only accept one argument when `--prefix` or `--from-key` is set",
    ],
    [
      ["--keys-only", "--count-only", "a"],
      128,
      "`--keys-only` and `--count-only` cannot be set at the same time, choose one",
    ],
    [["--consistency=x", "a"], 4, 'unknown consistency flag "x"'],
    [["--order=UP", "a"], 4, "bad sort order UP"],
    [["--sort-by=SIZE", "a"], 4, "bad sort target SIZE"],
    [
      ["--min-create-rev=5", "--max-create-rev=3", "a"],
      4,
      "getMinCreateRev(=5) > getMaxCreateRev(=3)",
    ],
    [["--min-mod-rev=5", "--max-mod-rev=3", "a"], 4, "getMinModRev(=5) > getMaxModRev(=3)"],
  ])("%j", async (args, exitCode, message) => {
    const { code, out, err, requests } = await get(args);
    expect([code, out, err]).toEqual([exitCode, "", `Error: ${message}\n`]);
    expect(requests).toEqual([]);
  });
});

describe("the forms of get", () => {
  test("simple is bytes as they are", async () => {
    expect((await get(["--prefix", "a"], TWO)).io.stdout.bytes).toEqual(
      Buffer.from("a\n1\n\xff\n\n", "latin1"),
    );
    expect((await get(["--prefix", "a", "--hex"], TWO)).out).toBe("\\x61\n\\x31\n\\xff\n\n");
    expect((await get(["--prefix", "a", "--print-value-only"], TWO)).out).toBe("1\n\n");
    expect((await get(["--prefix", "a", "--print-value-only", "--hex"], TWO)).out).toBe(
      "\\x31\n\n",
    );
  });

  test("json", async () => {
    expect((await get(["--prefix", "a", "-w", "json"], TWO)).out).toBe(
      '{"header":{"cluster_id":7,"member_id":8,"revision":5,"raft_term":2},"kvs":[' +
        '{"key":"YQ==","create_revision":2,"mod_revision":3,"version":2,"value":"MQ==","lease":4611686018427387905},' +
        '{"key":"/w==","create_revision":4,"mod_revision":4,"version":1}],"more":true,"count":9}\n',
    );
    expect((await get(["a", "-w", "json"])).out).toBe(
      '{"header":{"cluster_id":7,"member_id":8,"revision":5,"raft_term":2}}\n',
    );
  });

  test("fields", async () => {
    expect((await get(["--prefix", "a", "-w", "fields"], TWO)).out).toBe(
      '"ClusterID" : 7\n"MemberID" : 8\n"Revision" : 5\n"RaftTerm" : 2\n' +
        '"Key" : "a"\n"CreateRevision" : 2\n"ModRevision" : 3\n"Version" : 2\n"Value" : "1"\n"Lease" : 4611686018427387905\n' +
        '"Key" : "\\xff"\n"CreateRevision" : 4\n"ModRevision" : 4\n"Version" : 1\n"Value" : ""\n"Lease" : 0\n' +
        '"More" : true\n"Count" : 9\n',
    );
  });

  test("protobuf is the message, and nothing else", async () => {
    const { out } = await get(["a", "-w", "protobuf"]);
    expect(out).toBe("\n\x08\x08\x07\x10\x08\x18\x05\x20\x02");
  });

  test.each<[string[], number, string]>([
    [["-w", "table"], 4, "table not supported as output format"],
    [["--count-only"], 128, "--count-only is only for `--write-out=fields`"],
    [["--count-only", "-w", "json"], 128, "--count-only is only for `--write-out=fields`"],
    [
      ["--print-value-only", "-w", "json"],
      128,
      "print-value-only is only for `--write-out=simple`",
    ],
  ])("%j is refused when the answer is there", async (flags, exitCode, message) => {
    const { code, out, err, requests } = await get(["k", ...flags], TWO);
    expect([code, out, err]).toEqual([exitCode, "", `Error: ${message}\n`]);
    expect(requests).toHaveLength(1);
  });

  test("a count is the fields without keys", async () => {
    const { out, requests } = await get(["k", "--count-only", "-w", "fields"], { count: 3n });
    expect(out).toMatch(/"RaftTerm" : 0\n"More" : false\n"Count" : 3\n$/);
    expect(requests).toEqual([{ key: "k", countOnly: true }]);
  });
});

test("a revision that is gone is an error of the server's", async () => {
  const { code, out, err } = await get(["k", "--rev=1"], new EtcdError("COMPACTED"));
  expect([code, out]).toEqual([1, ""]);
  expect(err).toBe("Error: etcdserver: mvcc: required revision has been compacted\n");
});
