import { afterEach, expect, test } from "vitest";
import { openMemoryMember } from "../../test/support/memory-member.ts";
import { rng } from "../../test/support/rng.ts";
import { deleteRequest, putRequest } from "../api/txn-builder.ts";
import { FINISHED_COMPACT_REV, KEY, META, SCHEDULED_COMPACT_REV } from "../backend/buckets.ts";
import { readRevision } from "../backend/revision.ts";
import type { ReadTx } from "../pagefile/tx.ts";
import type { JobReport } from "./jobs.ts";
import type { Member, MemberOptions } from "./member.ts";

const open: Member[] = [];

async function opened(options: Partial<MemberOptions> = {}): Promise<Member> {
  const member = await openMemoryMember(options);
  open.push(member);
  return member;
}

afterEach(async () => {
  for (const member of open.splice(0)) await member.close();
});

async function putAll(member: Member, keys: number, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const puts = Array.from({ length: keys }, (_, i) =>
      member.put(putRequest(`k${i}`, `${round}`.repeat(50))),
    );
    await Promise.all(puts);
  }
}

function compact(member: Member, revision: number, physical = true): Promise<void> {
  return member.compact({ kind: "compaction", revision, physical });
}

/** Of bucket key, as "main_sub" with a t behind that of a tombstone. */
function recordsOf(view: ReadTx): string[] {
  const records: string[] = [];
  const cursor = view.bucket(KEY)?.cursor();
  for (let more = cursor?.first(); more && cursor !== undefined; more = cursor.next()) {
    const revision = readRevision(cursor.key());
    records.push(`${revision?.main}_${revision?.sub}${revision?.tombstone ? "t" : ""}`);
  }
  return records;
}

function rowsOf(member: Member): (number | undefined)[] {
  const meta = member.backend.view.bucket(META);
  return [SCHEDULED_COMPACT_REV, FINISHED_COMPACT_REV].map((name) => {
    const row = meta?.get(name);
    return row && readRevision(row)?.main;
  });
}

/** What was reported of the compaction while `work` went on. */
async function reportsDuring(member: Member, work: Promise<unknown>): Promise<JobReport[]> {
  const reports: JobReport[] = [];
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  while (!over) {
    for (const report of member.jobs.list()) {
      if (report.kind !== "compaction") continue;
      expect(() => member.jobs.cancel(report.id)).toThrow(/cannot be cancelled/);
      reports.push(report);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  return reports;
}

test("it says how far it is in records, and cannot be cancelled", async () => {
  const member = await opened({ compaction: { batchLimit: 100, sleepMs: 0 } });
  await putAll(member, 50, 20);
  await compact(member, 200);
  await putAll(member, 50, 10);
  const reports = await reportsDuring(member, compact(member, 1400));
  const records = reports.filter(({ phase }) => phase === "records");
  expect(records.length).toBeGreaterThan(3);
  // From 2 to 1400, without what was given up before.
  const before = 199 - 50;
  for (const report of records) {
    expect(report).toMatchObject({ unit: "records", canBeCancelled: false, total: 1399 - before });
    expect(report.done).toBeLessThanOrEqual(report.total);
  }
  // The last step ends the job.
  expect(records.at(-1)?.done).toBeGreaterThanOrEqual(1399 - before - 100);
  expect(member.jobs.list()).toEqual([]);
});

test("many at once: all are waited for, and the disk has what the last one keeps", async () => {
  const member = await opened({ compaction: { batchLimit: 20, sleepMs: 0 } });
  await putAll(member, 10, 40);
  const ended: number[] = [];
  const revisions = [50, 100, 101, 250, 300];
  await Promise.all(
    revisions.map(async (revision) => {
      await compact(member, revision);
      ended.push(revision);
      // Gone from the disk, whichever did it.
      const records = recordsOf(member.backend.view);
      const kept = records.filter((record) => Number.parseInt(record, 10) <= revision);
      expect(kept.length).toBeLessThanOrEqual(10);
      expect(rowsOf(member)).toEqual([300, expect.any(Number)]);
    }),
  );
  expect(ended.sort((a, b) => a - b)).toEqual(revisions);
  expect(rowsOf(member)).toEqual([300, 300]);
  expect(recordsOf(member.backend.view)).toHaveLength(10 + 101);
});

test("whoever reads a commit from before sees all of it until the end", async () => {
  const member = await opened({ compaction: { batchLimit: 64, sleepMs: 0 } });
  const random = rng(3);
  await putAll(member, 40, 30);
  for (let i = 0; i < 40; i += 3) await member.deleteRange(deleteRequest(`k${i}`));
  await member.backend.commit();
  const pin = member.backend.pin("test");
  const view = member.backend.viewAt(pin);
  const before = recordsOf(view);
  view.close();
  const compacting = compact(member, member.store.currentRevision);
  // Pages that were given up would be written to by these.
  for (let i = 0; i < 30; i++) {
    await member.put(putRequest(`k${random.int(40)}`, "y".repeat(3000)));
    await member.backend.commit();
  }
  await compacting;
  const again = member.backend.viewAt(pin);
  expect(recordsOf(again)).toEqual(before);
  again.close();
  pin.release();
});

test("a step that finds nothing to delete is no commit", async () => {
  const member = await opened({ compaction: { batchLimit: 10, sleepMs: 0 } });
  await putAll(member, 100, 1);
  await member.backend.commit();
  const before = member.backend.space;
  const { txid } = member.backend.view.meta;
  await compact(member, member.store.currentRevision);
  // What was scheduled, and that it is finished.
  expect(member.backend.view.meta.txid).toBeLessThanOrEqual(txid + 2);
  expect(member.backend.space.sizeBytes).toBeLessThanOrEqual(before.sizeBytes + 10 * 4096);
  expect(recordsOf(member.backend.view)).toHaveLength(100);
});
