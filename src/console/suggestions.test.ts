import { expect, test } from "vitest";
import { suggestionsFor } from "./suggestions.ts";

const NAMES = ["alarm", "del", "get", "lease", "lock", "put", "snapshot", "version", "watch"];

// The first two are what etcdctl 3.4.23 suggested.
test.each([
  ["gett", ["get"]],
  ["l", ["del", "lease", "lock"]],
  ["VERSOIN", ["version"]],
  ["snap", ["snapshot"]],
  ["nosuch", []],
])("near %s are %j", (typed, near) => {
  expect(suggestionsFor(typed, NAMES)).toEqual(near);
});
