/**
 * Takes a snapshot as slowly as it is told: `slow-receiver.js URL BYTES_PER_SECOND`, until the snapshot or the process
 * ends. Windows are those that Go's client begins with, so that the server cannot hand over more than is taken.
 */
import { connect } from "node:http2";

const WINDOW_BYTES = 1024 * 1024;
const EMPTY_MESSAGE = Buffer.alloc(5);
const STEP_MS = 5;

const [url = "", rate = ""] = process.argv.slice(2);
const bytesPerMs = Number(rate) / 1000;
const session = connect(url, { settings: { initialWindowSize: WINDOW_BYTES } });
session.on("connect", () => session.setLocalWindowSize(WINDOW_BYTES));
const stream = session.request({
  ":method": "POST",
  ":path": "/etcdserverpb.Maintenance/Snapshot",
  "content-type": "application/grpc",
  te: "trailers",
});
const startMs = performance.now();
let taken = 0;
stream.on("data", (bytes: Buffer) => {
  taken += bytes.length;
  const earlyMs = taken / bytesPerMs - (performance.now() - startMs);
  if (earlyMs < STEP_MS) return;
  stream.pause();
  setTimeout(() => stream.resume(), earlyMs);
});
let status: string | undefined;
stream.on("trailers", (trailers) => {
  status = String(trailers["grpc-status"]);
});
stream.end(EMPTY_MESSAGE);
await new Promise((resolve, reject) => {
  stream.once("close", resolve);
  stream.once("error", reject);
  session.once("error", reject);
});
session.close();
if (status !== "0" || taken === 0) throw new Error(`status ${status} after ${taken} bytes`);
