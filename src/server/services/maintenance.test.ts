/** Maintenance.Defragment, and a caller who does not wait for it. */
import { expect, test } from "vitest";
import { MemoryTree } from "../../../native-free/memory-tree.ts";
import { callFake, startFake } from "../../../test/support/fake-call.ts";
import { openMemoryMember } from "../../../test/support/memory-member.ts";
import { putRequest } from "../../api/txn-builder.ts";
import { nextTurn } from "../../base/turn.ts";
import type { EngineEvent } from "../../engine/log.ts";
import { longTailServices } from "./long-tail.ts";
import { ServiceContext } from "./service-context.ts";

test("Defragment that its caller gives up is cancelled, leaves no copy, and the next one is done", async () => {
  const disk = new MemoryTree();
  const events: EngineEvent[] = [];
  const member = await openMemoryMember({ disk, log: (event) => events.push(event) });
  const context = new ServiceContext(member);
  const services = longTailServices(context);
  const service = services.find(({ name }) => name === "etcdserverpb.Maintenance");
  if (service === undefined) throw new Error("there is no such service");
  const value = "x".repeat(50_000);
  for (let i = 0; i < 100; i++) await member.put(putRequest(`k${i % 50}`, value));
  const revision = member.store.currentRevision;
  await member.compact({ kind: "compaction", revision, physical: true });
  const names = (): readonly string[] => disk.folder("member").folder("snap").list();
  const before = names();

  const call = startFake(service, "Defragment", new Uint8Array());
  while (names().length === before.length) await nextTurn();
  // As a deadline does, and a connection that ends.
  call.cancel();
  await member.jobs.settled();
  expect(member.jobs.finished().at(-1)).toMatchObject({
    kind: "defragmentation",
    outcome: "cancelled",
  });
  expect(names()).toEqual(before);
  expect(events.filter(({ level }) => level !== "info")).toEqual([]);

  await member.put(putRequest("k0", "after"));
  const sizeBytes = member.status().sizeBytes;
  const again = await callFake(service, "Defragment", new Uint8Array());
  expect(again).toMatchObject({ code: 0 });
  expect(member.status().sizeBytes).toBeLessThan(sizeBytes);
  context.timeout.close();
  await member.close();
});
