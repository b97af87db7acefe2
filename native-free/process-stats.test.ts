import { expect, test } from "vitest";
import { readProcessStats } from "./process-stats.ts";

test("the process is known", async () => {
  const stats = await readProcessStats();
  expect(stats.residentBytes).toBeGreaterThan(1024 * 1024);
  expect(stats.cpuSeconds).toBeGreaterThan(0);
  expect(Math.abs(stats.startSeconds - Date.now() / 1000)).toBeLessThan(3600);
  for (const value of Object.values(stats)) expect(value).toBeGreaterThanOrEqual(0);
});
