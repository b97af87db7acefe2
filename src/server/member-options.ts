/** What the engine is opened with, from what the server was configured with. @see etcd server/etcdserver/server.go */
import { basename, dirname, resolve } from "node:path";
import { SystemDirectory } from "../../native-free/file.ts";
import type { StorageOptions } from "../backend/storage.ts";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import type { EngineLog } from "../engine/log.ts";
import type { MemberOptions } from "../engine/member.ts";
import { DATABASE_NAME } from "../engine/recovery.ts";
import { StorageThread } from "../jobs/storage-thread.ts";
import { minLeaseTtl, type ServerConfig } from "./config/server-config.ts";
import type { Logger } from "./logging/logger.ts";

const CACHE_BYTES = 64 * 1024 * 1024;

/** etcd 3.4 reads no record of 10 MiB from a log, so none is written. */
const REQUEST_BYTES_MAX = 9 * 1024 * 1024;

const GIB = 1024 ** 3;
const QUOTA_BYTES_DEFAULT = 2 * GIB;
const QUOTA_BYTES_MAX = 8 * GIB;
const REQUEST_BYTES_RECOMMENDED = 10 * 1024 * 1024;

/** @param told  where it can be reached, if it is not what the configuration says */
export function memberOptionsOf(
  config: ServerConfig,
  about: {
    readonly log: EngineLog;
    readonly clientUrls: readonly string[];
    readonly signal: AbortSignal | undefined;
  },
): MemberOptions {
  const { unsafeNoFsync: noSync, walDir } = config;
  const storage: StorageOptions = { noSync, cacheBytes: CACHE_BYTES, pageBytes: 4096 };
  const path = `${resolve(config.dataDir)}`;
  return {
    disk: SystemDirectory.make(path),
    storage: (snapFolder) => new StorageThread(`${snapFolder.path}/${DATABASE_NAME}`, storage),
    threads: true,
    clock: systemClock,
    random: systemRandom,
    log: about.log,
    name: config.name,
    peerUrls: config.advertisePeerUrls.map(({ text }) => text),
    token: config.clusterToken,
    clientUrls: about.clientUrls,
    backend: {
      cacheBytes: CACHE_BYTES,
      ...(config.batchIntervalMs !== undefined && { batchIntervalMs: config.batchIntervalMs }),
      ...(config.batchLimit !== undefined && { batchLimit: config.batchLimit }),
    },
    wal: { noFsync: noSync },
    walPlace: walDir === "" ? undefined : walPlaceOf(walDir),
    kept: { wals: config.maxWals || Infinity, snapshots: config.maxSnapshots || Infinity },
    compaction: {
      ...(config.compactionBatchLimit !== undefined && { batchLimit: config.compactionBatchLimit }),
      ...(config.compactionSleepMs !== undefined && { sleepMs: config.compactionSleepMs }),
    },
    quotaBytes: config.quotaBytes,
    quotaMode: config.quotaMode,
    quotaSoftLimit: config.quotaSoftLimit,
    autoDisarm: config.autoDisarm,
    snapshotCount: config.snapshotCount,
    maxRequestBytes: Math.min(config.maxRequestBytes, REQUEST_BYTES_MAX),
    maxTxnOps: config.maxTxnOps,
    warningApplyMs: config.warningApplyMs,
    minLeaseTtl: minLeaseTtl(config),
    leaseCheckpointIntervalMs: undefined,
    progressIntervalMs: config.watchProgressIntervalMs,
    onProgress: () => undefined,
    signal: about.signal,
  };
}

function walPlaceOf(walDir: string): { parent: SystemDirectory; name: string } {
  const path = resolve(walDir);
  return { parent: SystemDirectory.make(dirname(path)), name: basename(path) };
}

/** What etcd warns of before it starts. */
export function warnOfLimits(config: ServerConfig, log: Logger): void {
  const { quotaBytes, maxRequestBytes, bcryptCost } = config;
  if (config.unsafeNoFsync) {
    log.warn("--unsafe-no-fsync is set: a power loss may take everything that was acknowledged");
  }
  if (quotaBytes < 0) {
    log.info("disabled backend quota", {
      "quota-name": "v3-applier",
      "quota-size-bytes": quotaBytes,
    });
  } else if (quotaBytes > QUOTA_BYTES_MAX) {
    log.warn("quota exceeds the maximum value", {
      "quota-name": "v3-applier",
      "quota-size-bytes": quotaBytes,
      "quota-maximum-size-bytes": QUOTA_BYTES_MAX,
    });
  } else {
    log.info("enabled backend quota", {
      "quota-name": "v3-applier",
      "quota-size-bytes": quotaBytes || QUOTA_BYTES_DEFAULT,
    });
  }
  if (maxRequestBytes > REQUEST_BYTES_RECOMMENDED) {
    log.warn("exceeded recommended request limit", {
      "max-request-bytes": maxRequestBytes,
      "recommended-request-bytes": REQUEST_BYTES_RECOMMENDED,
    });
  }
  if (maxRequestBytes > REQUEST_BYTES_MAX) {
    log.warn("requests are logged up to a smaller size, so that every etcd can read the log", {
      "max-request-bytes": maxRequestBytes,
      "logged-request-bytes": REQUEST_BYTES_MAX,
    });
  }
  if (bcryptCost < 4 || bcryptCost > 31) {
    log.warn("use default bcrypt cost instead of the invalid given cost", {
      "min-cost": 4,
      "max-cost": 31,
      "default-cost": 10,
      "given-cost": bcryptCost,
    });
  }
}
