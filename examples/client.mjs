import { Client, compare, op } from "strata/client";

const client = new Client({ endpoints: process.argv[2] ?? "127.0.0.1:2379" });

await client.put("/config/color", "blue");
const color = await client.get("/config/color");
console.log(color?.value.string()); // blue

const changes = client.watch({ prefix: "/config/" }); // through lost connections and restarts
await changes.created; // what is written from here on is seen
await client.txn({
  compare: [compare.value("/config/color", "=", "blue")],
  success: [op.put("/config/color", "red"), op.put("/config/shade", "dark")],
});
for await (const { events } of changes) {
  for (const { type, kv } of events) console.log(type, kv.key.string(), kv.value.string());
  break;
}

const lease = await client.lease.hold(10); // seconds; kept alive until it is released
await client.put("/members/a", "up", { lease: lease.id });
const lock = await client.lock("nightly-report"); // as `etcdctl lock` does
console.log(await client.count({ prefix: "/members/" }), lock.lost.aborted); // 1 false

await lock.release();
await lease.release(); // revokes it: /members/a is gone
await client.close();
