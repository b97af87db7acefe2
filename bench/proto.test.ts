import { expect, test } from "vitest";
import { measureProto } from "./proto.ts";

test("the benchmark runs", () => {
  const figures = measureProto({ rounds: 1, times: 10 });
  expect(figures).toHaveLength(12);
  for (const { nanoseconds, digest } of figures) {
    expect(nanoseconds).toBeGreaterThan(0);
    expect(digest).toBeGreaterThanOrEqual(10);
  }
});
