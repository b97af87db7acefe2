import { expect, test } from "vitest";
import { MemoryFile } from "../../test/support/memory-file.ts";
import { CorruptionError } from "../base/errors.ts";
import { encodeMetaPage, type Meta, readMeta, readMetas } from "./meta.ts";
import { emptyFileImage } from "./page-file.ts";

const META: Meta = { pageBytes: 1024, root: 9, sequence: 7n, freelist: 5, pgid: 12, txid: 40 };

/** A file of pages of that size with these metas; undefined leaves zeros. */
function fileOf(pageBytes: number, metas: readonly (Partial<Meta> | undefined)[]): MemoryFile {
  const bytes = new Uint8Array(8 * pageBytes);
  metas.forEach((meta, page) => {
    if (meta === undefined) return;
    bytes.set(encodeMetaPage({ ...META, pageBytes, ...meta }, page), page * pageBytes);
  });
  return new MemoryFile(bytes);
}

test("a meta reads back as it was written", () => {
  for (const meta of [
    META,
    { ...META, freelist: undefined },
    { ...META, sequence: 2n ** 64n - 1n, txid: 2 ** 53 - 2 },
  ]) {
    expect(readMeta(encodeMetaPage(meta, 0))).toEqual({ kind: "valid", meta });
  }
});

test("a new file has bbolt's checksums", () => {
  const image = emptyFileImage(4096);
  const hexAt = (at: number): string =>
    Buffer.from(image.slice(at, at + 8).reverse()).toString("hex");
  expect(hexAt(72)).toBe("07516e114689fdee");
  expect(hexAt(4096 + 72)).toBe("264c351a5179480f");
});

test("faults are found in bbolt's order: magic, version, checksum", () => {
  const whole = encodeMetaPage(META, 0);
  const errorAt = (offset: number): unknown => {
    const image = whole.slice();
    image[offset] = (image[offset] as number) ^ 1;
    return readMeta(image);
  };
  expect(errorAt(16)).toMatchObject({ error: "invalid database", offsetBytes: 16 });
  expect(errorAt(20)).toMatchObject({ error: "version mismatch", offsetBytes: 20 });
  for (const offset of [24, 28, 32, 40, 48, 56, 64, 71, 72, 79]) {
    expect(errorAt(offset)).toMatchObject({ error: "checksum error", offsetBytes: 72 });
  }
  for (const offset of [0, 8, 10, 12, 80, 1000])
    expect(errorAt(offset)).toMatchObject({ kind: "valid" });
});

test("the meta with the higher txid is in force; page 0's when they are equal; the other one when it is broken", () => {
  const active = (...metas: readonly (Partial<Meta> | undefined)[]): unknown => {
    const { activePage, active: meta } = readMetas(fileOf(1024, metas));
    return [activePage, meta.root];
  };
  expect(active({ txid: 4, root: 10 }, { txid: 5, root: 11 })).toEqual([1, 11]);
  expect(active({ txid: 6, root: 10 }, { txid: 5, root: 11 })).toEqual([0, 10]);
  expect(active({ txid: 5, root: 10 }, { txid: 5, root: 11 })).toEqual([0, 10]);
  expect(active(undefined, { txid: 5, root: 11 })).toEqual([1, 11]);
  expect(active({ txid: 4, root: 10 }, undefined)).toEqual([0, 10]);
});

test("without a valid meta the error is that of page 0", () => {
  const file = fileOf(4096, [{}, {}]);
  file.write(20, Uint8Array.of(3));
  file.write(4096 + 16, Uint8Array.of(0));
  expect(() => readMetas(file)).toThrow(CorruptionError);
  expect(() => readMetas(file)).toThrow("version mismatch");
});

test.each([1024, 2048, 4096, 8192, 16_384, 32_768, 65_536])(
  "pages of %i bytes are found when meta 0 is broken",
  (pageBytes) => {
    const { pageBytes: found, active } = readMetas(fileOf(pageBytes, [undefined, { txid: 5 }]));
    expect([found, active.txid]).toEqual([pageBytes, 5]);
  },
);

test("a meta is not looked for in the last KiB of a file, as bbolt does not", () => {
  const short = fileOf(1024, [undefined, { txid: 5 }]).bytes.slice(0, 2048);
  expect(() => readMetas(new MemoryFile(short))).toThrow("invalid database");
});

test("a file without room for two pages is too small", () => {
  const bytes = fileOf(4096, [{}, {}]).bytes.slice(0, 5000);
  expect(() => readMetas(new MemoryFile(bytes))).toThrow("file size too small 5000");
  expect(() => readMetas(new MemoryFile(new Uint8Array(10)))).toThrow("invalid database");
});
