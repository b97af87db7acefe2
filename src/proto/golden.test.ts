/** Every entry that real etcd logged: read, and written again, byte for byte. */
import { describe, expect, test } from "vitest";
import { goldenLog, readRecords } from "../../test/support/wal-records.ts";
import { hex } from "../base/bytes.ts";
import { encodeRequest, RequestEncoder } from "./internal-request.ts";
import type { Request } from "./messages.ts";
import { decodeNormalEntry } from "./normal-entry.ts";
import { encodeV2Put } from "./v2-request.ts";

/** How many normal entries of each kind there are: a test that sees nothing must not pass. */
const LOGS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "basic.wal": { noop: 1, v2: 2, put: 8, deleteRange: 1, leaseGrant: 1, txn: 1 },
  "full.wal": {
    noop: 1,
    v2: 2,
    put: 24,
    deleteRange: 5,
    compaction: 2,
    leaseGrant: 2,
    leaseRevoke: 1,
    alarm: 3,
    auth: 13,
  },
  "v35.wal": { noop: 1, v2: 2, put: 9, deleteRange: 1, compaction: 1, leaseGrant: 1, auth: 1 },
  "v36.wal": { noop: 1, clusterMemberAttrSet: 1, clusterVersionSet: 1, put: 8 },
  "members.wal": { noop: 1, v2: 2, put: 1, alarm: 1 },
  "restore.wal": {},
  "wal-segments": { put: 17 },
};

describe.each(Object.keys(LOGS))("%s", (name) => {
  const entries = readRecords(goldenLog(name)).records.flatMap((record) =>
    record.kind === "entry" && record.entry.type === 0 ? [record.entry] : [],
  );

  test("every entry reads, and is written as it was", () => {
    const encoder = new RequestEncoder();
    const kinds: Record<string, number> = {};
    for (const { data, index } of entries) {
      const bytes = hex(data ?? new Uint8Array());
      const entry = decodeNormalEntry(data);
      let kind: Request["kind"] | string = entry.kind;
      if (entry.kind === "unknown") expect.unreachable(`${index}: ${entry.why}`);
      if (entry.kind === "noop") expect(data).toBeUndefined();
      if (entry.kind === "v2") expect(hex(encodeV2Put(entry.put))).toBe(bytes);
      if (entry.kind === "request") {
        kind = entry.logged.request?.kind ?? "none";
        expect(entry.logged.id).not.toBe(0n);
        expect(hex(encodeRequest(entry.logged))).toBe(bytes);
        expect(hex(encoder.encode(entry.logged))).toBe(bytes);
      }
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    }
    expect(kinds).toEqual(LOGS[name]);
  });
});
