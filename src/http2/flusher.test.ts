/** When what is written leaves: together, once per wake-up. */
import { expect, test } from "vitest";
import { POST } from "../../test/support/http2-peer.ts";
import { HEAD, listening, pair, TRAILERS } from "../../test/support/http2-rig.ts";

test("the replies of one batch leave in one write, on each connection", async () => {
  const pairs = [pair(listening()), pair(listening())];
  const chunks = pairs.map(() => [] as number[]);
  for (const [i, { peer }] of pairs.entries()) {
    peer.greet();
    for (let id = 1; id < 20; id += 2) peer.request(id, POST);
    await peer.ping();
    peer.socket.on("data", (chunk: Buffer) => chunks[i]?.push(chunk.length));
  }
  // As after a group commit: each caller goes on in a microtask of its own, some a few later than others.
  const commit = Promise.resolve();
  await Promise.all(
    pairs.flatMap(({ seen }) =>
      seen.map(async ({ stream }, i) => {
        for (let later = 0; later <= i; later++) await commit;
        stream.respond(HEAD, [new Uint8Array(5)], TRAILERS);
      }),
    ),
  );
  await Promise.all(pairs.map(({ peer }) => peer.ended(19)));
  expect(chunks.map(({ length }) => length)).toEqual([1, 1]);
  for (const { connection } of pairs) connection.destroy();
});

test("many replies leave in groups, and nobody's is forgotten", async () => {
  const pairs = Array.from({ length: 5 }, () => pair(listening()));
  const order: number[] = [];
  for (const [i, { peer }] of pairs.entries()) {
    peer.greet();
    for (let id = 1; id < 40; id += 2) peer.request(id, POST);
    await peer.ping();
    peer.socket.on("data", () => order.push(i));
  }
  // Twenty on each of five: the first group is through in the midst of the second connection's.
  const written = pairs.map(({ connection }) => connection.bytesOut);
  const behind: number[] = [];
  for (const [i, { seen }] of pairs.entries()) {
    for (const { stream } of seen) stream.respond(HEAD, [new Uint8Array(5)], TRAILERS);
    const before = written[i] ?? 0;
    behind.push((pairs[i]?.connection.bytesOut ?? 0) - before);
  }
  expect(behind[0]).toBe(0);
  expect(behind[1]).toBeGreaterThan(0);
  expect(pairs[0]?.connection.bytesOut).toBeGreaterThan(written[0] ?? 0);
  await Promise.all(pairs.map(({ peer }) => peer.ended(39)));
  expect(new Set(order)).toEqual(new Set([0, 1, 2, 3, 4]));
  for (const { connection } of pairs) connection.destroy();
});
