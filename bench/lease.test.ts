import { expect, test } from "vitest";
import { measureLeases } from "./lease.ts";

test("the benchmark runs, and every round does the same work", async () => {
  const { times, bytesPerLease, digest } = await measureLeases(600, 2);
  expect(digest).toBeGreaterThan(0);
  for (const time of Object.values(times)) expect(time).toBeGreaterThan(0);
  expect(Number.isFinite(bytesPerLease)).toBe(true);
});
