import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { writeAll } from "./print.ts";

/** A reader that takes its time. */
class SlowSink extends Writable {
  bytes = 0;
  writes = 0;
  highest = 0;

  constructor() {
    super({ highWaterMark: 16 * 1024 });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes++;
    this.bytes += chunk.length;
    this.highest = Math.max(this.highest, this.writableLength);
    setImmediate(done);
  }
}

const PIECES = 50_000;
const PIECE = "x".repeat(100);

function* pieces(): Generator<string, void> {
  for (let i = 0; i < PIECES; i++) yield PIECE;
}

test("many small pieces are few writes, and no more is held than the reader has taken", async () => {
  const sink = new SlowSink();
  await writeAll(sink, pieces());
  expect(sink.bytes).toBe(PIECES * PIECE.length);
  expect(sink.writes).toBeLessThan(100);
  expect(sink.highest).toBeLessThan(128 * 1024);
});

test("pieces may come one by one", async () => {
  const sink = new SlowSink();
  const later = async function* (): AsyncGenerator<string, void> {
    yield* pieces();
  };
  await writeAll(sink, later());
  expect(sink.bytes).toBe(PIECES * PIECE.length);
});

test("a reader that goes away ends it", async () => {
  const sink = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => done(new Error("EPIPE")),
  });
  await expect(writeAll(sink, pieces())).rejects.toThrow("EPIPE");
});

test("nothing is written for nothing", async () => {
  const sink = new SlowSink();
  await writeAll(sink, ["", new Uint8Array(0)]);
  expect(sink.writes).toBe(0);
});
