/** Files that are no databases, or no longer: what the built commands say of them, and that they say it in lines. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CommandName, type RunOptions, run } from "../support/built-cli.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { goldenPath } from "../support/golden.ts";

const folder = scratchFolder("foreign");

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return name;
}

async function said(
  command: CommandName,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const { code, stdout, stderr } = await run(command, args, {
    cwd: folder,
    ...options,
  });
  expect(stdout).toBe("");
  // Nothing that looks like a stack, ever.
  expect(stderr).not.toMatch(/\n\s+at /);
  return { code, stderr };
}

const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
const padded = (head: Uint8Array | string, bytes: number): Uint8Array => {
  const content = new Uint8Array(bytes);
  content.set(typeof head === "string" ? new TextEncoder().encode(head) : head);
  return content;
};

describe.each([
  ["a PNG", file("a.png", padded(PNG, 20_000))],
  ["a SQLite database", file("a.sqlite", padded("SQLite format 3\0", 12_288))],
  ["an ELF program", file("a.out", padded("\x7fELF\x02\x01\x01", 40_000))],
  ["a text", file("a.txt", "x".repeat(8192))],
  ["an empty file", file("empty.db", "")],
  ["a short text", file("short.txt", "hello\n")],
])("%s", (_what, name) => {
  test("every command names the place in one line", async () => {
    for (const [command, args] of [
      ["etcdctl", ["snapshot", "status", name]],
      ["etcdutl", ["snapshot", "status", name]],
      ["strata-defrag", [name]],
    ] as const) {
      const { code, stderr } = await said(command, args);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^Error: \S+: offset \d+: (invalid database|file size)[^\n]*\n$/);
      expect(stderr).toContain(name);
    }
    const { stderr } = await said("strata-defrag", [name]);
    expect(stderr.split("\n")).toHaveLength(2);
  });
});

describe("what is not there", () => {
  test("a missing file, as etcdctl says it", async () => {
    expect(await said("etcdctl", ["snapshot", "status", "nofile.db"])).toEqual({
      code: 1,
      stderr: "Error: stat nofile.db: no such file or directory\n",
    });
    for (const [command, args] of [
      ["etcdutl", ["snapshot", "status", "nofile.db"]],
      ["strata-defrag", ["nofile.db"]],
    ] as const) {
      const { code, stderr } = await said(command, args);
      expect([code, stderr]).toEqual([1, "Error: stat nofile.db: no such file or directory\n"]);
    }
  });

  test("a folder that is no data dir", async () => {
    mkdirSync(join(folder, "nodata"));
    const why = "nodata/member/snap/db: no such file or directory";
    for (const command of ["etcdctl", "etcdutl"] as const) {
      const { code, stderr } = await said(command, ["snapshot", "status", "nodata"]);
      expect([code, stderr]).toEqual([1, `Error: open ${why}\n`]);
    }
    expect(await said("strata-defrag", ["--data-dir=nodata"])).toMatchObject({
      code: 1,
      stderr: `Error: stat ${why}\n`,
    });
    expect(await said("etcdutl", ["defrag", "--data-dir=nodata"])).toMatchObject({
      code: 1,
      stderr: `Error: Failed to defragment etcd data[nodata] (stat ${why})\n`,
    });
  });
});

describe("what may not be read", () => {
  test("a file without permission, in Go's words", async () => {
    const name = file("secret.db", readFileSync(goldenPath("restore.db")));
    chmodSync(join(folder, name), 0o000);
    const held = { heldToPermissions: true };
    for (const command of ["etcdctl", "etcdutl"] as const) {
      const { code, stderr } = await said(command, ["snapshot", "status", name], held);
      expect([code, stderr]).toEqual([1, `Error: open ${name}: permission denied\n`]);
    }
    const { code, stderr } = await said("strata-defrag", [name], held);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: open \S*secret\.db: permission denied\n$/);
  });
});

describe("a file that was cut", () => {
  const whole = readFileSync(goldenPath("full.snapshot.db"));

  test.each([
    ["in the first meta", 50],
    ["behind the first meta", 4096],
    ["in the second meta", 4100],
    ["behind the metas", 8192],
    ["in a page", 20_000],
    ["between pages", 65_536],
    ["in the last page", whole.length - 32 - 1],
  ])("%s", async (_where, bytes) => {
    const name = file(`cut-${bytes}.db`, whole.subarray(0, bytes));
    for (const command of ["etcdctl", "etcdutl"] as const) {
      const { code, stderr } = await said(command, ["snapshot", "status", name]);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        new RegExp(
          `^Error: ${name}: offset \\d+: (file size too small|invalid database|snapshot file integrity check failed\\. \\d+ errors found\\.)`,
        ),
      );
    }
    const defrag = await said("strata-defrag", [name, "--force"]);
    expect(defrag.code).toBe(1);
    expect(defrag.stderr).toMatch(new RegExp(`^Error: \\S*${name}: offset \\d+: [^\\n]+\\n$`));
    expect(readFileSync(join(folder, name)).length).toBe(bytes);
  });

  test.each([1, 31])("%d bytes short of a whole checksum: read, with a warning", async (short) => {
    const name = file(`trailer-${short}.db`, whole.subarray(0, whole.length - short));
    for (const [command, said] of [
      ["etcdctl", "e245ca26, 30, 33, 192 kB\n"],
      ["etcdutl", "e245ca26, 30, 4, 192 kB, \n"],
    ] as const) {
      const { code, stdout, stderr } = await run(command, ["snapshot", "status", name], {
        cwd: folder,
      });
      expect([code, stdout]).toEqual([0, said]);
      expect(stderr).toMatch(new RegExp(`^Warning: ${name}: offset 192512: ${32 - short} bytes `));
    }
  });
});

describe("a file that was changed", () => {
  const changed = (name: string, golden: string, at: number, to: readonly number[]): string => {
    const content = readFileSync(goldenPath(golden));
    content.set(to, at);
    return file(name, content);
  };

  test("a snapshot whose checksum is another", async () => {
    const name = changed("flipped.db", "basic.snapshot.db", 20_010, [0x99]);
    for (const command of ["etcdctl", "etcdutl"] as const) {
      const { code, stderr } = await said(command, ["snapshot", "status", name]);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^Error: flipped\.db: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}[^\n]*\n$/,
      );
    }
  });

  test.each([
    ["version mismatch", 20, [9]],
    ["checksum error", 40, [9]],
  ])("both metas with a %s", async (text, at, to) => {
    const content = readFileSync(goldenPath("restore.db"));
    for (const page of [0, 4096]) content.set(to, page + at);
    const name = file(`${text.replace(" ", "-")}.db`, content);
    for (const command of ["etcdctl", "etcdutl"] as const) {
      const { code, stderr } = await said(command, ["snapshot", "status", name]);
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`^Error: ${name}: offset \\d+: ${text}[^\\n]+\\n$`));
    }
  });

  test("a page that calls itself another: all faults, one a line", async () => {
    const content = readFileSync(goldenPath("compact-crash.db"));
    for (let at = 2 * 4096; at < content.length; at += 4096) {
      const page = content.subarray(at, at + 4096);
      const isLeaf = page[8] === 2;
      // The leaf that names the buckets stays, or nothing else would be found.
      if (isLeaf && !page.includes("members_removed")) page[0] = 0x77;
    }
    const name = file("pages.db", content);
    const ctl = await said("etcdctl", ["snapshot", "status", name]);
    expect(ctl.code).toBe(1);
    const [first = "", ...faults] = ctl.stderr.trimEnd().split("\n");
    const count = Number(
      /^Error: pages\.db: offset \d+: snapshot file integrity check failed\. (\d+) errors found\.$/.exec(
        first,
      )?.[1],
    );
    expect(count).toBeGreaterThan(1);
    expect(faults).toHaveLength(count);
  });
});
