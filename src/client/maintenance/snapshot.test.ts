/** Snapshots as they come: whole, cut short, changed on the way, and given up. */
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { FakeTransport } from "../../../test/support/fake-transport.ts";
import type { Progress } from "../../jobs/progress.ts";
import { SNAPSHOT_RESPONSE } from "../../proto/tables/maintenance.ts";
import { encode } from "../../proto/tables/message-table.ts";
import { Rpc } from "../rpc.ts";
import type { MessageStream } from "../transport/transport.ts";
import { openSnapshot } from "./snapshot.ts";

const database = randomBytes(512 * 9);
const checksum = createHash("sha256").update(database).digest();
const whole = Buffer.concat([database, checksum]);

class FakeServer {
  cancelled = 0;
  asked = 0;

  /** @param blobs  undefined: nothing comes any more, and the stream stays open */
  rpc(blobs: readonly (Uint8Array | undefined)[], version = ""): Rpc {
    let left = blobs.reduce((sum, blob) => sum + (blob?.length ?? 0), 0) - checksum.length;
    const server = this;
    let cancelled = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    const stream: MessageStream = {
      send: async () => undefined,
      end: () => undefined,
      cancel: () => {
        this.cancelled++;
        cancelled();
      },
      async *[Symbol.asyncIterator]() {
        for (const blob of blobs) {
          server.asked++;
          if (blob === undefined) return over;
          left -= blob.length;
          const remainingBytes = BigInt(Math.max(left, 0));
          yield encode(SNAPSHOT_RESPONSE, { remainingBytes, blob, version });
        }
      },
    };
    const transport = new FakeTransport();
    transport.stream = () => stream;
    return new Rpc(transport);
  }
}

async function take(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += length) pieces.push(bytes.subarray(at, at + length));
  return pieces;
}

describe("a snapshot from a server", () => {
  test.each([1, 7, 31, 32, 33, 1000, 5000])("in pieces of %i bytes", async (length) => {
    const reports: Progress[] = [];
    const pieces = [...cut(database, length), ...cut(checksum, length)];
    const rpc = new FakeServer().rpc(pieces, "3.6.0");
    const onProgress = (progress: Progress): number => reports.push(progress);
    const snapshot = await openSnapshot(rpc, { onProgress });
    expect([snapshot.version, snapshot.sizeBytes]).toEqual(["3.6.0", whole.length]);
    expect(await take(snapshot)).toEqual(whole);
    expect(snapshot.remainingBytes).toBe(0);
    expect(reports.at(-1)).toMatchObject({ done: whole.length, total: whole.length });
  });

  test.each([
    ["a byte changed", Buffer.concat([Buffer.from([1]), whole.subarray(1)])],
    ["a sector missing", whole.subarray(512)],
    ["the checksum missing", database],
    ["its end missing", whole.subarray(0, -1)],
    ["nothing but a checksum of something", checksum],
  ])("%s: it throws before its last piece", async (_, bytes) => {
    const server = new FakeServer();
    const snapshot = await openSnapshot(server.rpc(cut(bytes, 1000)));
    const seen: Uint8Array[] = [];
    const taking = (async () => {
      for await (const piece of snapshot) seen.push(piece);
    })();
    await expect(taking).rejects.toMatchObject({ code: "CORRUPT" });
    expect(Buffer.concat(seen).length).toBeLessThan(bytes.length);
    expect(server.cancelled).toBeGreaterThan(0);
  });

  test("nothing at all", async () => {
    await expect(openSnapshot(new FakeServer().rpc([]))).rejects.toThrow(
      "sha256 checksum not found [bytes: 0]",
    );
  });

  test("whoever does not take it does not ask the server for more", async () => {
    const server = new FakeServer();
    const snapshot = await openSnapshot(server.rpc(cut(whole, 100)));
    await snapshot.next();
    await snapshot.next();
    expect(server.asked).toBe(3);
    await snapshot.close();
    expect(server.cancelled).toBeGreaterThan(0);
    expect(await snapshot.next()).toEqual({ done: true, value: undefined });
  });

  test("closed before, and while, a piece is waited for", async () => {
    const server = new FakeServer();
    const unread = await openSnapshot(server.rpc([database, undefined]));
    await unread.close();
    expect(server.cancelled).toBe(1);
    const waited = await openSnapshot(server.rpc([database, undefined]));
    const next = waited.next();
    await waited.close();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
