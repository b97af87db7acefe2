/**
 * The end of a prefix range was made in a copy that was none: a Buffer's `slice` shares its bytes, so that the range
 * began where it ended, and was empty; and the caller's own prefix was changed.
 */
import { expect, test } from "vitest";
import { Strata } from "../../src/index.ts";

test("a prefix finds its keys, and stays what it is", async () => {
  await using store = await Strata.open({ memory: true });
  for (const key of ["a/1", "a/2", "b/1"]) await store.put(key, "x");
  const prefix = Buffer.from("a/");
  for (const one of ["a/", prefix, new Uint8Array(prefix)]) {
    expect(await store.count({ prefix: one })).toBe(2);
  }
  expect(prefix.toString()).toBe("a/");
  expect((await store.delete({ prefix: "a/" })).deleted).toBe(2);
});
