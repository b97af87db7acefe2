import { expect, test } from "vitest";
import { measureJobs } from "./jobs.ts";

test("the benchmark runs", async () => {
  const figures = await measureJobs(500);
  expect(figures.length).toBeGreaterThan(5);
  for (const { seconds, puts } of figures) {
    expect(seconds).toBeGreaterThan(0);
    expect(puts).toBeGreaterThan(0);
  }
});
