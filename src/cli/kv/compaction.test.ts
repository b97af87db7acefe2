import { expect, test } from "vitest";
import { etcdctl, FakeTransport } from "../../../test/support/fake-transport.ts";
import { EtcdError } from "../../base/errors.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";

test("says what it has done, in one form whatever is asked for", async () => {
  for (const form of ["simple", "json", "table"]) {
    const server = new FakeTransport().on(KV_METHODS.compact, {});
    const { code, out, err } = await etcdctl(server, ["compact", "5", "--physical", "-w", form]);
    expect([code, out, err]).toEqual([0, "compacted revision 5\n", ""]);
    expect(server.requests).toEqual([{ revision: 5n, physical: true }]);
  }
});

test.each<[string[], number, string]>([
  [[], 128, "compaction command needs 1 argument"],
  [["1", "2"], 128, "compaction command needs 1 argument"],
  [["x"], 1, 'strconv.ParseInt: parsing "x": invalid syntax'],
  [["0x5"], 1, 'strconv.ParseInt: parsing "0x5": invalid syntax'],
  [
    ["9223372036854775808"],
    1,
    'strconv.ParseInt: parsing "9223372036854775808": value out of range',
  ],
])("compaction %j is refused before any call", async (args, exitCode, message) => {
  const server = new FakeTransport().on(KV_METHODS.compact, {});
  const { code, out, err } = await etcdctl(server, ["compaction", ...args]);
  expect([code, out, err]).toEqual([exitCode, "", `Error: ${message}\n`]);
  expect(server.calls).toEqual([]);
});

test("what the server refuses", async () => {
  const server = new FakeTransport().on(KV_METHODS.compact, new EtcdError("FUTURE"));
  const { code, out, err } = await etcdctl(server, ["compaction", "99"]);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toBe("Error: etcdserver: mvcc: required revision is a future revision\n");
});
