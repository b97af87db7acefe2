import { expect, test } from "vitest";
import { ReadPolicy } from "./read-policy.ts";

test("reads are here for as long as the disk is not noticed", () => {
  const policy = new ReadPolicy();
  for (let i = 0; i < 10_000; i++) policy.took("here", i % 100 === 0 ? 0.5 : 0.003, i);
  expect(policy.place).toBe("here");
});

test("one long read is enough, and five quick seconds bring it back", () => {
  const policy = new ReadPolicy();
  policy.took("here", 20, 1000);
  expect(policy.place).toBe("beside");
  policy.took("beside", 0.1, 5900);
  expect(policy.place).toBe("beside");
  policy.took("beside", 30, 5950);
  policy.took("beside", 0.1, 10_900);
  expect(policy.place).toBe("beside");
  policy.took("beside", 0.1, 10_960);
  expect(policy.place).toBe("here");
});

test("many short reads of the disk are too many as well", () => {
  const policy = new ReadPolicy();
  for (let i = 0; i < 15; i++) policy.took("here", 0.5, i);
  expect(policy.place).toBe("here");
  policy.took("here", 0.5, 16);
  expect(policy.place).toBe("beside");
});

test("a disk that is slow again soon is left alone for twice as long", () => {
  const policy = new ReadPolicy();
  policy.took("here", 20, 0);
  policy.took("beside", 0.1, 6000);
  expect(policy.place).toBe("here");
  policy.took("here", 20, 7000);
  policy.took("beside", 0.1, 16_000);
  expect(policy.place).toBe("beside");
  policy.took("beside", 0.1, 17_001);
  expect(policy.place).toBe("here");
  // Long after that it begins anew.
  policy.took("here", 20, 100_000);
  policy.took("beside", 0.1, 105_001);
  expect(policy.place).toBe("here");
});
