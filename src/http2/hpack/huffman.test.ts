import fc from "fast-check";
import { expect, test } from "vitest";
import { huffmanBytes, huffmanDecode, huffmanDecodedBytesMax, huffmanEncode } from "./huffman.ts";

function encoded(text: string): Buffer {
  const bytes = Buffer.alloc(huffmanBytes(text));
  expect(huffmanEncode(text, bytes, 0)).toBe(bytes.length);
  return bytes;
}

function decoded(bytes: Uint8Array): string | undefined {
  const into = Buffer.alloc(huffmanDecodedBytesMax(bytes.length));
  const length = huffmanDecode(bytes, 0, bytes.length, into);
  return length < 0 ? undefined : into.toString("latin1", 0, length);
}

test("the RFC's examples", () => {
  expect(encoded("www.example.com").toString("hex")).toBe("f1e3c2e5f23a6ba0ab90f4ff");
  expect(encoded("private").toString("hex")).toBe("aec3771a4b");
  expect(decoded(Buffer.from("d07abe941054d444a8200595040b8166e082a62d1bff", "hex"))).toBe(
    "Mon, 21 Oct 2013 20:13:21 GMT",
  );
});

test("any bytes come back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = Buffer.from(bytes).toString("latin1");
      expect(decoded(encoded(text))).toBe(text);
    }),
  );
});

test("each byte comes back alone, and in front of others", () => {
  for (let byte = 0; byte < 256; byte++) {
    const text = String.fromCharCode(byte);
    expect(decoded(encoded(text))).toBe(text);
    expect(decoded(encoded(`${text}0${text}`))).toBe(`${text}0${text}`);
  }
});

test("what decodes is what its text encodes to: there is one code, and one padding", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const text = decoded(bytes);
      if (text !== undefined) expect(encoded(text).equals(bytes)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["padding of zeros", "00", undefined],
  ["a byte of padding", "f1e3c2e5f23a6ba0ab90f4ffff", undefined],
  ["the end of the string in it", "fffffffc", undefined],
  ["padding alone, as long as a byte", "ff", undefined],
  ["nothing", "", ""],
  ["five bits and three of padding", "07", "0"],
])("%s", (_, hex, text) => {
  expect(decoded(Buffer.from(hex, "hex"))).toBe(text);
});
