import { expect, test } from "vitest";
import { MemoryIo } from "../../test/support/memory-io.ts";
import { runCommand } from "./run-command.ts";

const ENV = { PATH: process.env.PATH, GREETING: "hello" };

test("its outputs are the caller's, its environment what is given, its input empty", async () => {
  const io = new MemoryIo({ stdin: "not for it" });
  const script = 'cat; echo "$GREETING" "$1"; echo bad >&2';
  expect(await runCommand(io, ["sh", "-c", script, "sh", "a b"], ENV)).toBeUndefined();
  expect([io.stdout.text, io.stderr.text]).toEqual(["hello a b\n", "bad\n"]);
});

test.each([
  [["sh", "-c", "exit 7"], "exit status 7", 7],
  [["sh", "-c", "kill -KILL $$"], "signal: killed", 255],
  [["sh", "-c", "kill -TERM $$"], "signal: terminated", 255],
  [["no-such-command"], 'exec: "no-such-command": executable file not found in $PATH', undefined],
  [["/no/such"], "fork/exec /no/such: no such file or directory", undefined],
  [["/etc/passwd"], "fork/exec /etc/passwd: permission denied", undefined],
] as const)("%j: %s", async (argv, text, exitCode) => {
  expect(await runCommand(new MemoryIo(), argv, ENV)).toEqual({ text, exitCode });
});
