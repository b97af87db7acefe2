import { expect, test } from "vitest";
import { MemoryIo } from "../../test/support/memory-io.ts";
import type { Program } from "./command.ts";
import { Failure } from "./failure.ts";
import { main } from "./main.ts";
import { styled } from "./style.ts";

const TERMINAL = { isTTY: true };

test("a terminal gets colours, nothing else does", () => {
  expect(styled(TERMINAL, { env: {} }, "red", "x")).toBe("\x1b[31mx\x1b[39m");
  expect(styled(TERMINAL, { env: { NO_COLOR: "" } }, "bold", "x")).toBe("\x1b[1mx\x1b[22m");
  expect(styled({}, { env: {} }, "red", "x")).toBe("x");
  expect(styled({ isTTY: false }, { env: {} }, "red", "x")).toBe("x");
  expect(styled(TERMINAL, { env: { NO_COLOR: "1" } }, "red", "x")).toBe("x");
  expect(styled(TERMINAL, { env: { TERM: "dumb" } }, "red", "x")).toBe("x");
});

const PROGRAM: Program = {
  name: "prog",
  summary: "A program",
  version: "1",
  globalFlags: [],
  entries: [
    {
      name: "fail",
      summary: "Fails",
      load: async () => ({
        usage: "fail",
        examples: [],
        flags: [],
        run: async () => {
          throw new Failure(1, "Error: of course");
        },
      }),
    },
  ],
};

test("of an error the first word is red, of help the titles are bold", async () => {
  const io = new MemoryIo({ stderrIsTerminal: true, stdoutIsTerminal: true });
  await main(PROGRAM, ["fail"], io);
  expect(io.stderr.text).toBe("\x1b[31mError:\x1b[39m Error: of course\n");
  await main(PROGRAM, ["--help"], io);
  expect(io.stdout.text.startsWith("\x1b[1mNAME:\x1b[22m\n  prog - A program\n")).toBe(true);
  expect(io.stdout.text.split("\x1b[1m")).toHaveLength(6);

  const plain = new MemoryIo({
    stderrIsTerminal: true,
    stdoutIsTerminal: true,
    env: { NO_COLOR: "1" },
  });
  await main(PROGRAM, ["fail"], plain);
  await main(PROGRAM, ["--help"], plain);
  expect(plain.stderr.text + plain.stdout.text).not.toContain("\x1b");
});
