import { expect, test } from "vitest";
import { rng } from "../../../test/support/rng.ts";
import { framed, MessageAssembler } from "./message-assembler.ts";

test("messages come out as they went in, however the bytes are cut", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = rng(seed);
    const messages = Array.from({ length: 20 }, () =>
      Buffer.alloc(random.int(4) === 0 ? 0 : random.int(300), random.int(256)),
    );
    const body = Buffer.concat(messages.map(framed));
    const assembler = new MessageAssembler(300, "");
    const seen: Uint8Array[] = [];
    for (let at = 0; at < body.length; ) {
      const end = at + 1 + random.int(seed * 3);
      assembler.push(body.subarray(at, end), (message) => seen.push(message));
      at = end;
    }
    expect(seen.map(({ length }) => length)).toEqual(messages.map(({ length }) => length));
    expect(Buffer.compare(Buffer.concat(seen), Buffer.concat(messages))).toBe(0);
    expect(assembler.isBetweenMessages).toBe(true);
    expect(seen.every((one) => one.buffer.byteLength === one.length)).toBe(true);
  }
});

test("a message that is announced and does not come takes no memory", () => {
  const assembler = new MessageAssembler(2 ** 31 - 1, "");
  const prefix = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]);
  const before = process.memoryUsage().arrayBuffers;
  assembler.push(prefix, () => expect.unreachable());
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  expect(assembler.isBetweenMessages).toBe(false);
});
