import { expect, test } from "vitest";
import { parseEndpoint } from "./endpoint.ts";

const at = (host: string, port: number) => ({ host, port });

test.each([
  ["127.0.0.1:2379", false, "127.0.0.1:2379", at("127.0.0.1", 2379)],
  ["example.com:1", false, "example.com:1", at("example.com", 1)],
  [":2379", false, "localhost:2379", at("localhost", 2379)],
  ["[::1]:2379", false, "[::1]:2379", at("::1", 2379)],
  ["http://127.0.0.1:80", false, "127.0.0.1:80", at("127.0.0.1", 80)],
  ["http://127.0.0.1:80/some/path?x#y", false, "127.0.0.1:80", at("127.0.0.1", 80)],
  ["https://[fe80::1%25eth0]:443", true, "[fe80::1%25eth0]:443", at("fe80::1%25eth0", 443)],
  ["HTTPS://a:65535", true, "a:65535", at("a", 65_535)],
  ["unix:///tmp/a b:0", false, "localhost", { path: "/tmp/a b:0" }],
  ["unix://localhost:1", false, "localhost", { path: "localhost:1" }],
  ["unixs://x", true, "localhost", { path: "x" }],
])("%s", (text, secure, authority, address) => {
  expect(parseEndpoint(text, false)).toEqual({ secure, authority, address });
});

test("TLS is for those that leave it open", () => {
  const secure = (text: string): boolean => parseEndpoint(text, true).secure;
  expect(["a:1", ":1", "https://a:1", "unixs://a"].map(secure)).toEqual([true, true, true, true]);
  expect(["http://a:1", "unix://a"].map(secure)).toEqual([false, false]);
});

test.each([
  ["", "address : missing port in address"],
  ["localhost", "address localhost: missing port in address"],
  ["http://localhost", "address localhost: missing port in address"],
  ["::1:2379", "address ::1:2379: too many colons in address"],
  ["a:b", 'address a:b: invalid port "b"'],
  ["a:", 'address a:: invalid port ""'],
  ["a:65536", 'address a:65536: invalid port "65536"'],
  ["a:1e3", 'address a:1e3: invalid port "1e3"'],
  ["ftp://a:1", 'unknown scheme "ftp" in endpoint ftp://a:1'],
])("%j is none", (text, what) => {
  expect(() => parseEndpoint(text, false)).toThrow(what);
});
