import { expect, test } from "vitest";
import { PageOutput } from "./page-output.ts";

const PAGE_BYTES = 4096;
const PIECE_PAGES = 256;

/** Found by the tutorial, which puts values of 1 MiB and defragments: they changed places with the page after them. */
test.each([
  ["a large page first", [PIECE_PAGES + 1, 1, 2]],
  ["a large page between small ones", [3, PIECE_PAGES + 1, 1]],
  ["large ones in a row", [1, PIECE_PAGES + 1, PIECE_PAGES + 5, 1, PIECE_PAGES, 1]],
  ["a large one last", [PIECE_PAGES, 1, PIECE_PAGES * 2]],
])("pages lie in the order of their ids: %s", (_name, runs) => {
  const file = Buffer.alloc(PAGE_BYTES * 2000);
  let written = 2;
  const output = new PageOutput(PAGE_BYTES, 2, (offset, bytes) => {
    expect(offset).toBe(written * PAGE_BYTES);
    written += bytes.length / PAGE_BYTES;
    file.set(bytes, offset);
  });
  const starts = runs.map((pages) => {
    const { id, bytes, base } = output.room(pages);
    bytes.fill(id % 251, base, base + pages * PAGE_BYTES);
    return id;
  });
  output.flush();
  expect(written).toBe(output.nextId);
  for (const [i, id] of starts.entries()) {
    const end = id + (runs[i] ?? 0);
    const run = file.subarray(id * PAGE_BYTES, end * PAGE_BYTES);
    expect(run.every((byte) => byte === id % 251)).toBe(true);
  }
});
