/** The library's word on files: of snapshots and data dirs, sound and damaged, and while they are held. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkIntegrity, type Progress, Strata, snapshotStatus } from "../../src/index.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { goldenPath } from "../support/golden.ts";

test("a snapshot that a store has saved, and the data dir that it still holds", async () => {
  const dir = scratchFolder("snapshot-files");
  await using store = await Strata.open({ dir }, { selfMaintain: false });
  await Promise.all(Array.from({ length: 30 }, (_, i) => store.put(`key-${i % 20}`, "v")));
  const path = join(dir, "backup.db");
  const { sizeBytes, revision } = await store.saveSnapshot(path);
  const reports: Progress[] = [];
  const status = await snapshotStatus(path, {
    liveKeys: true,
    onProgress: (progress) => reports.push(progress),
  });
  expect(status).toMatchObject({
    revision: Number(revision),
    liveKeys: 20,
    sizeBytes: sizeBytes - 32,
    trailer: { kind: "verified" },
  });
  expect(reports.at(-1)?.phase).toBe("checking and hashing");
  expect(await checkIntegrity(path)).toMatchObject({ faults: [], faultCount: 0 });
  expect(await checkIntegrity(dir)).toMatchObject({ faultCount: 0, reading: { mode: "unlocked" } });
});

test("a damaged one is the error of its status and the result of its check", async () => {
  const path = join(scratchFolder("snapshot-files"), "damaged.db");
  copyFileSync(goldenPath("v36.datadir.db"), path);
  const bytes = readFileSync(path);
  // No page of the tree has such a type.
  for (let at = 2 * 4096; at < bytes.length; at += 4096)
    if (bytes[at + 8] === 2) bytes[at + 8] = 64;
  writeFileSync(path, bytes);
  await expect(snapshotStatus(path)).rejects.toMatchObject({ name: "CorruptionError" });
  const { faults, faultCount } = await checkIntegrity(path);
  expect(faultCount).toBeGreaterThan(0);
  expect(faults[0]?.what).toContain("invalid type");
});

test("both end by their signal, with its reason", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  const path = goldenPath("v36.datadir.db");
  await expect(snapshotStatus(path, { signal })).rejects.toThrow("enough");
  await expect(checkIntegrity(path, { signal })).rejects.toThrow("enough");
});
