/** What a server is run with: typed, whole, and looked through. @see etcd server/embed/config.go Validate */
import { join } from "node:path";
import type { QuotaMode } from "../../backend/quota.ts";
import type { AutoCompactionMode } from "../../engine/auto-compaction.ts";
import type { AutoDefragOptions } from "../../engine/auto-defrag.ts";
import { DATABASE_NAME, MEMBER_FOLDER, SNAP_FOLDER } from "../../engine/recovery.ts";
import type { ScheduledSnapshotsOptions } from "../../engine/scheduled-snapshots.ts";
import type { LogFormat } from "../logging/log.ts";
import type { LogLevel } from "../logging/logger.ts";
import { type PeerUrlMap, peerUrlMap } from "./initial-cluster.ts";
import { autoDefragOf, quotaRulesOf, retentionOf } from "./self-maintenance.ts";
import { ConfigError, type Settings } from "./settings.ts";
import { scheduledSnapshotsOf, snapshotMaxMsOf } from "./snapshots.ts";
import {
  assertBindable,
  assertReachable,
  type MemberUrl,
  memberUrl,
  UrlError,
} from "./url-list.ts";

export interface LogConfig {
  readonly outputs: readonly string[];
  readonly level: LogLevel;
  readonly format: LogFormat;
}

export interface ClientTlsConfig {
  /** Paths; empty: there is none. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly trustedCaFile: string;
  readonly crlFile: string;
  readonly clientCertAuth: boolean;
  readonly allowedHostnames: readonly string[];
  readonly autoTls: boolean;
  readonly selfSignedCertValidityYears: number;
  /** Go's names; none: those that Node offers. */
  readonly cipherSuites: readonly string[];
  readonly minVersion: string;
  readonly maxVersion: string;
}

