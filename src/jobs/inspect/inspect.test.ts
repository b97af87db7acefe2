/** Every command on files that real etcd and bbolt wrote, whole and damaged, without a thread in between. */
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fnv1a64 } from "../../../native-free/fnv1a64.ts";
import { utf8 } from "../../base/bytes.ts";
import { StrataError } from "../../base/errors.ts";
import { type InspectCommand, type InspectOutput, inspectFile } from "./inspect.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/golden");
const goldens = readdirSync(GOLDEN).filter((name) => name.endsWith(".db"));

const COMMANDS: readonly InspectCommand[] = [
  { name: "summary" },
  { name: "buckets" },
  { name: "keys", revision: 0, history: false, limit: 0 },
  { name: "keys", revision: 0, history: true, limit: 0 },
  { name: "keys", revision: 0, history: false, limit: 2, prefix: utf8("k") },
  { name: "get", revision: 0, history: false, limit: 0, key: utf8("a") },
  { name: "leases", limit: 0 },
  { name: "meta" },
  { name: "pages" },
  { name: "page", id: 0 },
  { name: "page", id: 3 },
  { name: "page", id: 4 },
  { name: "check" },
];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "strata-inspect-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Printed extends InspectOutput {
  readonly text: string;
}

async function print(
  path: string,
  command: InspectCommand,
  json = false,
  options: { hex?: boolean; redact?: boolean } = {},
): Promise<Printed> {
  const report = join(folder, "report");
  const out = openSync(report, "w");
  try {
    const show = { hex: false, redact: false, colour: false, ...options };
    const output = await inspectFile({ path, command, json, show, out });
    return { ...output, text: readFileSync(report, "utf8") };
  } finally {
    closeSync(out);
  }
}

test("the golden files are there", () => {
  expect(goldens.length).toBeGreaterThanOrEqual(14);
});

test.each(goldens)("%s: every command in both forms, and the file stays as it is", async (name) => {
  const path = join(folder, name);
  copyFileSync(join(GOLDEN, name), path);
  const before = statSync(path, { bigint: true });
  for (const command of COMMANDS) {
    const text = await print(path, command);
    expect([command, text.firstFault]).toEqual([command, undefined]);
    expect(text.text).toContain("read: under a shared lock\n");
    const json = await print(path, command, true);
    expect(JSON.parse(json.text)).toMatchObject({ file: path, read: { mode: "locked" } });
    expect(json.faultCount).toBe(0);
  }
  const after = statSync(path, { bigint: true });
  expect([after.mtimeNs, after.size]).toEqual([before.mtimeNs, before.size]);
  expect(readFileSync(path).equals(readFileSync(join(GOLDEN, name)))).toBe(true);
});

test("values do not show where they are to be left out, in no command", async () => {
  const path = join(GOLDEN, "basic.snapshot.db");
  for (const command of COMMANDS) {
    for (const json of [false, true]) {
      const { text } = await print(path, command, json, { redact: true });
      expect([command, text.includes("again")]).toEqual([command, false]);
      expect([command, text.includes(Buffer.from("again").toString("base64"))]).toEqual([
        command,
        false,
      ]);
    }
  }
});

test("with hex, keys and values are hex", async () => {
  const path = join(GOLDEN, "basic.snapshot.db");
  const command: InspectCommand = { name: "keys", revision: 0, history: false, limit: 1 };
  expect((await print(path, command, false, { hex: true })).text).toContain("  61 = 33\n");
});

/** xorshift32: the same damage every time. */
function rng(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

function damage(golden: Buffer, pageBytes: number, next: (below: number) => number): Uint8Array {
  const bytes = Buffer.from(golden);
  const words = [0xffff_ffff, 0, 1, 0x7fff_ffff, next(100)];
  for (let i = next(8); i >= 0; i--) {
    const page = next(Math.floor(bytes.length / pageBytes)) * pageBytes;
    const kind = next(4);
    if (kind === 0) bytes[next(bytes.length)] = next(256);
    else if (kind === 1) bytes[page + next(64)] = next(256);
    else if (kind === 2) bytes.writeUInt32LE(words[next(5)] as number, page + 4 * next(30));
    else bytes[page + 8 + next(8)] = next(256);
  }
  // Half of the time the metas are made to look true.
  if (next(2) === 0) {
    for (const at of [0, pageBytes]) {
      bytes.writeBigUInt64LE(fnv1a64(bytes.subarray(at + 16, at + 72)), at + 72);
    }
  }
  return next(10) === 0 ? bytes.subarray(0, next(bytes.length)) : bytes;
}

test.each(Array.from({ length: 5 }, (_, i) => i + 1))(
  "damage of every kind, seed %i: an answer or an operating error, and soon",
  async (seed) => {
    const next = rng(seed * 7919);
    const files = ["basic.snapshot.db", "bbolt-nested.db", "full.datadir.db", "bbolt-ps1024.db"];
    let refused = 0;
    let answered = 0;
    for (const name of files) {
      const path = join(folder, `damaged-${name}`);
      const pageBytes = name.includes("1024") ? 1024 : 4096;
      writeFileSync(path, damage(readFileSync(join(GOLDEN, name)), pageBytes, next));
      for (const command of COMMANDS) {
        const startMs = performance.now();
        try {
          const { text, faultCount, firstFault } = await print(path, command, true);
          expect(JSON.parse(text).error_count ?? 0).toBe(faultCount);
          expect(faultCount === 0).toBe(firstFault === undefined);
          answered++;
        } catch (error) {
          if (!(error instanceof StrataError)) throw error;
          refused++;
        }
        expect(performance.now() - startMs).toBeLessThan(20_000);
      }
    }
    expect(refused + answered).toBe(files.length * COMMANDS.length);
    expect(answered).toBeGreaterThan(0);
  },
);
