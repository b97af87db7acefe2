/**
 * How many calls does the client make a second, one by one and 100 at a time, and how fast does it read a snapshot?
 *
 *     node dist/bench/client.js --endpoint 127.0.0.1:2379 [--seconds 3]
 *
 * Against any etcd that runs; it puts one key, and reads.
 */
import { parseArgs } from "node:util";
import { Http2Transport } from "../src/client/transport/http2-transport.ts";
import { KV_METHODS } from "../src/proto/tables/kv.ts";
import { MAINTENANCE_METHODS } from "../src/proto/tables/maintenance.ts";
import { encode } from "../src/proto/tables/message-table.ts";

const { values } = parseArgs({
  options: {
    endpoint: { type: "string", default: "127.0.0.1:2379" },
    seconds: { type: "string", default: "3" },
  },
});

const MEBIBYTE = 1024 * 1024;
const durationMs = Number(values.seconds) * 1000;
const key = Buffer.from("bench/client");

await using transport = new Http2Transport({ endpoints: [values.endpoint] });
const put = encode(KV_METHODS.put.input, { key, value: Buffer.alloc(256, "v") });
const range = encode(KV_METHODS.range.input, { key, serializable: true });
await transport.unary(KV_METHODS.put.path, put);

for (const callers of [1, 100]) {
  await unary(callers, durationMs / 3);
  const { perSecond, p50Ms, p99Ms } = await unary(callers, durationMs);
  console.log(
    `get, ${callers} in flight: ${perSecond.toFixed(0)}/s, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`,
  );
}
for (let round = 0; round < 3; round++) await snapshot();

async function unary(
  callers: number,
  forMs: number,
): Promise<{ perSecond: number; p50Ms: number; p99Ms: number }> {
  const took: number[] = [];
  const startMs = performance.now();
  const caller = async (): Promise<void> => {
    for (;;) {
      const beganMs = performance.now();
      if (beganMs - startMs > forMs) return;
      await transport.unary(KV_METHODS.range.path, range, { timeoutMs: 5000 });
      took.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const perSecond = (took.length / (performance.now() - startMs)) * 1000;
  took.sort((a, b) => a - b);
  const at = (part: number): number => took[Math.floor(took.length * part)] ?? 0;
  return { perSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function snapshot(): Promise<void> {
  const startMs = performance.now();
  const before = process.memoryUsage().rss;
  const cpu = process.cpuUsage();
  let bytes = 0;
  let messages = 0;
  let peak = before;
  const stream = transport.stream(MAINTENANCE_METHODS.snapshot.path);
  await stream.send(new Uint8Array(0));
  stream.end();
  for await (const message of stream) {
    bytes += message.length;
    if (messages++ % 256 === 0) peak = Math.max(peak, process.memoryUsage.rss());
  }
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `snapshot: ${(bytes / MEBIBYTE).toFixed(0)} MiB in ${messages} messages, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s, ` +
      `${((user + system) / 1e6).toFixed(2)} s of processor, ${((peak - before) / MEBIBYTE).toFixed(0)} MiB more resident`,
  );
}
