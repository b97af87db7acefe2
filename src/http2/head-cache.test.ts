import { expect, test } from "vitest";
import { Head } from "./head.ts";
import { HeadCache } from "./head-cache.ts";

const head = (path: string): Head => new Head("POST", "http", "here", path, [], -1);

function ask(cache: HeadCache, text: string, changes = 0): Head {
  const bytes = Buffer.from(`..${text}..`);
  const end = bytes.length - 2;
  const known = cache.find(bytes, 2, end, changes);
  if (known !== undefined) return known;
  const found = head(text);
  cache.keep(bytes, 2, end, found);
  return found;
}

test("what has come twice is known the third time", () => {
  const cache = new HeadCache();
  const first = ask(cache, "a");
  const second = ask(cache, "a");
  expect(second).not.toBe(first);
  expect(ask(cache, "a")).toBe(second);
  expect(ask(cache, "b").path).toBe("b");
  expect(ask(cache, "a")).toBe(second);
});

test("not when the table has changed", () => {
  const cache = new HeadCache();
  for (let i = 0; i < 3; i++) ask(cache, "a");
  const known = ask(cache, "a");
  expect(ask(cache, "a", 1)).not.toBe(known);
});

test("blocks that come once push nothing out", () => {
  const cache = new HeadCache();
  ask(cache, "a");
  const known = ask(cache, "a");
  for (let i = 0; i < 10_000; i++) ask(cache, `once ${i}`);
  expect(ask(cache, "a")).toBe(known);
});

test("it holds a few, the last of them", () => {
  const cache = new HeadCache();
  for (let i = 0; i < 50; i++) {
    ask(cache, `p${i}`);
    ask(cache, `p${i}`);
  }
  const bytes = Buffer.from("p49");
  expect(cache.find(bytes, 0, 3, 0)?.path).toBe("p49");
  expect(cache.find(Buffer.from("p1"), 0, 2, 0)).toBeUndefined();
  const long = "x".repeat(1000);
  expect(ask(cache, long)).not.toBe(ask(cache, long));
});
