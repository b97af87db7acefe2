import { expect, test } from "vitest";
import { goldenPath } from "../../../test/support/golden.ts";
import { MemoryIo } from "../../../test/support/memory-io.ts";
import { main } from "../../console/main.ts";
import { ETCDCTL } from "../etcdctl.ts";
import { ETCDUTL } from "../etcdutl.ts";

async function status(
  program: typeof ETCDCTL,
  args: readonly string[],
  io: MemoryIo = new MemoryIo(),
): Promise<[number, string, string]> {
  const code = await main(program, ["snapshot", "status", ...args], io);
  return [code, io.stdout.text, io.stderr.text];
}

const V36 = goldenPath("v36.datadir.db");

test.each([
  ["simple", "4cb0c25d, 9, 7, 20 kB, 3.6.0\n"],
  ["json", '{"hash":1286652509,"revision":9,"totalKey":7,"totalSize":20480,"version":"3.6.0"}\n'],
  [
    "fields",
    '"Hash" : 1286652509\n"Revision" : 9\n"Keys" : 7\n"Size" : 20480\n"Version" : 3.6.0\n',
  ],
  [
    "table",
    "+----------+----------+------------+------------+---------+\n" +
      "|   HASH   | REVISION | TOTAL KEYS | TOTAL SIZE | VERSION |\n" +
      "+----------+----------+------------+------------+---------+\n" +
      "| 4cb0c25d |        9 |          7 |      20 kB |   3.6.0 |\n" +
      "+----------+----------+------------+------------+---------+\n",
  ],
])("etcdutl has the version as well, %s", async (format, text) => {
  expect(await status(ETCDUTL, [V36, "-w", format])).toEqual([0, text, ""]);
});

test("a version that is not stored is empty, and still there", async () => {
  const path = goldenPath("restore.db");
  expect((await status(ETCDUTL, [path]))[1]).toBe("6985134, 11, 7, 33 kB, \n");
  expect((await status(ETCDUTL, [path, "-w", "json"]))[1]).toContain('"version":""');
});

test.each([
  ["protobuf", "Error: protobuf not supported as output format\n"],
  ["bogus", "Error: unsupported output format\n"],
  ["JSON", "Error: unsupported output format\n"],
])("the format %s is refused", async (format, message) => {
  for (const program of [ETCDCTL, ETCDUTL]) {
    expect(await status(program, [V36, "-w", format])).toEqual([4, "", message]);
  }
});

test("the format of the environment is not looked at, as etcdctl's is not here", async () => {
  const io = new MemoryIo({ env: { ETCDCTL_WRITE_OUT: "json", ETCDCTL_API: "3" } });
  expect((await status(ETCDCTL, [V36], io))[1]).toBe("4cb0c25d, 9, 15, 20 kB\n");
});

test.each([[[]], [["a", "b"]]])("%j is not one argument", async (args) => {
  const message = "Error: snapshot status requires exactly one argument\n";
  for (const program of [ETCDCTL, ETCDUTL]) {
    expect(await status(program, args)).toEqual([128, "", message]);
  }
});

test("a signal ends it with the signal's code", async () => {
  const io = new MemoryIo();
  io.send("SIGTERM");
  expect(await status(ETCDCTL, [V36], io)).toEqual([143, "", "Error: stopped by SIGTERM\n"]);
});
