import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { MemoryIo } from "../../test/support/memory-io.ts";
import { Interrupted } from "../console/failure.ts";
import type { Io } from "../console/io.ts";
import { StandardInput } from "../console/standard-input.ts";
import { askPassword } from "./password.ts";

class Terminal extends PassThrough {
  readonly isTTY = true;
  readonly modes: boolean[] = [];

  setRawMode(raw: boolean): this {
    this.modes.push(raw);
    return this;
  }
}

function atTerminal(): { readonly io: Io; readonly out: MemoryIo; readonly terminal: Terminal } {
  const out = new MemoryIo({ stdoutIsTerminal: true });
  const terminal = new Terminal();
  const { stdout, stderr, env } = out;
  const io: Io = {
    stdin: terminal,
    stdout,
    stderr,
    env,
    now: () => out.now(),
    interruptible: (work) => out.interruptible(work),
    onHangup: (called) => out.onHangup(called),
  };
  return { io, out, terminal };
}

test.each([
  ["secret\r", "secret"],
  ["secret\n", "secret"],
  ["sec\x7f\b\x7f\x7fx\r", "x"],
  ["seü\x7fcret\r", "secret"],
  ["all wrong\x15right\r", "right"],
  ["as far\x04", "as far"],
  ["\r", ""],
])("%j typed is %j, and nothing of it is shown", async (typed, password) => {
  const { io, out, terminal } = atTerminal();
  const asked = askPassword(io, "Password: ");
  for (const byte of Buffer.from(typed)) terminal.write(Buffer.of(byte));
  terminal.write("rest");
  expect(await asked).toBe(password);
  expect(out.stdout.text).toBe("Password: \n");
  expect(terminal.modes).toEqual([true, false]);
});

test("Ctrl-C ends it, and the terminal is as it was", async () => {
  const { io, terminal } = atTerminal();
  const asked = askPassword(io, "Password: ");
  terminal.write("sec\x03");
  await expect(asked).rejects.toBeInstanceOf(Interrupted);
  expect(terminal.modes).toEqual([true, false]);
});

test("without a terminal it is a line of the standard input, and the rest is for others", async () => {
  const io = new MemoryIo({ stdin: "secret\nvalue\nand more" });
  expect(await askPassword(io, "Password: ")).toBe("secret");
  expect(Buffer.from((await StandardInput.of(io).line()) ?? []).toString()).toBe("value");
  expect(Buffer.from(await StandardInput.of(io).rest()).toString()).toBe("and more");
  expect(await StandardInput.of(io).line()).toBeUndefined();
  expect(await StandardInput.of(io).some(5)).toBeUndefined();
  expect(await askPassword(new MemoryIo(), "")).toBe("");
});

test("an input that breaks off says why", async () => {
  const terminal = new PassThrough();
  const reading = StandardInput.of({ stdin: terminal }).line();
  terminal.destroy(new Error("EIO"));
  await expect(reading).rejects.toThrow("EIO");
});
