import { expect, test } from "vitest";
import { CallCounts } from "./call-counts.ts";
import { codeName } from "./status.ts";

test("every method is there from the start", () => {
  const counts = new CallCounts([
    {
      name: "a.B",
      methods: {
        One: { kind: "unary", handle: () => {} },
        Two: { kind: "serverStream", handle: () => {} },
      },
    },
  ]);
  expect(counts.methods.map(({ service, method, type }) => [service, method, type])).toEqual([
    ["a.B", "One", "unary"],
    ["a.B", "Two", "server_stream"],
  ]);
  expect(counts.methods[0]?.handled).toEqual(new Array(17).fill(0));
});

test("clients cannot make up versions without end", () => {
  const counts = new CallCounts([]);
  for (let i = 0; i < 1000; i++) counts.clientsOf("unary", `3.${i}`).requests++;
  expect(counts.clients.length).toBeLessThan(110);
  expect(counts.clients.reduce((sum, { requests }) => sum + requests, 0)).toBe(1000);
  expect(counts.clientsOf("unary", "3.0")).toBe(counts.clientsOf("unary", "3.0"));
});

test("codes are named as metrics name them", () => {
  expect([0, 1, 5, 16, 17].map(codeName)).toEqual([
    "OK",
    "Canceled",
    "NotFound",
    "Unauthenticated",
    "Code(17)",
  ]);
});
