/** Snapshots on bad days: disks that are full, folders that nobody may write to, commands that are killed. */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Strata } from "../../src/index.ts";
import { EtcdServer } from "../../src/server/server.ts";
import { builtFile, run } from "../support/built-cli.ts";
import { cleanUpAtEnd, scratchFolder } from "../support/cleanup.ts";
import { goldenPath } from "../support/golden.ts";

const BASIC = goldenPath("basic.snapshot.db");
const KEYS = 60;

let server: EtcdServer;
let endpoints: string;

beforeAll(async () => {
  const data = join(scratchFolder("bad-days"), "data");
  {
    await using store = await Strata.open({ dir: data }, { log: () => undefined });
    const value = "x".repeat(100_000);
    await Promise.all(Array.from({ length: KEYS }, (_, i) => store.put(`k${i}`, value)));
  }
  server = await EtcdServer.start({
    flags: { "listen-client-urls": "http://127.0.0.1:0", "data-dir": data },
  });
  endpoints = `--endpoints=${server.clientUrls[0]}`;
});
afterAll(() => server.close());

interface Said {
  readonly code: number | null;
  readonly stderr: string;
}

/** A command that may write no file larger than so many KiB, which is how a full disk looks to it. */
function limited(kibibytes: number, name: "etcdctl" | "etcdutl", args: readonly string[]): Said {
  const line = `ulimit -f ${kibibytes}; exec "$@"`;
  const ran = spawnSync("bash", ["-c", line, "bash", builtFile(name), ...args], {
    encoding: "utf8",
  });
  return { code: ran.status, stderr: ran.stderr };
}

/** In the background: the server is this very process. */
function limitedBeside(kibibytes: number, args: readonly string[]): Promise<Said> {
  const line = `ulimit -f ${kibibytes}; exec "$@"`;
  const child = spawn("bash", ["-c", line, "bash", builtFile("etcdctl"), ...args]);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stderr })));
}

function isWhole(path: string): boolean {
  const bytes = readFileSync(path);
  const sha256 = createHash("sha256").update(bytes.subarray(0, -32)).digest();
  return sha256.equals(bytes.subarray(-32));
}

test("save: no room for all of it", async () => {
  const folder = scratchFolder("bad-days");
  const path = join(folder, "backup.db");
  writeFileSync(path, "old");
  const { code, stderr } = await limitedBeside(2000, [endpoints, "snapshot", "save", path]);
  expect([code, stderr]).toEqual([5, `Error: write ${path}.part: file too large\n`]);
  expect(readdirSync(folder)).toEqual(["backup.db"]);
  expect(readFileSync(path, "utf8")).toBe("old");
});

test("restore: no room for the database, or for the log", () => {
  const folder = scratchFolder("bad-days");
  const dir = join(folder, "deep/data");
  for (const kibibytes of [8, 64]) {
    const args = ["snapshot", "restore", BASIC, "--data-dir", dir];
    const { code, stderr } = limited(kibibytes, "etcdutl", args);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: [a-z]+ \S*deep\/data\S*: file too large\n$/),
    ]);
    expect(readdirSync(folder)).toEqual([]);
  }
});

test("folders that may not be written to", async () => {
  const folder = scratchFolder("bad-days");
  const closed = join(folder, "closed");
  mkdirSync(closed, { mode: 0o555 });
  const options = { heldToPermissions: true };
  const part = join(closed, "backup.db.part");
  const save = await run(
    "etcdctl",
    [endpoints, "snapshot", "save", join(closed, "backup.db")],
    options,
  );
  expect([save.code, save.stderr]).toEqual([
    5,
    `Error: could not open ${part} (open ${part}: permission denied)\n`,
  ]);
  const dir = join(closed, "data");
  const restore = await run("etcdutl", ["snapshot", "restore", BASIC, "--data-dir", dir], options);
  expect([restore.code, restore.stderr]).toEqual([1, `Error: mkdir ${dir}: permission denied\n`]);
  expect(readdirSync(closed)).toEqual([]);
});

/** Kills a command some time after a file has appeared. */
async function killed(args: readonly string[], when: string, afterMs: number): Promise<void> {
  const [program = "", ...rest] = args;
  const child = spawn(program, rest, { stdio: "ignore" });
  const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  while (!existsSync(when) && child.exitCode === null) await sleep(1);
  await sleep(afterMs);
  child.kill("SIGKILL");
  await gone;
  forget();
}

test("save: killed at several moments, a file under its own name is whole", async () => {
  for (const afterMs of [0, 15, 40]) {
    const folder = scratchFolder("bad-days");
    const path = join(folder, "backup.db");
    const save = [builtFile("etcdctl"), endpoints, "snapshot", "save", path];
    await killed(save, `${path}.part`, afterMs);
    const left = readdirSync(folder);
    expect([[], ["backup.db.part"], ["backup.db"]]).toContainEqual(left);
    if (left.includes("backup.db")) expect(isWhole(path)).toBe(true);
    const again = await run("etcdctl", [endpoints, "snapshot", "save", path]);
    expect(again.code).toBe(0);
    expect(readdirSync(folder)).toEqual(["backup.db"]);
    expect(isWhole(path)).toBe(true);
  }
});

test("restore: killed at several moments, a folder `member` is whole", async () => {
  const snapshot = join(scratchFolder("bad-days"), "backup.db");
  expect((await run("etcdctl", [endpoints, "snapshot", "save", snapshot])).code).toBe(0);
  for (const afterMs of [0, 15, 40]) {
    const dir = join(scratchFolder("bad-days"), "data");
    const restore = [builtFile("etcdutl"), "snapshot", "restore", snapshot, "--data-dir", dir];
    await killed(restore, dir, afterMs);
    const left = existsSync(dir) ? readdirSync(dir) : [];
    expect([[], ["member.part"], ["member"]]).toContainEqual(left);
    if (!left.includes("member")) continue;
    await using store = await Strata.open({ dir }, { log: () => undefined });
    expect(await store.count({ prefix: "" })).toBe(KEYS);
  }
});
