import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { main } from "../src/console/main.ts";
import { goldenCopy } from "../test/support/golden.ts";
import { MemoryIo } from "../test/support/memory-io.ts";
import { STRATA_DEFRAG } from "./defrag-program.ts";

async function ran(
  args: readonly string[],
  io: MemoryIo = new MemoryIo(),
): Promise<[number, string, string]> {
  const code = await main(STRATA_DEFRAG, args, io);
  return [code, io.stdout.text, io.stderr.text];
}

test("says what was gained, and the second time that there is nothing to gain", async () => {
  const path = goldenCopy("defrag.before.db");
  const [code, out, err] = await ran([path]);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/: 78 kB -> 25 kB \(68 % gained\) in \d+ ms\n$/);
  expect(statSync(path).size).toBe(24_576);

  const before = statSync(path);
  const [again, said] = await ran([path]);
  expect(again).toBe(0);
  expect(said).toMatch(/nothing worth gaining.*--force/);
  expect(statSync(path).ino).toBe(before.ino);

  const [forced, report] = await ran([path, "--force", "-w", "json"]);
  expect(forced).toBe(0);
  expect(JSON.parse(report)).toMatchObject({
    defragmented: true,
    fileBeforeBytes: 24_576,
    fileAfterBytes: 24_576,
  });
  expect(statSync(path).ino).not.toBe(before.ino);
});

test("a program can tell whether anything was done", async () => {
  const path = goldenCopy("defrag.before.db");
  await ran([path]);
  const [code, out] = await ran([path, "--write-out=json"]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ defragmented: false, path });
});

test("a snapshot stays one, with its checksum renewed", async () => {
  const path = goldenCopy("full.snapshot.db");
  const [code, out] = await ran([path]);
  expect(code).toBe(0);
  expect(out).toContain("SHA-256 was renewed");
  expect(statSync(path).size % 512).toBe(32);
});

test.each([[[]], [["a", "b"]], [["a", "--data-dir=b"]], [["--data-dir="]]])(
  "%j is not one file",
  async (args) => {
    const message = "Error: strata-defrag needs one file, or --data-dir\n";
    expect(await ran(args)).toEqual([128, "", message]);
  },
);

test.each([
  [["x.db", "-w", "table"], "Error: unsupported output format\n"],
  [["x.db", "--progress=yes"], 'Error: unknown progress mode "yes"\n'],
])("%j is refused", async (args, message) => {
  expect(await ran(args)).toEqual([4, "", message]);
});

test("stopped by a signal, it leaves the file as it was and nothing beside it", async () => {
  const path = goldenCopy("defrag.before.db");
  const before = readFileSync(path);
  const io = new MemoryIo();
  io.send("SIGINT");
  expect(await ran([path], io)).toEqual([130, "", "Error: stopped by SIGINT\n"]);
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(dirname(path))).toHaveLength(1);
});
