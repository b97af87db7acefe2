/**
 * An etcd server: one member, the services on it, and the ports they are reached by. The command `strata` runs one; a
 * program can have one inside, too:
 *
 *     await using server = await EtcdServer.start({ flags: { "data-dir": dir, "listen-client-urls": "http://127.0.0.1:0" } });
 *     const client = new Etcd3({ hosts: server.clientUrls });
 *
 * @see etcd server/embed/etcd.go
 */
import { join, resolve } from "node:path";
import { namesIn, permissionsOf } from "../../native-free/file.ts";
import { readProcessStats } from "../../native-free/process-stats.ts";
import { systemClock } from "../base/clock.ts";
import { reasonOf, StrataError } from "../base/errors.ts";
import { formatGoDuration } from "../base/go-duration.ts";
import { ETCD_VERSION, PRODUCT_VERSION } from "../base/version.ts";
import { type GoFlagValue, GoSyntaxError, goFlagValue } from "../console/go-flag.ts";
import { parseAutoCompaction } from "../engine/auto-compaction.ts";
import type { AutoDefragSettings } from "../engine/auto-defrag.ts";
import type { EngineLog } from "../engine/log.ts";
import { Member } from "../engine/member.ts";
import { MEMBER_FOLDER, WAL_FOLDER } from "../engine/recovery.ts";
import { runSelfMaintenance, type SelfMaintenanceOptions } from "../engine/self-maintenance.ts";
import { GrpcServer } from "../grpc/grpc-server.ts";
import { HealthBook } from "../grpc/health.ts";
import { serverFlag } from "./config/flag-table.ts";
import { assertAdvertised } from "./config/initial-cluster.ts";
import {
  initialMembers,
  type ServerConfig,
  serverConfigOf,
  validate,
} from "./config/server-config.ts";
import { ConfigError, Settings } from "./config/settings.ts";
import { isSecure } from "./config/url-list.ts";
import { HttpCounts } from "./http/http-counts.ts";
import { HttpEndpoints } from "./http/http-handler.ts";
import { Listeners } from "./listeners.ts";
import { SILENT } from "./logging/log.ts";
import type { LogFields, Logger } from "./logging/logger.ts";
import { memberOptionsOf, warnOfLimits } from "./member-options.ts";
import { HandlingTimes } from "./metrics/handling-times.ts";
import { ServerMetrics } from "./metrics/server-metric-set.ts";
import { peerHandler } from "./peer-handler.ts";
import { kvService } from "./services/kv.ts";
import { lazyReflection } from "./services/lazy-reflection.ts";
import { leaseService } from "./services/lease.ts";
import { longTailServices } from "./services/long-tail.ts";
import { ServiceContext } from "./services/service-context.ts";
import { watchService } from "./services/watch.ts";
import { slowCalls } from "./slow-calls.ts";
import { statusOf } from "./status-of.ts";
import { withAutoTls } from "./tls/auto-tls.ts";
import { ClientTls } from "./tls/client-tls.ts";

export interface EtcdServerOptions {
  /**
   * As the command's, by their names: `{ "data-dir": "x", "max-txn-ops": 1000 }`. Unless said, the URLs that are
   * advertised are those that are listened on.
   */
  readonly flags?: Readonly<Record<string, string | number | boolean>>;
  /** Default: nobody hears of it. */
  readonly log?: Logger;
  /** Ends the start. */
  readonly signal?: AbortSignal;
}

interface ServerParts {
  readonly config: ServerConfig;
  readonly member: Member;
  readonly autoDefrag: AutoDefragSettings;
  readonly listeners: Listeners;
}

/** How long calls that are under way have to come to their end. */
const GRACE_MS = 5000;

/** etcd allows a message so much beyond the request in it. */
const MESSAGE_OVERHEAD_BYTES = 512 * 1024;

/** Files that etcd leaves for what is not a connection. */
const RESERVED_FILES = 150;

const LOCK_RETRY_MS = 500;
const LOCK_REMINDER_MS = 5000;

