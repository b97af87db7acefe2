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
