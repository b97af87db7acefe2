import { expect, test } from "vitest";
import { etcdctl, FakeTransport } from "../../../test/support/fake-transport.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { MemoryIo } from "../../../test/support/memory-io.ts";
import { MirrorDisplay } from "./mirror-display.ts";

test.each([
  [[], 128, "make-mirror takes one destination argument"],
  [["a:1", "b:2"], 128, "make-mirror takes one destination argument"],
  [
    ["a:1", "--no-dest-prefix", "--dest-prefix=x"],
    128,
    "`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time, choose one",
  ],
  [
    ["a:1", "--max-txn-ops=-1"],
    1,
    'invalid argument "-1" for "--max-txn-ops" flag: strconv.ParseUint: parsing "-1": invalid syntax',
  ],
  [
    ["a:1", "--dest-cacert=/nowhere/ca.pem"],
    128,
    "open /nowhere/ca.pem: no such file or directory",
  ],
])("make-mirror %j is refused", async (args, exitCode, message) => {
  const transport = new FakeTransport();
  const { code, out, err } = await etcdctl(transport, ["make-mirror", ...args]);
  expect([code, out, err]).toEqual([exitCode, "", `Error: ${message}\n`]);
  expect(transport.calls).toEqual([]);
});

test("the destination has credentials and an endpoint of its own", async () => {
  const transport = new FakeTransport();
  const args = ["make-mirror", "a:1", "--dest-user=me", "--command-timeout=1s"];
  const { out, err } = await etcdctl(transport, args, { stdin: "secret\n" });
  expect(out).toBe("Destination Password: \n");
  expect(err).toContain("Unimplemented");
  expect(transport.options).toMatchObject({
    endpoints: ["a:1"],
    credentials: { user: "me", password: "secret" },
  });
  expect(transport.closed).toBe(true);
});

test("a count every half a minute, and a line for who looks", async () => {
  const clock = new ManualClock();
  const io = new MemoryIo({ stderrIsTerminal: true });
  const display = new MirrorDisplay(io, clock, new AbortController().signal);
  display.show({ operations: 50, revision: 0n });
  await clock.advance(500);
  expect(io.stderr.text).toBe("\r\u001b[K50 keys mirrored | 100/s | copying what there is");
  display.show({ operations: 1234, revision: 7n });
  await clock.advance(29_500);
  expect(io.stdout.text).toBe("1234\n");
  await clock.advance(30_000);
  display.end();
  expect(io.stdout.text).toBe("1234\n1234\n");
  expect(io.stderr.text.endsWith("1234 keys mirrored | 0/s | up to revision 7\r\u001b[K")).toBe(
    true,
  );
  const quiet = new MemoryIo();
  const unseen = new MirrorDisplay(quiet, clock, new AbortController().signal);
  await clock.advance(30_000);
  unseen.end();
  expect([quiet.stdout.text, quiet.stderr.text]).toEqual(["0\n", ""]);
});
