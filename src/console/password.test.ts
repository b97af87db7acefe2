import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { MemoryIo, TextSink } from "../../test/support/memory-io.ts";
import { Interrupted } from "./failure.ts";
import type { Io } from "./io.ts";
import { askPassword, readWord } from "./password.ts";

/** A terminal's standard input, and what it was told. */
function terminal(): { stdin: PassThrough & Io["stdin"]; raw: boolean[] } {
  const raw: boolean[] = [];
  const setRawMode = (on: boolean): void => {
    raw.push(on);
  };
  return { stdin: Object.assign(new PassThrough(), { isTTY: true, setRawMode }), raw };
}

test("two prompts take a line each, and leave the rest", async () => {
  const io = new MemoryIo({ stdin: "one\r\ntwö\nrest" });
  expect(await askPassword(io, "A: ")).toBe("one");
  expect(await askPassword(io, "B: ")).toBe("twö");
  expect(io.stdout.text).toBe("A: \nB: \n");
  expect(await askPassword(io, "C: ")).toBe("rest");
  expect(await askPassword(io, "D: ")).toBe("");
});

test("a line may come in pieces", async () => {
  const stdin = new PassThrough();
  const asked = askPassword({ stdin, stdout: new TextSink() }, "");
  for (const byte of Buffer.from("schlüssel\nmore")) {
    stdin.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  expect(await asked).toBe("schlüssel");
});

test("an input that ends without a line is empty", async () => {
  expect(await askPassword(new MemoryIo(), "")).toBe("");
});

test("a terminal shows nothing, and its keys are seen to", async () => {
  const { stdin, raw } = terminal();
  const stdout = new TextSink();
  const asked = askPassword({ stdin, stdout }, "Password: ");
  expect(raw).toEqual([true]);
  stdin.write("wrong\x15pß\x7fwx\bd\r");
  expect(await asked).toBe("pwd");
  expect(raw).toEqual([true, false]);
  expect(stdout.text).toBe("Password: \n");
});

test("Ctrl-C at the prompt ends the command as the signal would, and the terminal is as it was", async () => {
  const { stdin, raw } = terminal();
  stdin.write("pw\x03");
  await expect(askPassword({ stdin, stdout: new TextSink() }, "")).rejects.toThrow(Interrupted);
  expect(raw).toEqual([true, false]);
});

test("Ctrl-D ends the line", async () => {
  const { stdin } = terminal();
  stdin.write("pw\x04");
  expect(await askPassword({ stdin, stdout: new TextSink() }, "")).toBe("pw");
});

test.each([
  ["word\n", "word"],
  ["  word and more\n", "word"],
  ["\nword\n", ""],
  ["word", "word"],
  ["", ""],
])("the word of %j", async (stdin, word) => {
  expect(await readWord(new MemoryIo({ stdin }).stdin)).toBe(word);
});
