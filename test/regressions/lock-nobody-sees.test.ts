/** Without a `flock` program a store went on with a lock that no real etcd sees, and said nothing. */
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import type { EngineEvent } from "../../src/engine/log.ts";
import { Strata } from "../../src/engine/strata.ts";
import { scratchFolder } from "../support/cleanup.ts";

afterEach(() => vi.unstubAllEnvs());

async function linesOfAStart(): Promise<readonly EngineEvent[]> {
  const lines: EngineEvent[] = [];
  const dir = join(scratchFolder("lock"), "data");
  const store = await Strata.open({ dir }, { log: (line) => void lines.push(line) });
  await store.close();
  return lines.filter(({ level }) => level === "warn");
}

test("who is not kept out is said", async () => {
  const empty = join(scratchFolder("no-flock"), "bin");
  mkdirSync(empty);
  symlinkSync(process.execPath, join(empty, "node"));
  vi.stubEnv("PATH", empty);
  expect(await linesOfAStart()).toMatchObject([
    { message: expect.stringMatching(/no flock\(2\) here.*a real etcd is not/) as string },
  ]);
});

test("with one there is nothing to be said", async () => {
  expect(await linesOfAStart()).toEqual([]);
});
