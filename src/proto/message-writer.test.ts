import { expect, test } from "vitest";
import { MessageWriter } from "./message-writer.ts";

test.each([
  ["short", 10, 1],
  ["long, in one field", 100_000, 1],
  ["long, in many fields", 1000, 300],
])(
  "what is taken to be kept is nobody else's, and in memory of about its size: %s",
  (_, bytes, fields) => {
    const writer = new MessageWriter();
    const value = new Uint8Array(bytes).fill(7);
    const write = (): Uint8Array => {
      writer.clear();
      for (let i = 0; i < fields; i++) writer.bytes(2, value);
      writer.int64(1, 5);
      return writer.takeOwn();
    };
    const first = write();
    const before = Buffer.from(first);
    value.fill(9);
    const second = write();
    expect(before.equals(first)).toBe(true);
    expect(Buffer.from(second).equals(before)).toBe(false);
    expect(first.length).toBe(second.length);
    expect(first.buffer.byteLength).toBeLessThanOrEqual(1.25 * first.length);
  },
);
