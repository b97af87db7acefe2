/** A member in memory, as a server would open one. */

import { MemoryTree } from "../../native-free/memory-tree.ts";
import { InlineStorage } from "../../src/backend/inline-storage.ts";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { Member, type MemberOptions } from "../../src/engine/member.ts";
import { DATABASE_NAME } from "../../src/engine/recovery.ts";

const CACHE_BYTES = 8 * 1024 * 1024;

export function openMemoryMember(options: Partial<MemberOptions> = {}): Promise<Member> {
  return Member.open({
    disk: new MemoryTree(),
    storage: (snapFolder) =>
      new InlineStorage(snapFolder, DATABASE_NAME, {
        noSync: true,
        cacheBytes: CACHE_BYTES,
        pageBytes: 4096,
      }),
    threads: false,
    clock: systemClock,
    random: systemRandom,
    log: () => undefined,
    name: "default",
    peerUrls: ["http://localhost:2380"],
    token: "etcd-cluster",
    clientUrls: ["http://localhost:2379"],
    backend: { cacheBytes: CACHE_BYTES },
    wal: { noFsync: true },
    compaction: {},
    quotaBytes: 0,
    quotaMode: "size",
    snapshotCount: 100_000,
    maxRequestBytes: 1.5 * 1024 * 1024,
    maxTxnOps: 128,
    minLeaseTtl: undefined,
    leaseCheckpointIntervalMs: undefined,
    progressIntervalMs: 600_000,
    onProgress: () => undefined,
    signal: undefined,
    ...options,
  });
}
