/**
 * What a member measures of itself, beyond what its parts show openly: live objects, to be read by whoever makes
 * metrics of them, whenever it likes.
 */
import type { Histogram } from "../base/histogram.ts";
import type { CompactionCounts } from "../mvcc/compaction-counts.ts";
import type { WalCounts } from "../wal/wal.ts";
import type { ApplyTimes } from "./apply-times.ts";
import type { AutoDefragCounts } from "./auto-defrag-counts.ts";
import type { DefragCounts } from "./defrag-counts.ts";
import type { ScheduledSnapshotCounts } from "./scheduled-snapshot-counts.ts";
import type { SpaceGuard } from "./space-guard.ts";

export interface Instruments {
  readonly wal: {
    readonly counts: WalCounts;
    /** Index of the last entry that is committed. */
    readonly committedIndex: number;
    readonly fsyncSeconds: Histogram;
    readonly writeSeconds: Histogram;
  };
  readonly proposals: {
    /** Logged and not answered. */
    readonly pending: number;
    /** Refused because a write has failed. */
    readonly failed: number;
  };
  readonly applyTimes: ApplyTimes;
  /** The quota. */
  readonly space: SpaceGuard;
  readonly compaction: CompactionCounts;
  readonly defrag: DefragCounts;
  readonly autoDefrag: AutoDefragCounts;
  /** Of `Member.hash` and `Member.hashKv`. */
  readonly hashSeconds: Histogram;
  readonly hashKvSeconds: Histogram;
  readonly snapshotSendSeconds: Histogram;
  readonly scheduledSnapshots: ScheduledSnapshotCounts;
  /** Of `.snap` files. */
  readonly snapSaveSeconds: Histogram;
}
