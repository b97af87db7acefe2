import { expect, test } from "vitest";
import { alternate, ofCase, ratios } from "./alternate.ts";

test("subjects take turns, and one that fails is named without stopping the others", async () => {
  const order: string[] = [];
  const entry = (name: string) => ({
    name,
    run: async (round: number) => {
      order.push(name + round);
      if (name === "1 b") throw new Error("no");
      return round;
    },
  });
  const entries = [entry("1 a"), entry("1 b"), entry("2 c"), { ...entry("2 d"), missing: "why" }];
  const answers = await alternate(entries, 2);
  expect(order).toEqual(["1 a0", "1 b0", "2 c0", "1 a1", "2 c1"]);
  expect(ofCase(answers, "1")).toEqual([
    { name: "a", rounds: [0, 1] },
    { name: "b", missing: "failed: no" },
  ]);
  expect(ofCase(answers, "2")[1]).toEqual({ name: "d", missing: "why" });
});

test("ratios are of pairs", () => {
  const speeds = ratios([10, 30, 20], [5, 10, 20], (value) => value);
  expect(speeds).toEqual({ median: 2, min: 1, max: 3 });
});
