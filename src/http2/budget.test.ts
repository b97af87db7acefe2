import { expect, test } from "vitest";
import { Budget } from "./budget.ts";

test("so much at once, and no more", () => {
  const budget = new Budget(3, 0);
  expect([1, 1, 1, 1].map((amount) => budget.spend(amount))).toEqual([true, true, true, false]);
});

test("what is earned can be spent, but not saved beyond the burst", () => {
  const budget = new Budget(3, 0);
  budget.earn(100);
  expect(budget.spend(3)).toBe(true);
  budget.earn(1);
  expect(budget.spend(1)).toBe(true);
  expect(budget.spend(0.5)).toBe(false);
});

test("time brings more", async () => {
  const budget = new Budget(1, 1000);
  expect(budget.spend(1)).toBe(true);
  await expect.poll(() => budget.spend(0.001)).toBe(true);
});
