import { expect, test } from "vitest";
import { Quota, type QuotaMode } from "../backend/quota.ts";
import { remedyOf } from "./space-remedy.ts";

const MIB = 2 ** 20;

interface Case {
  readonly mode: QuotaMode;
  /** In MiB, of a quota of 100. */
  readonly size: number;
  readonly free?: number;
  readonly hasReaders?: boolean;
  readonly pinned?: number;
  readonly alarmed?: boolean;
  readonly revisions?: number;
}

const COMPACT = "etcdctl compact 77";
const RAISE = "delete keys and compact, or raise it: strata quota SIZE";

test.each<readonly [string, Case]>([
  [COMPACT, { mode: "size", size: 100, free: 1, revisions: 1000 }],
  [COMPACT, { mode: "size", size: 100, free: 10, revisions: 1000 }],
  ["etcdctl defrag", { mode: "size", size: 100, free: 90, revisions: 110 }],
  ["etcdctl defrag", { mode: "size", size: 100, free: 10, revisions: 101 }],
  ["etcdctl defrag", { mode: "size", size: 98, free: 10, alarmed: true }],
  ["etcdctl alarm disarm", { mode: "size", size: 90, free: 10, alarmed: true, revisions: 200 }],
  [RAISE, { mode: "size", size: 100, free: 1 }],
  [RAISE, { mode: "size", size: 200, free: 90 }],
  [COMPACT, { mode: "allocatable", size: 120, free: 20, revisions: 1000 }],
  ["etcdctl alarm disarm", { mode: "allocatable", size: 120, free: 30, alarmed: true }],
  [RAISE, { mode: "allocatable", size: 120, free: 20 }],
  [RAISE, { mode: "allocatable", size: 120, free: 20, hasReaders: true }],
  [
    "end what reads an old state: strata jobs cancel",
    { mode: "allocatable", size: 200, pinned: 150, hasReaders: true, revisions: 1000 },
  ],
])("%s: %j", (command, { mode, size, free = 0, pinned = 0, ...state }) => {
  const remedy = remedyOf({
    quota: new Quota(100 * MIB, mode),
    use: {
      sizeBytes: size * MIB,
      reusableBytes: free * MIB,
      pinnedBytes: pinned * MIB,
      hasReaders: state.hasReaders ?? false,
      bufferedBytes: 0,
    },
    cost: 1000,
    isAlarmed: state.alarmed ?? false,
    currentRevision: 77,
    revisions: state.revisions ?? 100,
    liveKeys: 100,
  });
  expect(remedy).toBe(command);
});
