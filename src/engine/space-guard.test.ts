import { expect, test } from "vitest";
import { openMemoryMember } from "../../test/support/memory-member.ts";
import { putRequest } from "../api/txn-builder.ts";
import { QUOTA_BYTES_DEFAULT } from "../backend/quota.ts";

test("the quota of a running member can be changed", async () => {
  const lines: string[] = [];
  const member = await openMemoryMember({
    log: ({ message, fields }) => lines.push(`${message} ${JSON.stringify(fields)}`),
  });
  try {
    await member.put(putRequest("k", "x".repeat(10_000)));
    member.setQuota(8192);
    expect(member.status().quotaBytes).toBe(8192);
    await member.backend.commit();
    await expect(member.put(putRequest("k", "v"))).rejects.toThrow("database space exceeded");
    for (const bad of [1.5, Number.NaN, 2 ** 60]) {
      expect(() => member.setQuota(bad)).toThrow("a quota is a whole number");
    }
    member.setQuota(0);
    member.setQuota(QUOTA_BYTES_DEFAULT);
    expect(lines.filter((line) => line.startsWith("the quota was changed"))).toEqual([
      'the quota was changed {"from-bytes":2147483648,"to-bytes":8192}',
      'the quota was changed {"from-bytes":8192,"to-bytes":2147483648}',
    ]);
    member.setQuota(-1);
    expect(member.quota.bytes).toBe(Number.POSITIVE_INFINITY);
  } finally {
    await member.close();
  }
});
