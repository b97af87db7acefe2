import { expect, test } from "vitest";
import { Extent } from "./extent.ts";
import { rng } from "./rng.ts";

function bytesOf(extent: Extent): Uint8Array {
  const into = new Uint8Array(extent.size).fill(0xee);
  expect(extent.read(0, into)).toBe(extent.size);
  return into;
}

/** The same, without chunks. */
class Plain {
  bytes = new Uint8Array();

  truncate(size: number): void {
    const next = new Uint8Array(size);
    next.set(this.bytes.subarray(0, size));
    this.bytes = next;
  }

  write(offset: number, bytes: Uint8Array): void {
    if (bytes.length > 0) this.truncate(Math.max(this.bytes.length, offset + bytes.length));
    this.bytes.set(bytes, bytes.length > 0 ? offset : 0);
  }

  zero(from: number, to: number): void {
    this.bytes.fill(0, from, to);
  }
}

test.each([1, 2, 3, 4])(
  "random changes agree with a plain array, copies stay apart, seed %i",
  (seed) => {
    const r = rng(seed);
    let extent = new Extent();
    const plain = new Plain();
    const copies: { extent: Extent; bytes: Uint8Array }[] = [];
    for (let step = 0; step < 300; step++) {
      const at = r.int(100_000);
      const what = r.int(10);
      if (what < 5) {
        const bytes = r.bytes(r.int(r.bool(0.2) ? 40_000 : 600));
        extent.write(at, bytes);
        plain.write(at, bytes);
      } else if (what < 7) {
        extent.truncate(at);
        plain.truncate(at);
      } else if (what < 8) {
        const to = at + r.int(40_000);
        extent.zero(at, to);
        plain.zero(at, to);
      } else {
        const copy = extent.copy();
        copies.push({ extent: copy, bytes: plain.bytes.slice() });
        if (r.bool()) {
          copies.push({ extent, bytes: plain.bytes.slice() });
          extent = copy.copy(); // Go on with the copy: neither side may be the one that counts.
        }
      }
      expect(extent.size).toBe(plain.bytes.length);
      expect(Buffer.compare(bytesOf(extent), plain.bytes)).toBe(0);
    }
    expect(copies.length).toBeGreaterThan(20);
    for (const copy of copies) expect(Buffer.compare(bytesOf(copy.extent), copy.bytes)).toBe(0);
  },
);
