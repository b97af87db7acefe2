import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { SystemDirectory } from "../../native-free/file.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { goldenPath } from "../../test/support/golden.ts";
import {
  contentOf,
  decoded,
  goldenLog,
  type LogRecord,
  readRecords,
  replay,
} from "../../test/support/wal-records.ts";
import { decodeV2Put, encodeV2Put } from "../proto/v2-request.ts";
import { decodeConfChange, encodeConfChange, encodeMemberContext } from "./conf-change.ts";
import { encodeEntry } from "./entry.ts";
import { encodeHardState } from "./hard-state.ts";
import { decodeMetadata, encodeMetadata } from "./metadata.ts";
import { readLog, validSnapshots } from "./reader.ts";
import { encodeSnapshotRecord } from "./snapshot-record.ts";
import { createWal, openWal } from "./wal.ts";

const LOGS = [
  "basic.wal",
  "full.wal",
  "restore.wal",
  "members.wal",
  "v35.wal",
  "v36.wal",
  "wal-segments",
];
const START = { index: 0, term: 0 };

describe("logs that etcd wrote read as etcd reads them", () => {
  test("wal-segments: every figure of the fixture", () => {
    const directory = goldenLog("wal-segments");
    expect(validSnapshots(directory)).toEqual([START, { index: 9, term: 1 }]);

    const all = readLog(directory, START, "read");
    expect(all.entries.map(({ index }) => index)).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
    expect(all.entries.at(-1)?.term).toBe(2);
    expect(all.entries.at(-2)?.term).toBe(1);
    expect(all.hardState).toEqual({ term: 2, vote: 9n, commit: 16 });
    expect(all.end.crc).toBe(0xf54791e4);
    expect(all.end).toMatchObject({
      offsetBytes: 168,
      torn: undefined,
      garbageOffsetBytes: undefined,
    });
    expect(decodeMetadata(all.metadata ?? new Uint8Array())).toEqual({
      nodeId: 0x1111n,
      clusterId: 0x2222n,
    });

    const later = readLog(directory, { index: 9, term: 1 }, "read");
    expect(later.entries.map(({ index }) => index)).toEqual([10, 11, 12, 13, 14, 15, 16]);
    expect(() => readLog(directory, { index: 9, term: 7 }, "read")).toThrow(
      expect.objectContaining({ fault: "snapshot-mismatch", code: "CORRUPT" }),
    );
    expect(() => readLog(directory, { index: 5, term: 1 }, "read")).toThrow(
      expect.objectContaining({ fault: "snapshot-not-found", code: "NOT_FOUND" }),
    );
    expect(readLog(directory, { index: 5, term: 1 }, "write").entries).toHaveLength(11);
  });

  test.each([
    ["basic.wal", 15, { term: 2, vote: 0x25351fad42b3c84cn, commit: 15 }],
    ["full.wal", 54, { term: 2, vote: 0x25351fad42b3c84cn, commit: 54 }],
    ["restore.wal", 2, { term: 1, vote: 0x6dc1cbb84e0b2884n, commit: 2 }],
    ["members.wal", 9, { term: 2, vote: 0x25351fad42b3c84cn, commit: 9 }],
    ["v35.wal", 17, { term: 2, vote: 0x25351fad42b3c84cn, commit: 17 }],
  ])("%s: %i entries, and the state", (name, count, hardState) => {
    const { entries, hardState: found, end } = readLog(goldenLog(name), START, "write");
    expect(entries.map(({ index }) => index)).toEqual(
      Array.from({ length: count }, (_, i) => i + 1),
    );
    expect(found).toEqual(hardState);
    expect(end.offsetBytes).toBe(end.sizeBytes);
  });

  test("snapshot records: etcd 3.4 without the members, 3.5 with them", () => {
    const at = (name: string): unknown => validSnapshots(goldenLog(name)).slice(1);
    expect(at("full.wal")).toEqual([
      { index: 0x15, term: 2 },
      { index: 0x2a, term: 2 },
    ]);
    expect(at("restore.wal")).toEqual([{ index: 2, term: 1 }]);
    const none = { learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
    const confState = { voters: [0x25351fad42b3c84cn], ...none };
    expect(at("v35.wal")).toEqual([{ index: 11, term: 2, confState }]);
  });

  test("wal.md's worked example: the first records of basic.wal", () => {
    const { records } = readRecords(goldenLog("basic.wal"));
    const ids = { nodeId: 0x25351fad42b3c84cn, clusterId: 0x3d3fd201ef4996abn };
    expect(records.slice(0, 3)).toEqual([
      { kind: "crc" },
      { kind: "metadata", metadata: encodeMetadata(ids) },
      { kind: "snapshot", snapshot: START },
    ]);
    const member = { id: ids.nodeId, peerUrls: ["http://127.0.0.1:23800"], name: "n1" };
    const context = encodeMemberContext(member);
    const change = { id: 0n, type: 0, nodeId: ids.nodeId, context } as const;
    const entry = { type: 1, term: 1, index: 1, data: encodeConfChange(change) };
    expect(records.slice(3, 5)).toEqual([
      { kind: "entry", entry },
      { kind: "state", state: { term: 1, vote: 0n, commit: 1 } },
    ]);
  });
});

describe("payloads are written as etcd writes them", () => {
  const records = LOGS.flatMap((name) => readRecords(goldenLog(name)).records);
  const entries = records.flatMap((record) => (record.kind === "entry" ? [record.entry] : []));

  test("every membership change", () => {
    const changes = entries
      .filter(({ type }) => type === 1)
      .map(({ data }) => data ?? new Uint8Array());
    expect(changes).toHaveLength(10);
    const types = changes.map((data) => {
      const change = decoded(decodeConfChange(data));
      expect(encodeConfChange(change)).toEqual(data);
      if (change.context !== undefined) {
        const text = Buffer.from(change.context).toString();
        const id = BigInt(/"id":(\d+)/.exec(text)?.[1] ?? "");
        const { peerURLs, isLearner, name } = JSON.parse(text);
        const context = encodeMemberContext({ id, peerUrls: peerURLs, isLearner, name });
        expect(Buffer.from(context).toString()).toBe(text);
      }
      return change.type;
    });
    expect(new Set(types)).toEqual(new Set([0, 1, 2, 3]));
  });

  test("every v2 PUT, and nothing else is taken for one", () => {
    const puts = entries.flatMap(({ data }) => {
      const put = data && decodeV2Put(data);
      if (put) expect(encodeV2Put(put)).toEqual(data);
      return put ? [put.path] : [];
    });
    const member = "/0/members/25351fad42b3c84c/attributes";
    expect(puts).toEqual(expect.arrayContaining([member, "/0/version"]));
    expect(puts).toHaveLength(8);
  });

  test("JSON escapes what Go escapes", () => {
    const context = encodeMemberContext({ id: 1n, peerUrls: [], name: "a<b>&\u2028" });
    expect(Buffer.from(context).toString()).toBe(
      String.raw`{"id":1,"peerURLs":[],"name":"a\u003cb\u003e\u0026\u2028"}`,
    );
  });
});

/** The first segment's head is the writer's own. */
function withoutHead(records: readonly LogRecord[]): readonly LogRecord[] {
  expect(records.slice(0, 3).map(({ kind }) => kind)).toEqual(["crc", "metadata", "snapshot"]);
  return records.slice(3);
}

describe("the same records through our writer are the same bytes", () => {
  test.each(LOGS)("%s", async (name) => {
    const { records } = readRecords(goldenLog(name));
    const head = records[1];
    if (head?.kind !== "metadata") throw new Error("no metadata");
    const parent = new SystemDirectory(scratchFolder("rewritten"));
    const segmentBytes = name === "wal-segments" ? 4096 : 64_000_000;
    const wal = createWal(parent, "wal", head.metadata, { segmentBytes, stepBytes: 8192 });
    await replay(wal, withoutHead(records));
    await wal.close();

    const original = name.endsWith(".wal")
      ? [["0000000000000000-0000000000000000.wal", readFileSync(goldenPath(name))] as const]
      : readdirSync(goldenPath(name)).map(
          (file) => [file, readFileSync(goldenPath(`${name}/${file}`))] as const,
        );
    const { directory } = wal;
    expect(directory.list()).toEqual(original.map(([file]) => file).sort());
    for (const [file, bytes] of original) {
      const ours = contentOf(directory, file);
      expect(Buffer.compare(ours.subarray(0, bytes.length), bytes)).toBe(0);
      // The fixtures of one file are cut after the last record.
      expect(ours.subarray(bytes.length).every((byte) => byte === 0)).toBe(true);
      if (name === "wal-segments") expect(ours.length).toBe(bytes.length);
    }
  });

  test("opened again, it goes on as if nothing had happened", async () => {
    const directory = goldenLog("wal-segments");
    const { wal, contents } = openWal(directory, { index: 9, term: 1 }, { segmentBytes: 4096 });
    expect([wal.lastIndex, contents.end.crc]).toEqual([16, 0xf54791e4]);
    const next = { type: 0, term: 2, index: 17, data: new Uint8Array([1, 2, 3]) } as const;
    await wal.append([next], { term: 2, vote: 9n, commit: 17 });
    await wal.close();
    const { entries, hardState } = readLog(directory, START, "read");
    expect(entries).toHaveLength(17);
    expect(entries.at(-1)).toEqual(next);
    expect(hardState.commit).toBe(17);
  });
});

test("codecs keep what a zero, an empty and an absent field are", () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  expect(hex(encodeEntry({ type: 0, term: 0, index: 0, data: undefined }))).toBe("080010001800");
  expect(hex(encodeEntry({ type: 2, term: 300, index: 2 ** 53 - 1, data: new Uint8Array() }))).toBe(
    "080210ac0218ffffffffffffff0f2200",
  );
  expect(hex(encodeHardState({ term: 0, vote: 2n ** 64n - 1n, commit: 1 }))).toBe(
    "080010ffffffffffffffffff011801",
  );
  const confState = {
    voters: [1n],
    learners: [2n, 3n],
    votersOutgoing: [],
    learnersNext: [4n],
    autoLeave: true,
  };
  expect(hex(encodeSnapshotRecord({ index: 1, term: 2, confState }))).toBe(
    "080110021a0a0801100210032004280 1".replace(" ", ""),
  );
});
