/**
 * Two snapshots saved to one name at the same time wrote into the same unfinished file: the first took its name away
 * from the second, which went on writing into what was said to be whole, and failed then.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Strata } from "../../src/index.ts";
import { readStatus } from "../../src/jobs/snapshot-status-work.ts";
import { scratchFolder } from "../support/cleanup.ts";

test.each(["memory", "dir"])("two snapshots saved to one name, of a store in %s", async (kind) => {
  const folder = scratchFolder("one-name");
  const place = kind === "memory" ? ({ memory: true } as const) : { dir: join(folder, "data") };
  await using store = await Strata.open(place);
  await store.put("k", "x".repeat(500_000));
  const backups = scratchFolder("one-name");
  const path = join(backups, "backup.db");
  const saved = await Promise.all([
    store.saveSnapshot(path),
    store.saveSnapshot(path),
    store.put("k", "another"),
    store.saveSnapshot(path),
  ]);
  expect(readdirSync(backups)).toEqual(["backup.db"]);
  const { revision } = await readStatus({ path, liveKeys: false });
  expect(BigInt(revision)).toBe(saved[3].revision);
});
