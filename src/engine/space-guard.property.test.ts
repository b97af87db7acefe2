/** A quota that goes by what can be allocated, under whatever is done to the database. */
import { expect, test } from "vitest";
import { openMemoryMember } from "../../test/support/memory-member.ts";
import { deleteRequest, putRequest } from "../api/txn-builder.ts";
import { costOf } from "../backend/quota.ts";
import { rng } from "../testing/rng.ts";
import { liveBytes, worthwhileBytes } from "./space-remedy.ts";

const QUOTA_BYTES = 512 * 1024;

test.each([1, 2, 3])("NOSPACE only without room, and a bounded file: seed %i", async (seed) => {
  const random = rng(seed);
  const member = await openMemoryMember({
    quotaBytes: QUOTA_BYTES,
    quotaMode: "allocatable",
    autoDisarm: true,
  });
  let refused = 0;
  let put = 0;
  let largest = 0;
  for (let i = 0; i < 1500; i++) {
    const what = random.int(100);
    const key = `k${random.int(40)}`;
    if (what < 85) {
      const request = putRequest(key, "x".repeat(random.int(what < 8 ? 60_000 : 3000)));
      try {
        await member.put(request);
        put++;
      } catch (error) {
        expect(error).toMatchObject({ code: "NO_SPACE" });
        refused++;
        const use = member.space.use();
        const left = QUOTA_BYTES - liveBytes(use) - use.bufferedBytes;
        expect(left).toBeLessThanOrEqual(
          Math.max(QUOTA_BYTES / 8, costOf(request), worthwhileBytes(member.quota)),
        );
      }
    } else if (what < 95) await member.deleteRange(deleteRequest(key));
    else if (what < 97) await member.backend.commit();
    else if (random.int(4) === 0 && member.store.currentRevision > member.store.compactedRevision) {
      const { currentRevision: revision } = member.store;
      await member.compact({ kind: "compaction", revision, physical: true });
    }
    largest = Math.max(largest, member.backend.space.sizeBytes);
  }
  expect([refused > 0, put > 400]).toEqual([true, true]);
  expect(largest).toBeLessThan(2 * QUOTA_BYTES);
  await member.close();
});
