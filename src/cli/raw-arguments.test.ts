import { expect, test } from "vitest";
import { rawArguments } from "./raw-arguments.ts";

const line = (...args: Buffer[]): Buffer =>
  Buffer.concat(args.flatMap((arg) => [arg, Buffer.of(0)]));
const nothing = (): Uint8Array => {
  throw new Error("not to be read");
};

test("the system is asked only where something was replaced", () => {
  expect(rawArguments(["get", "grüße", ""], nothing)).toEqual(["get", "grüße", ""]);
});

test("bytes that are no UTF-8 are kept", () => {
  const found = line(
    Buffer.from("node"),
    Buffer.from("etcdctl.js"),
    Buffer.from("put"),
    Buffer.of(0x6b, 0xff),
    Buffer.of(),
    Buffer.from("\ufffd"),
  );
  expect(rawArguments(["put", "k\ufffd", "", "\ufffd"], () => found)).toEqual([
    "put",
    "k\udcff",
    "",
    "\ufffd",
  ]);
});

test("another command line, or none, changes nothing", () => {
  expect(rawArguments(["a\ufffd"], () => line(Buffer.of(0x62, 0xff)))).toEqual(["a\ufffd"]);
  expect(rawArguments(["a\ufffd"], nothing)).toEqual(["a\ufffd"]);
  expect(rawArguments(["a\ufffd", "b"], () => line(Buffer.of(0x61, 0xff)))).toEqual([
    "a\ufffd",
    "b",
  ]);
});
