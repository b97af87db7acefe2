import { expect, test } from "vitest";
import { ReadPolicy } from "./read-policy.ts";

test("reads are here for as long as the disk holds up little", () => {
  const policy = new ReadPolicy();
  // 20 ms of each second.
  for (let i = 0; i < 1000; i++) {
    policy.took("here", 0.003, i * 1000);
    policy.took("here", 20, i * 1000 + 500);
  }
  expect(policy.place).toBe("here");
});

test("one read that takes very long is enough, and five seconds without another bring it back", () => {
  const policy = new ReadPolicy();
  policy.took("here", 120, 1000);
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
  for (let ms = 0; ms < 90; ms++) policy.took("here", 1, ms);
  expect(policy.place).toBe("here");
  for (let ms = 90; ms < 110; ms++) policy.took("here", 1, ms);
  expect(policy.place).toBe("beside");
});

test("a disk that is slow again soon is left alone for twice as long", () => {
  const policy = new ReadPolicy();
  policy.took("here", 120, 0);
  policy.took("beside", 0.1, 6000);
  expect(policy.place).toBe("here");
  policy.took("here", 120, 7000);
  policy.took("beside", 0.1, 16_000);
  expect(policy.place).toBe("beside");
  policy.took("beside", 0.1, 17_001);
  expect(policy.place).toBe("here");
  // Long after that it begins anew.
  policy.took("here", 120, 100_000);
  policy.took("beside", 0.1, 105_001);
  expect(policy.place).toBe("here");
});