export class EtcdServer {
  readonly member: Member;
  /** Where clients come, with the ports that the system has given. */
  readonly clientUrls: readonly string[];
  readonly metricsUrls: readonly string[];
  /** The rule that is in force. */
  readonly autoDefrag: AutoDefragSettings;
  readonly #config: ServerConfig;
  readonly #log: Logger;
  readonly #listeners: Listeners;
  readonly #grpc: GrpcServer;
  readonly #health = new HealthBook();
  readonly #metrics: ServerMetrics;
  readonly #context: ServiceContext;
  readonly #stopped = new AbortController();
  readonly #background: Promise<unknown>[] = [];
  #closed: Promise<void> | undefined;

  /**
   * @throws (rejects) ConfigError for flags that cannot be run with; StrataError LOCKED if the data dir is another
   *   process's, IO for an address that is not to be had; as Member.open
   */
  static async start(options: EtcdServerOptions = {}): Promise<EtcdServer> {
    const settings = new Settings(valuesOf(options.flags ?? {}));
    const read = serverConfigOf(settings);
    const config: ServerConfig = {
      ...read,
      listenPeerUrls: settings.isGiven("listen-peer-urls") ? read.listenPeerUrls : [],
    };
    validate(config);
    const told = settings.isGiven("advertise-client-urls");
    const { log = SILENT, signal } = options;
    return EtcdServer.run(config, { log, signal, waitsForLock: false, advertisesPorts: !told });
  }

