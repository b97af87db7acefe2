import fc from "fast-check";
import { expect, test } from "vitest";
import { frame } from "../../test/support/fake-stream.ts";
import { hex } from "../base/bytes.ts";
import { MessageReader, type MessageSink } from "./message-reader.ts";

class Sink implements MessageSink {
  readonly messages: string[] = [];
  readonly places: Uint8Array[] = [];
  tooLargeBytes = 0;
  held = 0;
  heldMax = 0;
  limit = Number.POSITIVE_INFINITY;

  message(flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.messages.push(`${flags}:${hex(bytes.subarray(start, end))}`);
    this.places.push(bytes);
    return true;
  }

  tooLarge(lengthBytes: number): void {
    this.tooLargeBytes = lengthBytes;
  }

  holds(bytes: number): boolean {
    if (this.held + bytes > this.limit) return false;
    this.held += bytes;
    this.heldMax = Math.max(this.held, this.heldMax);
    return true;
  }
}

test("messages come back whatever pieces they came in", () => {
  const message = fc.uint8Array({ maxLength: 60_000, size: "max" });
  const small = fc.uint8Array({ maxLength: 20 });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(small, small, message), { maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (messages, cuts) => {
        const all = Buffer.concat(messages.map((one) => frame(one)));
        const places = [...cuts.map((cut) => cut % (all.length + 1)), 0, all.length];
        places.sort((a, b) => a - b);
        const sink = new Sink();
        const reader = new MessageReader(60_000);
        for (let i = 1; i < places.length; i++) {
          reader.push(all, places[i - 1] ?? 0, places[i] ?? 0, sink);
        }
        expect(sink.messages).toEqual(messages.map((one) => `0:${hex(one)}`));
        expect(reader.atBoundary).toBe(true);
        expect(sink.held).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
});

test("what lies whole in the bytes that came is not copied", () => {
  const sink = new Sink();
  const bytes = Buffer.concat([frame("one"), frame(""), frame("three", 1)]);
  new MessageReader(100).push(bytes, 0, bytes.length, sink);
  expect(sink.messages).toEqual(["0:6f6e65", "0:", "1:7468726565"]);
  expect(sink.places.every((place) => place === bytes)).toBe(true);
  expect(sink.heldMax).toBe(0);
});

test("what is only announced takes no memory", () => {
  const sink = new Sink();
  const reader = new MessageReader(1 << 30);
  reader.push(Buffer.from([0, 0x3f, 0, 0, 0, 1, 2, 3]), 0, 8, sink);
  expect(sink.held).toBeLessThan(20_000);
  expect(reader.atBoundary).toBe(false);
  reader.stop(sink);
  expect(sink.held).toBe(0);
});

test("a message that is too large stops everything", () => {
  const sink = new Sink();
  const reader = new MessageReader(3);
  const bytes = Buffer.concat([frame("abc"), frame("abcd"), frame("a")]);
  reader.push(bytes, 0, bytes.length, sink);
  reader.push(bytes, 0, bytes.length, sink);
  expect(sink.messages).toHaveLength(1);
  expect(sink.tooLargeBytes).toBe(4);
});

test("what may not be held is not", () => {
  const sink = new Sink();
  sink.limit = 40_000;
  const reader = new MessageReader(100_000);
  const bytes = frame(Buffer.alloc(90_000));
  for (let at = 0; at < bytes.length; at += 1000) {
    reader.push(bytes, at, Math.min(at + 1000, bytes.length), sink);
  }
  expect(sink.heldMax).toBeLessThanOrEqual(40_000);
  expect(sink.messages).toEqual([]);
});
