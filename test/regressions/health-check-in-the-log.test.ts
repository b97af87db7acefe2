/**
 * etcd 3.4 answers GET /health by sending a read through the log, a QGET of the v2 API. A log of an etcd that somebody
 * had asked for its health was taken for corrupt.
 */
import { expect, test } from "vitest";
import { decodeNormalEntry } from "../../src/proto/normal-entry.ts";

/** As etcd 3.4.23 wrote it. */
const QGET = Buffer.from(
  "0885b0f3d1b1c0a8c0ab011204514745541a0022002800320038004800500058006000680070007800800100",
  "hex",
);

test.each(["QGET", "SYNC"])("%s of the v2 API has no effect, and is no fault", (method) => {
  const data = Buffer.from(QGET.toString("latin1").replace("QGET", method), "latin1");
  expect(decodeNormalEntry(data)).toEqual({ kind: "noop" });
});

test("other methods are none that a member of its own can have logged", () => {
  const data = Buffer.from(QGET.toString("latin1").replace("QGET", "POST"), "latin1");
  expect(decodeNormalEntry(data)).toMatchObject({ kind: "unknown" });
});
