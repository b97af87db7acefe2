import { spawnSync } from "node:child_process";
import { fstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SystemFile } from "./file.ts";
import { holdsLock, lockHolders } from "./lock-holders.ts";

let dir = "";
let file: SystemFile;
/** The file as `/proc/locks` names it. */
let inode = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "strata-holders-"));
  file = new SystemFile(join(dir, "db"), "create");
  const { dev, ino } = fstatSync(file.fd);
  const pad = (n: number): string => n.toString(16).padStart(2, "0");
  // Written otherwise than in the code under test: enough for the small numbers of a test machine.
  inode = `${pad(Math.floor(dev / 256))}:${pad(dev % 256)}:${ino}`;
});
afterEach(() => {
  file.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A procfs of our own: `locks` and, per process, its name and the lock lines of its one descriptor. */
function fakeProc(
  locks: string,
  processes: Record<string, { comm: string; lock?: string }>,
): string {
  const proc = join(dir, "proc");
  mkdirSync(proc);
  writeFileSync(join(proc, "locks"), locks);
  for (const [pid, { comm, lock }] of Object.entries(processes)) {
    mkdirSync(join(proc, pid));
    writeFileSync(join(proc, pid, "comm"), `${comm}\n`);
    writeFileSync(join(proc, pid, "stat"), `${pid} (${comm}) S 1`);
    if (lock === undefined) continue; // Another user's: there is no fdinfo that we could read.
    mkdirSync(join(proc, pid, "fdinfo"));
    writeFileSync(join(proc, pid, "fdinfo", "7"), `pos:\t0\nflags:\t02\n${lock}`);
  }
  return proc;
}

const pids = (proc: string) => lockHolders(file, proc).map(({ pid, kind }) => [pid, kind]);

test("a holder of another user is named by /proc/locks", () => {
  const proc = fakeProc(
    [
      `1: POSIX  ADVISORY  WRITE 9 ${inode} 0 EOF`,
      `2: FLOCK  ADVISORY  READ 41 ${inode} 0 EOF`,
      `2: -> FLOCK  ADVISORY  WRITE 43 ${inode} 0 EOF`,
      `3: FLOCK  ADVISORY  WRITE 44 ${inode}9 0 EOF`,
      `4: FLOCK  MSNFS     READ 42 ${inode} 0 EOF`,
      "5: FLOCK  ADVISORY  WRITE 45 <none>:0 0 EOF",
      "",
    ].join("\n"),
    {
      41: { comm: "etcd" },
      42: { comm: "etcdutl" },
      43: { comm: "waiting" },
      9: { comm: "other" },
    },
  );
  expect(lockHolders(file, proc)).toEqual([
    { pid: 41, command: "etcd", kind: "shared", sidecar: undefined },
    { pid: 42, command: "etcdutl", kind: "shared", sidecar: undefined },
  ]);
});

test("a lock taken by a process that has ended is its heir's, found by the descriptor", () => {
  const line = `1: FLOCK  ADVISORY  WRITE 40 ${inode} 0 EOF\n`;
  const proc = fakeProc(line, {
    50: { comm: "node", lock: `lock:\t${line}` },
    51: { comm: "heir of 50", lock: `lock:\t${line}` },
    52: { comm: "bystander", lock: "" },
  });
  expect(pids(proc)).toEqual([
    [50, "exclusive"],
    [51, "exclusive"],
  ]);
});

test("inside a pid namespace the descriptors still tell, with taker 0 and no line in /proc/locks", () => {
  const proc = fakeProc("", {
    1: { comm: "node", lock: `lock:\t1: FLOCK  ADVISORY  READ 0 ${inode} 0 EOF\n` },
  });
  expect(pids(proc)).toEqual([[1, "shared"]]);
});

test.each([
  ["0: outside our namespace", 0],
  ["-1: on another machine", -1],
  ["dead", 40],
  ["used again by a process that has no such lock", 60],
])("a taker that is %s leaves a holder without a pid", (_, taker) => {
  const proc = fakeProc(`1: FLOCK  ADVISORY  WRITE ${taker} ${inode} 0 EOF\n`, {
    60: { comm: "bystander", lock: "" },
  });
  expect(lockHolders(file, proc)).toEqual([
    { pid: undefined, command: undefined, kind: "exclusive", sidecar: undefined },
  ]);
});

test("where there is no procfs, nobody is named", () => {
  expect(lockHolders(file, join(dir, "missing"))).toEqual([]);
  expect(holdsLock(file, "exclusive", join(dir, "missing"))).toBe(false);
});

test("overlayfs and btrfs: the mount names the device that fstat hides", () => {
  const proc = fakeProc("1: FLOCK  ADVISORY  WRITE 41 00:2f:77 0 EOF\n", { 41: { comm: "etcd" } });
  mkdirSync(join(proc, "self", "fdinfo"), { recursive: true });
  writeFileSync(join(proc, "self", "fdinfo", `${file.fd}`), "pos:\t0\nmnt_id:\t31\nino:\t77\n");
  writeFileSync(
    join(proc, "self", "mountinfo"),
    "30 1 254:0 / / rw - ext4 /dev/vda rw\n31 30 0:47 / /data rw - overlay overlay rw\n",
  );
  expect(pids(proc)).toEqual([[41, "exclusive"]]);
});

test.runIf(process.platform === "linux")("a free file has no holder, ours has us", () => {
  expect(lockHolders(file)).toEqual([]);
  const { status } = spawnSync("flock", ["-n", "-s", "3"], {
    stdio: ["ignore", "ignore", "ignore", file.fd],
  });
  expect(status).toBe(0);
  expect(lockHolders(file)).toMatchObject([{ pid: process.pid, kind: "shared" }]);
  expect([holdsLock(file, "shared"), holdsLock(file, "exclusive")]).toEqual([true, false]);
});