  /**
   * @param about  waitsForLock: until another process has given up the data dir. advertisesPorts: the URLs listened on
   *   are told instead of those configured
   */
  static async run(
    config: ServerConfig,
    about: {
      readonly log: Logger;
      readonly signal: AbortSignal | undefined;
      readonly waitsForLock: boolean;
      readonly advertisesPorts: boolean;
    },
  ): Promise<EtcdServer> {
    const log = about.log.from("server/server");
    const selfMaintenance = selfMaintenanceOf(config);
    assertAuthToken(config);
    const isNew = !isInitialized(config);
    if (isNew)
      await assertAdvertised(config.name, config.advertisePeerUrls, initialMembers(config));
    lookAtDataDir(config, log);
    log.info("configuring client listeners", {
      "listen-client-urls": config.listenClientUrls.map(({ text }) => text),
    });
    const listeners = await Listeners.open(config, {
      tls: clientTls(config, about.log.from("server/tls")),
      maxConnections: await connectionsMax(),
      log: about.log.from("server/listeners"),
    });
    let member: Member | undefined;
    try {
      const clientUrls = about.advertisesPorts
        ? listeners.clientUrls
        : config.advertiseClientUrls.map(({ text }) => text);
      sayStarting(config, isNew, log);
      warnOfLimits(config, log);
      const engineLog = engineLogOf(about.log.from("engine"));
      member = await openMember(config, { ...about, log, engineLog, clientUrls });
      await defragmentIfWorthIt(member, config, log);
      const { autoDefrag } = selfMaintenance;
      const server = new EtcdServer({ config, member, autoDefrag, listeners }, about.log);
      const logOf = (part: string): EngineLog => engineLogOf(about.log.from(`engine/${part}`));
      server.#background.push(
        runSelfMaintenance(member, selfMaintenance, logOf, server.#stopped.signal),
      );
      server.#serve(clientUrls, isNew);
      return server;
    } catch (error) {
      await listeners.close(0);
      await member?.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor({ config, member, autoDefrag, listeners }: ServerParts, log: Logger) {
    this.#config = config;
    this.member = member;
    this.autoDefrag = autoDefrag;
    this.#listeners = listeners;
    this.clientUrls = listeners.clientUrls;
    this.metricsUrls = listeners.metricsUrls;
    this.#log = log.from("server/server");
    const requestTimeoutMs = 5000 + 2 * config.electionMs;
    this.#context = new ServiceContext(member, {
      requestTimeoutMs,
      maxRequestBytes: config.maxRequestBytes,
      snapshotMaxMs: config.snapshotMaxMs,
    });
    const unexpected = log.from("server/grpc");
    const lazy = longTailServices(this.#context);
    const handlingTimes = config.metrics === "extensive" ? new HandlingTimes() : undefined;
    const slow = slowCalls(config.warningUnaryMs, log.from("server/grpc"));
    const services = [
      kvService(this.#context),
      watchService(this.#context),
      leaseService(this.#context),
      ...lazy,
      this.#health.service,
    ];
    this.#grpc = new GrpcServer({
      services: [...services, ...lazyReflection(services)],
      maxReceiveBytes: config.maxRequestBytes + MESSAGE_OVERHEAD_BYTES,
      statusOf: (error) =>
        statusOf(error, (found) => {
          unexpected.error("a request failed for an unexpected reason", { error: reasonOf(found) });
        }),
      onCallEnd: (call) => {
        slow(call);
        handlingTimes?.ended(call);
      },
    });
    const counts = new HttpCounts();
    const calls = this.#grpc.counts;
    this.#metrics = new ServerMetrics({ member, calls, http: counts, handlingTimes });
    // The first of these calls shall not wait for their code, and nobody for that of the first scrape.
    setImmediate(() => {
      for (const service of lazy) this.#background.push(service.load().catch(() => undefined));
      this.#background.push(this.#metrics.text().catch(() => undefined));
    });
    const endpoints = new HttpEndpoints({
      member,
      metrics: this.#metrics,
      counts,
      log: engineLogOf(log.from("server/http")),
      access: { cors: config.cors, hostWhitelist: config.hostWhitelist },
    });
    const { client, monitoring } = endpoints;
    listeners.serve({ grpc: this.#grpc, client, monitoring, peer: peerHandler(member) });
  }

  /** Ends streams, lets calls under way finish, and leaves everything on the disk. @throws (rejects) as Member.close */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const about: LogFields = {
      name: this.#config.name,
      "data-dir": this.#config.dataDir,
      "advertise-peer-urls": this.#config.advertisePeerUrls.map(({ text }) => text),
      "advertise-client-urls": this.clientUrls,
    };
    this.#log.info("closing etcd server", about);
    this.#stopped.abort();
    this.#health.shutdown();
    this.#grpc.drain();
    await this.#listeners.close(GRACE_MS);
    await Promise.all(this.#background);
    this.#metrics.close();
    this.#context.close();
    try {
      await this.member.close();
    } finally {
      this.#log.info("closed etcd server", about);
    }
  }

  #serve(clientUrls: readonly string[], isNew: boolean): void {
    const { cluster } = this.member;
    const log = this.#log;
    const ids = {
      "cluster-id": cluster.id.toString(16),
      "local-member-id": cluster.localId.toString(16),
    };
    if (isNew) {
      const version = cluster.version ?? "";
      log.info("setting up initial cluster version", { ...ids, "cluster-version": version });
      log.info("cluster version is updated", { "cluster-version": version });
    }
    const name = cluster.member(cluster.localId)?.name ?? this.#config.name;
    log.info("published local member to cluster through raft", {
      ...ids,
      "local-member-attributes": `{Name:${name} ClientURLs:[${clientUrls.join(" ")}]}`,
    });
    log.info("now serving peer/client/metrics", {
      ...ids,
      "initial-advertise-peer-urls": this.#config.advertisePeerUrls.map(({ text }) => text),
      "listen-peer-urls": this.#config.listenPeerUrls.map(({ text }) => text),
      "advertise-client-urls": clientUrls,
      "listen-client-urls": this.clientUrls,
      "listen-metrics-urls": this.metricsUrls,
    });
    for (const { address, secure } of this.#listeners.clientPorts) {
      log.info("ready to serve client requests");
      log.info(
        secure
          ? "serving client traffic securely"
          : "serving client traffic insecurely; this is strongly discouraged!",
        { address },
      );
    }
  }
}

function valuesOf(
  flags: Readonly<Record<string, string | number | boolean>>,
): Map<string, GoFlagValue> {
  const values = new Map<string, GoFlagValue>();
  for (const [name, value] of Object.entries(flags)) {
    const flag = serverFlag(name);
    if (flag === undefined) throw new ConfigError(`there is no flag ${JSON.stringify(name)}`);
    try {
      values.set(name, goFlagValue(flag, String(value)));
    } catch (error) {
      if (!(error instanceof GoSyntaxError)) throw error;
      throw new ConfigError(
        `invalid value ${JSON.stringify(String(value))} for flag -${name}: ${error.message}`,
      );
    }
  }
  return values;
}

/** @throws ConfigError */
function selfMaintenanceOf(config: ServerConfig): SelfMaintenanceOptions {
  const { autoCompactionMode, autoCompactionRetention, autoDefrag } = config;
  const { scheduledSnapshots: snapshots } = config;
  try {
    const autoCompaction = parseAutoCompaction(autoCompactionMode, autoCompactionRetention);
    return { autoCompaction, autoDefrag: { current: autoDefrag }, snapshots };
  } catch (error) {
    if (error instanceof StrataError) throw new ConfigError(error.message);
    throw error;
  }
}

/** What a token is made of is looked at now, as in etcd, and used only once authentication is on. */
function assertAuthToken({ authToken }: ServerConfig): void {
  const [kind] = authToken.split(",", 1);
  if (kind !== "simple" && kind !== "jwt") throw new ConfigError("auth: invalid auth options");
}

/** There is a log already: the initial cluster does not matter any more. */
function isInitialized({ dataDir, walDir }: ServerConfig): boolean {
  const folder = walDir === "" ? join(dataDir, MEMBER_FOLDER, WAL_FOLDER) : walDir;
  return (namesIn(folder) ?? []).some((name) => name.endsWith(".wal"));
}

const KNOWN_NAMES: ReadonlySet<string> = new Set(["member", "fixtures"]);

function lookAtDataDir({ dataDir }: ServerConfig, log: Logger): void {
  for (const filename of namesIn(dataDir) ?? []) {
    if (KNOWN_NAMES.has(filename)) continue;
    const fields = { filename, "data-dir": dataDir };
    log.warn("found invalid file under data directory", fields);
  }
  const permissions = permissionsOf(dataDir);
  if (permissions === undefined || (permissions & 0o077) === 0) return;
  const shown = (bits: number): string => `0${bits.toString(8)}`;
  log.warn("check file permission", {
    error: `directory ${JSON.stringify(dataDir)} exist, but the permission is ${shown(permissions)}. The recommended permission is 0700 to prevent possible unprivileged access to the data`,
  });
}

function clientTls(config: ServerConfig, log: Logger): ClientTls | undefined {
  const urls = [...config.listenClientUrls, ...config.listenClientHttpUrls];
  const place = { dataDir: resolve(config.dataDir), urls, now: new Date() };
  const tls = withAutoTls(config.tls, place, log);
  const isThere = tls.certFile !== "" || tls.keyFile !== "";
  for (const url of urls) {
    if (isSecure(url)) continue;
    const about = { "client-url": url.text };
    if (isThere) {
      log.warn(
        "scheme is http or unix while key and cert files are present; ignoring key and cert files",
        about,
      );
    }
    if (tls.clientCertAuth) {
      log.warn(
        "scheme is http or unix while --client-cert-auth is enabled; ignoring client cert auth for this URL",
        about,
      );
    }
  }
  if (!isThere || ![...urls, ...config.listenMetricsUrls].some(isSecure)) return undefined;
  log.info("starting with client TLS", {
    "tls-info": `cert = ${tls.certFile}, key = ${tls.keyFile}, trusted-ca = ${tls.trustedCaFile}, client-cert-auth = ${tls.clientCertAuth}, crl-file = ${tls.crlFile}`,
    "cipher-suites": tls.cipherSuites,
  });
  return new ClientTls(tls, log);
}

/** etcd leaves some files for its own; undefined: the system does not say. */
async function connectionsMax(): Promise<number | undefined> {
  const { maxFds } = await readProcessStats();
  if (!Number.isFinite(maxFds) || maxFds === 0) return undefined;
  if (maxFds > RESERVED_FILES) return maxFds - RESERVED_FILES;
  throw new ConfigError(
    `file descriptor limit of etcd process is too low; please set higher (limit ${maxFds}, recommended-limit ${RESERVED_FILES})`,
  );
}

/** Waits, if it is to, for whoever has the data dir. @throws (rejects) as Member.open */
async function openMember(
  config: ServerConfig,
  about: {
    readonly log: Logger;
    readonly engineLog: EngineLog;
    readonly clientUrls: readonly string[];
    readonly signal: AbortSignal | undefined;
    readonly waitsForLock: boolean;
  },
): Promise<Member> {
  const { log, engineLog, clientUrls, signal = new AbortController().signal } = about;
  let nextReminderMs = 0;
  for (;;) {
    try {
      return await Member.open(memberOptionsOf(config, { log: engineLog, clientUrls, signal }));
    } catch (error) {
      const isLocked = error instanceof StrataError && error.code === "LOCKED";
      if (!isLocked || !about.waitsForLock) throw error;
      const nowMs = systemClock.nowMs();
      if (nowMs >= nextReminderMs) {
        log.warn("waiting for another process to release the data directory", {
          "data-dir": config.dataDir,
          error: error.message,
        });
        nextReminderMs = nowMs + LOCK_REMINDER_MS;
      }
      await systemClock.sleep(LOCK_RETRY_MS, signal);
      signal.throwIfAborted();
    }
  }
}

async function defragmentIfWorthIt(
  member: Member,
  { bootstrapDefragThresholdBytes: threshold }: ServerConfig,
  log: Logger,
): Promise<void> {
  if (threshold === 0) return;
  const { sizeBytes, inUseBytes } = member.backend.space;
  const fields = { "threshold-bytes": threshold, "free-bytes": sizeBytes - inUseBytes };
  if (sizeBytes - inUseBytes < threshold) {
    log.info("Skipping defragmentation", fields);
    return;
  }
  await member.maintenance.defragment();
}

function engineLogOf(log: Logger): EngineLog {
  return ({ level, message, fields }) => log[level](message, fields);
}

function sayStarting(config: ServerConfig, isNew: boolean, log: Logger): void {
  log.info("starting an etcd server", {
    "etcd-version": ETCD_VERSION,
    "strata-version": PRODUCT_VERSION,
    "node-version": process.version,
    "member-initialized": !isNew,
    name: config.name,
    "data-dir": config.dataDir,
    "wal-dir": config.walDir,
    "member-dir": join(config.dataDir, MEMBER_FOLDER),
    "heartbeat-interval": formatGoDuration(config.heartbeatMs),
    "election-timeout": formatGoDuration(config.electionMs),
    "snapshot-count": config.snapshotCount,
    "max-wals": config.maxWals,
    "max-snapshots": config.maxSnapshots,
    "initial-advertise-peer-urls": config.advertisePeerUrls.map(({ text }) => text),
    "advertise-client-urls": config.advertiseClientUrls.map(({ text }) => text),
    "listen-client-urls": config.listenClientUrls.map(({ text }) => text),
    "listen-metrics-urls": config.listenMetricsUrls.map(({ text }) => text),
    cors: config.cors,
    "host-whitelist": config.hostWhitelist,
    "initial-cluster": config.initialCluster,
    "initial-cluster-token": config.clusterToken,
    "quota-backend-bytes": config.quotaBytes,
    "quota-mode": config.quotaMode,
    "max-request-bytes": config.maxRequestBytes,
    "max-concurrent-streams": config.maxConcurrentStreams,
    "auto-compaction-mode": config.autoCompactionMode,
    "auto-compaction-retention": config.autoCompactionRetention,
    "auto-defrag": config.autoDefrag?.rule.text ?? "",
  });
}
