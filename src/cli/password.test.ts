import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { MemoryIo } from "../../test/support/memory-io.ts";
import { Interrupted } from "../console/failure.ts";
import { askPassword } from "./password.ts";

interface Terminal {
  readonly io: MemoryIo;
  readonly stdin: PassThrough;
  /** What it was told. */
  readonly raw: boolean[];
}

function terminal(): Terminal {
  const raw: boolean[] = [];
  const setRawMode = (on: boolean): void => {
    raw.push(on);
  };
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode });
  return { io: Object.assign(new MemoryIo(), { stdin }), stdin, raw };
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
  const asked = askPassword(Object.assign(new MemoryIo(), { stdin }), "");
  for (const byte of Buffer.from("schlüssel\nmore")) {
    stdin.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  expect(await asked).toBe("schlüssel");
});

test("a terminal shows nothing, and its keys are seen to", async () => {
  const { io, stdin, raw } = terminal();
  const asked = askPassword(io, "Password: ");
  expect(raw).toEqual([true]);
  stdin.write("wrong\x15pß\x7fwx\bd\r");
  expect(await asked).toBe("pwd");
  expect(raw).toEqual([true, false]);
  expect(io.stdout.text).toBe("Password: \n");
});

test("Ctrl-C at the prompt ends the command as the signal would, and the terminal is as it was", async () => {
  const { io, stdin, raw } = terminal();
  stdin.write("pw\x03");
  await expect(askPassword(io, "")).rejects.toThrow(Interrupted);
  expect(raw).toEqual([true, false]);
});

test("Ctrl-D ends the line", async () => {
  const { io, stdin } = terminal();
  stdin.write("pw\x04");
  expect(await askPassword(io, "")).toBe("pw");
});
