import { expect, test } from "vitest";
import { parseByteSize } from "./byte-size.ts";

test.each([
  ["0", 0],
  ["1048576", 1_048_576],
  ["512MiB", 512 * 2 ** 20],
  ["8gib", 8 * 2 ** 30],
  ["2.5 GB", 2_500_000_000],
  ["1.0000001kB", 1000],
  ["7B", 7],
  ["8TiB", 2 ** 43],
])("%s is %d bytes", (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

test.each(["", "GiB", "-1", "1e9", "1,5GB", "8 Gibi", "1  GB", " 1GB", ".5GB", "0x10", "9999TiB9"])(
  "%j is refused with all units",
  (text) => {
    expect(() => parseByteSize(text)).toThrow(`${JSON.stringify(text)} is no size: `);
    expect(() => parseByteSize(text)).toThrow("KiB, MiB, GiB or TiB");
  },
);

test("a size beyond what counts exactly is refused", () => {
  expect(() => parseByteSize("9007199254740993")).toThrow("is no size");
  expect(() => parseByteSize("9000TiB")).toThrow("is no size");
});
