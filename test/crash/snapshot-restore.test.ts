/** A data dir that is restored: whole under its name, or not there, wherever the disk or the power fails. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { DirectoryTree } from "../../native-free/file.ts";
import { Strata } from "../../src/index.ts";
import type { RestoreReport } from "../../src/jobs/snapshot-restore.ts";
import { restoreInto } from "../../src/jobs/snapshot-restore-work.ts";
import { ErrorDisk, type Operation } from "../support/error-disk.ts";
import { goldenPath } from "../support/golden.ts";
import { MemoryFile } from "../support/memory-file.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

const SNAPSHOT = readFileSync(goldenPath("basic.snapshot.db"));

async function restore(data: DirectoryTree, separateLog?: DirectoryTree): Promise<RestoreReport> {
  const wal = separateLog && { parent: separateLog, name: "log" };
  return await restoreInto({ data, wal }, new MemoryFile(Uint8Array.from(SNAPSHOT)), {
    name: "n1",
    members: [{ name: "n1", peerUrls: ["http://127.0.0.1:2380"] }],
    token: "tok",
    skipHashCheck: false,
    votersInLog: true,
    bumpRevision: 0,
  });
}

/** That it starts, and has what the snapshot had. */
async function mustStart(disk: PowerCutDisk): Promise<void> {
  await using store = await Strata.open({ disk }, { log: () => undefined });
  expect(store.member.cluster.members).toHaveLength(1);
  expect((await store.hashKv(11)).hash).toBe(4142670154);
}

test("power cut at every event: whole or not there, and there once it is said", async () => {
  const calm = new PowerCutDisk();
  expect((await restore(calm)).sizeBytes).toBe(32768);
  await mustStart(calm.crashClone(rng(1), "lose"));
  const seen = new Set<string>();
  for (let cutAt = 1; cutAt <= calm.events; cutAt++) {
    for (const survival of ["keep", "lose", "torn"] as const) {
      const disk = new PowerCutDisk({ cutAt });
      await expect(restore(disk)).rejects.toThrow();
      const left = disk.reboot(rng(cutAt), survival);
      for (const name of left.list()) {
        seen.add(name);
        if (name === "member") await mustStart(left);
        else expect(name).toBe("member.part");
      }
    }
  }
  expect([...seen].sort()).toEqual(["member", "member.part"]);
});

const OPERATIONS: readonly Operation[] = [
  "open",
  "write",
  "truncate",
  "sync",
  "rename",
  "sync-directory",
  "folder",
];

test.each(OPERATIONS)("%s fails: it is said, and nothing is left", async (operations) => {
  const calm = new ErrorDisk(new PowerCutDisk());
  await restore(calm, calm.folder("elsewhere"));
  const times = calm.count({ operations });
  expect(times).toBeGreaterThan(0);
  for (let nth = 1; nth <= times; nth++) {
    const inner = new PowerCutDisk();
    const fault = { operations, code: "ENOSPC", nth, lasts: "once", shortWrite: true } as const;
    const disk = new ErrorDisk(inner, fault);
    const error: unknown = await restore(disk, disk.folder("elsewhere")).catch((e: unknown) => e);
    // A log that cannot be laid out for later is none the worse.
    if (disk.failures === 1 && !(error instanceof Error)) continue;
    expect(`${(error as Error).message} ${String((error as Error).cause)}`).toContain("ENOSPC");
    expect(disk.openFiles).toEqual([]);
    expect(inner.list()).toEqual(["elsewhere"]);
    expect(inner.folder("elsewhere").list()).toEqual([]);
  }
});

test("a log of the same name is somebody else's, and stays", async () => {
  const disk = new PowerCutDisk();
  const elsewhere = disk.folder("elsewhere");
  elsewhere.makeFolder("log");
  elsewhere.folder("log").openFile("theirs", "create").close();
  await expect(restore(disk, elsewhere)).rejects.toMatchObject({ code: "EXISTS" });
  expect(elsewhere.folder("log").list()).toEqual(["theirs"]);
  expect(disk.list()).toEqual(["elsewhere"]);
});

test("two at once: one makes it, the other is told", async () => {
  const disk = new PowerCutDisk();
  const [one, two] = await Promise.allSettled([restore(disk), restore(disk)]);
  expect([one.status, two.status]).toEqual(["fulfilled", "rejected"]);
  await mustStart(disk);
});
