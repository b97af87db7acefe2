import { expect, test } from "vitest";
import { peerUrlsOf } from "./peer-urls.ts";

test("URLs are trimmed and sorted", () => {
  expect(peerUrlsOf([" http://b:1", "HTTPS://[::1]:2380", "unix://a.sock:1"])).toEqual([
    "http://b:1",
    "https://[::1]:2380",
    "unix://a.sock:1",
  ]);
});

test.each([
  [],
  [""],
  ["bad"],
  ["127.0.0.1:2380"],
  ["ftp://a:1"],
  ["http://a"],
  ["http://a:1/"],
  ["http://a:1/path"],
  ["http://a:1:2"],
  ["http://a:1?x"],
  ["http://user@a:1"],
  ["http://a:1", "http://a"],
])("what is no peer URL is refused: %j", (...urls) => {
  expect(peerUrlsOf(urls)).toBeUndefined();
});
