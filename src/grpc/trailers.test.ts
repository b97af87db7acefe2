import fc from "fast-check";
import { expect, test } from "vitest";
import { onlyTrailers, percentEncoded, statusTrailers } from "./trailers.ts";

test("any text comes back, and goes as printable ASCII", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const encoded = percentEncoded(text);
      expect(encoded).toMatch(/^[ -~]*$/);
      expect(decodeURIComponent(encoded)).toBe(Buffer.from(text).toString());
    }),
  );
});

test("as etcd has it", () => {
  expect(percentEncoded("etcdserver: 100% ü\n")).toBe("etcdserver: 100%25 %C3%BC%0A");
});

test("a status that comes again is the same list", () => {
  const status = statusTrailers(11, "etcdserver: mvcc: required revision has been compacted");
  expect(status).toBe(statusTrailers(11, "etcdserver: mvcc: required revision has been compacted"));
  for (let i = 0; i < 1000; i++) statusTrailers(2, `made up ${i}`);
  expect(statusTrailers(2, "made up 3")).toEqual([
    ["grpc-status", "2"],
    ["grpc-message", "made up 3"],
  ]);
  expect(onlyTrailers(200, "application/grpc", 5, "")).toEqual([
    [":status", "200"],
    ["content-type", "application/grpc"],
    ["grpc-status", "5"],
  ]);
});
