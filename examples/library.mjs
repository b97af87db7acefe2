import { compare, op, Strata } from "strata";

const store = await Strata.open({ dir: "default.etcd" }); // or { memory: true }

await store.put("/config/color", "blue"); // on the disk when it resolves
const color = await store.get("/config/color");
console.log(color?.value.string(), color?.modRevision); // blue 2n

await store.txn({
  compare: [compare.value("/config/color", "=", "blue")],
  success: [op.put("/config/color", "red"), op.put("/config/shade", "dark")],
});
for await (const { key, value } of store.range({ prefix: "/config/" })) {
  console.log(key.string(), value.string());
}

const { id } = await store.lease.grant(30); // seconds
await store.put("/members/a", "up", { lease: id });

const changes = store.watch({ prefix: "/config/" }, { startRevision: 2 });
for await (const { revision, events } of changes) {
  for (const { type, kv } of events) console.log(type, kv.key.string(), kv.modRevision);
  if (revision >= 3n) break;
}

await store.close(); // a real etcd may start on default.etcd now