export interface KeepaliveConfig {
  readonly minTimeMs: number;
  /** 0: never. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Times in milliseconds, sizes in bytes. */
export interface ServerConfig {
  readonly name: string;
  readonly dataDir: string;
  /** Empty: in the data dir. */
  readonly walDir: string;
  readonly listenClientUrls: readonly MemberUrl[];
  readonly listenClientHttpUrls: readonly MemberUrl[];
  readonly listenPeerUrls: readonly MemberUrl[];
  readonly listenMetricsUrls: readonly MemberUrl[];
  readonly advertiseClientUrls: readonly MemberUrl[];
  readonly advertisePeerUrls: readonly MemberUrl[];
  readonly initialCluster: string;
  readonly clusterToken: string;
  /** As --quota-backend-bytes: 0 is 2 GiB, negative none. */
  readonly quotaBytes: number;
  readonly quotaMode: QuotaMode;
  /** A share of the quota; 0: none. */
  readonly quotaSoftLimit: number;
  readonly autoDisarm: boolean;
  readonly batchIntervalMs: number | undefined;
  readonly batchLimit: number | undefined;
  readonly maxTxnOps: number;
  readonly maxRequestBytes: number;
  readonly maxConcurrentStreams: number;
  readonly keepalive: KeepaliveConfig;
  readonly snapshotCount: number;
  /** 0: all are kept. */
  readonly maxWals: number;
  readonly maxSnapshots: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly tls: ClientTlsConfig;
  /** Origins; `*`: all. */
  readonly cors: readonly string[];
  readonly hostWhitelist: readonly string[];
  readonly authToken: string;
  readonly authTokenTtlSeconds: number;
  readonly bcryptCost: number;
  readonly metrics: "basic" | "extensive";
  readonly enableGrpcGateway: boolean;
  readonly enablePprof: boolean;
  readonly warningApplyMs: number;
  readonly warningUnaryMs: number;
  readonly autoCompactionMode: AutoCompactionMode;
  /** As it was given; `parseAutoCompaction` reads it. */
  readonly autoCompactionRetention: string;
  /** Undefined: off. */
  readonly autoDefrag: AutoDefragOptions | undefined;
  /** As --snapshot-max-duration; 0: no end. */
  readonly snapshotMaxMs: number;
  /** Undefined: none are taken. */
  readonly scheduledSnapshots: ScheduledSnapshotsOptions | undefined;
  readonly compactionBatchLimit: number | undefined;
  readonly compactionSleepMs: number | undefined;
  readonly watchProgressIntervalMs: number;
  readonly bootstrapDefragThresholdBytes: number;
  readonly unsafeNoFsync: boolean;
}

const DEFAULT_NAME = "default";
const DEFAULT_CLUSTER = "default=http://localhost:2380";

/** Of etcd's flags what a member alone needs. @throws ConfigError */
export function serverConfigOf(settings: Settings): ServerConfig {
  const urls = (flag: string): MemberUrl[] => settings.list(flag).map(memberUrl);
  const name = settings.text("name");
  const advertisePeerUrls = urls("initial-advertise-peer-urls");
  const cluster = settings.text("initial-cluster");
  const limit = settings.number("backend-batch-limit");
  const interval = settings.number("backend-batch-interval");
  const onlyIfGiven = (flag: string): number | undefined =>
    settings.isGiven(flag) && settings.number(flag) > 0 ? settings.number(flag) : undefined;
  return {
    name,
    dataDir: settings.text("data-dir") || `${name}.etcd`,
    walDir: settings.text("wal-dir"),
    listenClientUrls: urls("listen-client-urls"),
    listenClientHttpUrls: urls("listen-client-http-urls"),
    listenPeerUrls: urls("listen-peer-urls"),
    listenMetricsUrls: urls("listen-metrics-urls"),
    advertiseClientUrls: urls("advertise-client-urls"),
    advertisePeerUrls,
    initialCluster:
      name !== DEFAULT_NAME && cluster === DEFAULT_CLUSTER
        ? advertisePeerUrls.map(({ text }) => `${name || DEFAULT_NAME}=${text}`).join(",")
        : cluster,
    clusterToken: settings.text("initial-cluster-token"),
    quotaBytes: settings.number("quota-backend-bytes"),
    ...quotaRulesOf(settings),
    batchIntervalMs: interval > 0 ? interval : undefined,
    batchLimit: limit > 0 ? limit : undefined,
    maxTxnOps: settings.number("max-txn-ops"),
    maxRequestBytes: settings.number("max-request-bytes"),
    maxConcurrentStreams: settings.number("max-concurrent-streams"),
    keepalive: {
      minTimeMs: settings.number("grpc-keepalive-min-time"),
      intervalMs: settings.number("grpc-keepalive-interval"),
      timeoutMs: settings.number("grpc-keepalive-timeout"),
    },
    snapshotCount: settings.number("snapshot-count") || 100_000,
    maxWals: settings.number("max-wals"),
    maxSnapshots: settings.number("max-snapshots"),
    heartbeatMs: settings.number("heartbeat-interval"),
    electionMs: settings.number("election-timeout"),
    tls: {
      certFile: settings.text("cert-file"),
      keyFile: settings.text("key-file"),
      trustedCaFile: settings.text("trusted-ca-file"),
      crlFile: settings.text("client-crl-file"),
      clientCertAuth: settings.bool("client-cert-auth"),
      allowedHostnames: settings.list("client-cert-allowed-hostname").filter((one) => one !== ""),
      autoTls: settings.bool("auto-tls"),
      selfSignedCertValidityYears: settings.number("self-signed-cert-validity"),
      cipherSuites: settings.list("cipher-suites").filter((one) => one !== ""),
      minVersion: settings.text("tls-min-version"),
      maxVersion: settings.text("tls-max-version"),
    },
    cors: allIfNone(settings.list("cors")),
    hostWhitelist: allIfNone(settings.list("host-whitelist").filter((one) => one !== "")),
    authToken: settings.text("auth-token"),
    authTokenTtlSeconds: settings.number("auth-token-ttl"),
    bcryptCost: settings.number("bcrypt-cost"),
    metrics: settings.text("metrics") === "extensive" ? "extensive" : "basic",
    enableGrpcGateway: settings.bool("enable-grpc-gateway"),
    enablePprof: settings.bool("enable-pprof"),
    warningApplyMs: settings.number("warning-apply-duration"),
    warningUnaryMs: settings.number("warning-unary-request-duration") || 300,
    autoCompactionMode: compactionMode(settings.text("auto-compaction-mode")),
    autoCompactionRetention: retentionOf(settings),
    autoDefrag: autoDefragOf(settings),
    snapshotMaxMs: snapshotMaxMsOf(settings),
    scheduledSnapshots: scheduledSnapshotsOf(settings),
    compactionBatchLimit: onlyIfGiven("compaction-batch-limit"),
    compactionSleepMs: onlyIfGiven("compaction-sleep-interval"),
    watchProgressIntervalMs: Math.max(settings.number("watch-progress-notify-interval"), 100),
    bootstrapDefragThresholdBytes:
      settings.number("bootstrap-defrag-threshold-megabytes") * 1024 * 1024,
    unsafeNoFsync: settings.bool("unsafe-no-fsync"),
  };
}

function allIfNone(list: readonly string[]): readonly string[] {
  return list.length === 0 ? ["*"] : list;
}

function compactionMode(text: string): AutoCompactionMode {
  if (text === "periodic" || text === "revision") return text;
  if (text === "") throw new ConfigError("undefined auto-compaction-mode");
  throw new ConfigError(`unknown auto-compaction-mode ${JSON.stringify(text)}`);
}

const ELECTION_MS_MAX = 50_000;

/** What must hold before anything is opened. @throws ConfigError */
export function validate(config: ServerConfig): void {
  const { heartbeatMs, electionMs, tls } = config;
  inUrlWords(() => {
    assertBindable(config.listenPeerUrls);
    assertBindable(config.listenClientUrls);
    assertBindable(config.listenClientHttpUrls);
    assertBindable(config.listenMetricsUrls);
  });
  inUrlWords(
    () => assertReachable(config.advertisePeerUrls),
    (why) =>
      `--initial-advertise-peer-urls ${quotedTexts(config.advertisePeerUrls)} must be "host:port" (${why})`,
  );
  inUrlWords(
    () => assertReachable(config.advertiseClientUrls),
    (why) =>
      `--advertise-client-urls ${quotedTexts(config.advertiseClientUrls)} must be "host:port" (${why})`,
  );
  if (heartbeatMs === 0) {
    throw new ConfigError("--heartbeat-interval must be >0 (set to 0ms)");
  }
  if (electionMs === 0) throw new ConfigError("--election-timeout must be >0 (set to 0ms)");
  if (5 * heartbeatMs > electionMs) {
    throw new ConfigError(
      `--election-timeout[${electionMs}ms] should be at least as 5 times as --heartbeat-interval[${heartbeatMs}ms]`,
    );
  }
  if (electionMs > ELECTION_MS_MAX) {
    throw new ConfigError(
      `--election-timeout[${electionMs}ms] is too long, and should be set less than ${ELECTION_MS_MAX}ms`,
    );
  }
  if (config.listenClientUrls.length > 0 && config.advertiseClientUrls.length === 0) {
    throw new ConfigError(
      "--advertise-client-urls is required when --listen-client-urls is set explicitly",
    );
  }
  validateTlsVersions(tls);
}

const TLS_VERSIONS: readonly string[] = ["", "TLS1.2", "TLS1.3"];

function validateTlsVersions({ minVersion, maxVersion, cipherSuites }: ClientTlsConfig): void {
  for (const version of [minVersion, maxVersion]) {
    if (TLS_VERSIONS.includes(version)) continue;
    throw new ConfigError(
      `unexpected TLS version ${JSON.stringify(version)} (must be one of: TLS1.2, TLS1.3)`,
    );
  }
  if (maxVersion !== "" && minVersion > maxVersion) {
    throw new ConfigError(
      `min version (${minVersion}) is greater than max version (${maxVersion})`,
    );
  }
  if (minVersion === "TLS1.3" && cipherSuites.length > 0) {
    throw new ConfigError("cipher suites cannot be configured when only TLS1.3 is enabled");
  }
}

function inUrlWords(check: () => void, words = (why: string): string => why): void {
  try {
    check();
  } catch (error) {
    if (error instanceof UrlError) throw new ConfigError(words(error.message));
    throw error;
  }
}

function quotedTexts(urls: readonly MemberUrl[]): string {
  return JSON.stringify(urls.map(({ text }) => text).join(","));
}

/** Who makes up a new cluster: this member. @throws ConfigError */
export function initialMembers({ name, initialCluster }: ServerConfig): PeerUrlMap {
  const members = peerUrlMap(initialCluster);
  if (!members.has(name)) {
    throw new ConfigError(
      `couldn't find local name ${JSON.stringify(name)} in the initial cluster configuration`,
    );
  }
  if (members.size > 1) {
    throw new ConfigError(
      `--initial-cluster names ${members.size} members: a strata is one member, alone in its cluster`,
    );
  }
  return members;
}

/** Seconds: one and a half elections, in whole ticks, as etcd reckons. */
export function minLeaseTtl({ heartbeatMs, electionMs }: ServerConfig): number {
  const ticks = Math.floor((3 * Math.floor(electionMs / heartbeatMs)) / 2);
  return Math.ceil((ticks * heartbeatMs) / 1000);
}

export function databasePath({ dataDir }: ServerConfig): string {
  return join(dataDir, MEMBER_FOLDER, SNAP_FOLDER, DATABASE_NAME);
}
