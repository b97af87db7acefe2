/**
 * Every flag that etcd's server has had from 3.4 on, once: what reads command lines, variables and files, what prints the
 * usage and what the docs show all come from here. Defaults are those of 3.5.
 * And those of our own, in a section of theirs.
 *
 * `works`: it does what etcd's does. `accepted`: it has no meaning for a member that is alone, or none here; it may be
 * given. `refused`: who sets it to anything but `harmless` wants something that there is not.
 */
import type { GoFlag, GoFlagKind } from "../../console/go-flag.ts";
import { choice, share, uniqueStrings, uniqueUrls } from "./flag-kinds.ts";

export type Relevance = "works" | "accepted" | "refused";

export type Section =
  | "Member"
  | "Clustering"
  | "Security"
  | "Auth"
  | "Profiling and Monitoring"
  | "Logging"
  | "Distributed tracing"
  | "Maintenance"
  | "Self-maintenance"
  | "Unsafe"
  | "Discovery and proxy";

export interface ServerFlag extends GoFlag {
  readonly section: Section;
  readonly relevance: Relevance;
  /** As it would be typed. */
  readonly default: string;
  readonly help: string;
  /** The flag's present name, if this is an old one. */
  readonly presentName?: string;
  /** Of a refused one: what may be said nevertheless, besides the default. */
  readonly harmless?: readonly string[];
}

type Rest = Partial<Pick<ServerFlag, "relevance" | "parse" | "presentName" | "harmless">>;

function sectionOf(section: Section) {
  return (
    name: string,
    kind: GoFlagKind,
    text: string,
    help: string,
    rest: Rest = {},
  ): ServerFlag => ({ name, kind, default: text, help, section, relevance: "works", ...rest });
}

const urls: Rest = { parse: uniqueUrls([""]) };
const accepted: Rest = { relevance: "accepted" };
const refused: Rest = { relevance: "refused" };

const member = sectionOf("Member");
const MEMBER: readonly ServerFlag[] = [
  member("name", "string", "default", "this member's name"),
  member("data-dir", "string", "", "data directory; without it the name and .etcd"),
  member("wal-dir", "string", "", "directory of the log, if it is not to be in the data directory"),
  member("listen-client-urls", "custom", "http://localhost:2379", "URLs to serve clients on", urls),
  member(
    "listen-client-http-urls",
    "custom",
    "",
    "URLs for HTTP/1.1 alone; the others are for gRPC alone then",
    urls,
  ),
  member(
    "listen-peer-urls",
    "custom",
    "http://localhost:2380",
    "URLs for peers, of which there are none: /version and /members",
    urls,
  ),
  member("listen-metrics-urls", "custom", "", "further URLs for /metrics and /health", urls),
  member(
    "quota-backend-bytes",
    "int",
    "0",
    "what the database may take; 0: 2 GiB, negative: no limit",
  ),
  member(
    "quota-mode",
    "custom",
    "size",
    "size: the whole file counts, as in etcd; allocatable: what can be used again does not",
    { parse: choice("size", "allocatable") },
  ),
  member(
    "quota-soft-limit",
    "custom",
    "0",
    "share of the quota, as 0.8, from which on it is warned of, with a forecast; 0: never",
    { parse: share },
  ),
  member("auto-disarm", "bool", "false", "lift the NOSPACE alarm when there is room again"),
  member(
    "backend-batch-interval",
    "duration",
    "0s",
    "longest time before the database commits; 0: 100ms",
  ),
  member("backend-batch-limit", "int", "0", "most changes before the database commits; 0: 10000"),
  member("backend-bbolt-freelist-type", "string", "map", "how bbolt keeps its free list", accepted),
  member("max-txn-ops", "uint", "128", "most operations of a transaction"),
  member("max-request-bytes", "uint", "1572864", "most bytes of a request"),
  member("max-concurrent-streams", "uint32", "4294967295", "most streams of one HTTP/2 connection"),
  member(
    "grpc-keepalive-min-time",
    "duration",
    "5s",
    "a client that pings more often is sent away",
  ),
  member(
    "grpc-keepalive-interval",
    "duration",
    "2h0m0s",
    "how often the server pings a client; 0: never",
  ),
  member("grpc-keepalive-timeout", "duration", "20s", "how long it waits for the answer"),
  member("snapshot-count", "uint", "100000", "log entries between two snapshots of the log"),
  member("snapshot-catchup-entries", "uint", "5000", "entries kept for slow followers", accepted),
  member("max-snapshots", "uint", "5", "snapshot files kept; 0: all"),
  member("max-wals", "uint", "5", "log files kept; 0: all"),
  member("heartbeat-interval", "uint", "100", "milliseconds of a tick"),
  member(
    "election-timeout",
    "uint",
    "1000",
    "milliseconds; leases last one and a half times as long at least",
  ),
  member("initial-election-tick-advance", "bool", "true", "shorten the first election", accepted),
  member("socket-reuse-port", "bool", "false", "SO_REUSEPORT", accepted),
  member("socket-reuse-address", "bool", "false", "SO_REUSEADDR", accepted),
  member("raft-read-timeout", "duration", "5s", "between peers", accepted),
  member("raft-write-timeout", "duration", "5s", "between peers", accepted),
  member("memory-mlock", "bool", "false", "keep the database in RAM", accepted),
  member(
    "config-file",
    "string",
    "",
    "a YAML file; all other flags and variables are ignored then",
  ),
  member("version", "bool", "false", "print the version and exit"),
];

const clustering = sectionOf("Clustering");
const CLUSTERING: readonly ServerFlag[] = [
  clustering(
    "advertise-client-urls",
    "custom",
    "http://localhost:2379",
    "this member's client URLs, as others are told",
    urls,
  ),
  clustering(
    "initial-advertise-peer-urls",
    "custom",
    "http://localhost:2380",
    "this member's peer URLs; its id is made of them",
    urls,
  ),
  clustering(
    "initial-cluster",
    "string",
    "default=http://localhost:2380",
    "the members of a new cluster: this one",
  ),
  clustering(
    "initial-cluster-token",
    "string",
    "etcd-cluster",
    "makes the ids of a new cluster its own",
  ),
  clustering("initial-cluster-state", "custom", "new", "new or existing", {
    ...accepted,
    parse: choice("new", "existing"),
  }),
  clustering(
    "strict-reconfig-check",
    "bool",
    "true",
    "refuse changes of members that lose the quorum",
    accepted,
  ),
  clustering("pre-vote", "bool", "true", "ask before an election", accepted),
  clustering("max-learners", "int", "1", "most learners", accepted),
  clustering("v2-deprecation", "custom", "not-yet", "how far the v2 store is given up", {
    ...accepted,
    parse: choice("not-yet", "write-only", "write-only-drop-data", "gone"),
  }),
  clustering(
    "downgrade-check-time",
    "duration",
    "5s",
    "between two looks at a downgrade",
    accepted,
  ),
  clustering("feature-gates", "string", "", "features by their names", accepted),
];

const security = sectionOf("Security");
const SECURITY: readonly ServerFlag[] = [
  security("cert-file", "string", "", "certificate of https client URLs, PEM"),
  security("key-file", "string", "", "its key, PEM"),
  security("client-cert-file", "string", "", "certificate of this server as a client", accepted),
  security("client-key-file", "string", "", "its key", accepted),
  security(
    "client-cert-auth",
    "bool",
    "false",
    "clients must show a certificate that --trusted-ca-file vouches for",
  ),
  security(
    "trusted-ca-file",
    "string",
    "",
    "who vouches for clients, PEM; clients must show a certificate then",
  ),
  security("client-crl-file", "string", "", "certificates that count no more, PEM or DER"),
  security(
    "client-cert-allowed-hostname",
    "list",
    "",
    "names, one of which a client's certificate must be for",
  ),
  security(
    "auto-tls",
    "bool",
    "false",
    "https client URLs with a certificate made here, in data-dir/fixtures/client",
  ),
  security("self-signed-cert-validity", "uint", "1", "years that such a certificate lasts"),
  security("cipher-suites", "list", "", "names of TLS 1.2 cipher suites, as Go has them"),
  security("tls-min-version", "string", "TLS1.2", "TLS1.2 or TLS1.3"),
  security("tls-max-version", "string", "", "TLS1.2 or TLS1.3; empty: the newest"),
  security("cors", "custom", "*", "origins that browsers may call from; empty or *: all", {
    parse: uniqueUrls(["*", ""]),
  }),
  security(
    "host-whitelist",
    "custom",
    "*",
    "names that an insecure server answers to; empty or *: all",
    { parse: uniqueStrings },
  ),
  security("peer-cert-file", "string", "", "peer certificate", accepted),
  security("peer-key-file", "string", "", "peer key", accepted),
  security("peer-client-cert-file", "string", "", "peer client certificate", accepted),
  security("peer-client-key-file", "string", "", "peer client key", accepted),
  security("peer-client-cert-auth", "bool", "false", "peers must show a certificate", accepted),
  security("peer-trusted-ca-file", "string", "", "who vouches for peers", accepted),
  security("peer-cert-allowed-cn", "list", "", "names of peers", accepted),
  security("peer-cert-allowed-hostname", "list", "", "host names of peers", accepted),
  security("peer-auto-tls", "bool", "false", "peer certificates made here", accepted),
  security("peer-crl-file", "string", "", "peer certificates that count no more", accepted),
  security(
    "peer-skip-client-san-verification",
    "bool",
    "false",
    "do not look at a peer's address",
    accepted,
  ),
];

const auth = sectionOf("Auth");
const AUTH: readonly ServerFlag[] = [
  // Users and roles cannot be switched on yet.
  auth("auth-token", "string", "simple", "simple, or jwt with its options", accepted),
  auth("auth-token-ttl", "uint", "300", "seconds that a simple token lasts", accepted),
  auth("bcrypt-cost", "uint", "10", "how dear a password's hash is: 4 to 31", accepted),
];

const monitoring = sectionOf("Profiling and Monitoring");
const MONITORING: readonly ServerFlag[] = [
  monitoring("metrics", "string", "basic", "basic, or extensive with histograms of calls"),
  monitoring("enable-pprof", "bool", "false", "Go's profiles", accepted),
  // Not there yet.
  monitoring("enable-grpc-gateway", "bool", "true", "the JSON API under /v3", accepted),
  monitoring(
    "warning-apply-duration",
    "duration",
    "100ms",
    "a request that takes longer to apply is logged",
  ),
  monitoring(
    "warning-unary-request-duration",
    "duration",
    "300ms",
    "a unary call that takes longer is logged",
  ),
];

const logging = sectionOf("Logging");
const LOGGING: readonly ServerFlag[] = [
  logging("logger", "custom", "zap", "zap", { ...accepted, parse: choice("zap", "capnslog") }),
  logging("log-outputs", "custom", "default", "stdout, stderr, default (stderr), or files", {
    parse: uniqueStrings,
  }),
  logging("log-level", "string", "info", "debug, info, warn, error, panic or fatal"),
  logging("log-format", "string", "json", "json or console"),
  logging("enable-log-rotation", "bool", "false", "begin a new file now and then", accepted),
  logging(
    "log-rotation-config-json",
    "string",
    '{"maxsize": 100, "maxage": 0, "maxbackups": 0, "localtime": false, "compress": false}',
    "how",
    accepted,
  ),
  logging("debug", "bool", "false", "as --log-level=debug"),
  logging("log-package-levels", "string", "", "levels of packages", accepted),
];

const tracing = sectionOf("Distributed tracing");
const TRACING: readonly ServerFlag[] = [
  tracing("enable-distributed-tracing", "bool", "false", "OpenTelemetry", accepted),
  tracing("distributed-tracing-address", "string", "localhost:4317", "its collector", accepted),
  tracing(
    "distributed-tracing-service-name",
    "string",
    "etcd",
    "this service's name there",
    accepted,
  ),
  tracing("distributed-tracing-instance-id", "string", "", "this instance's id there", accepted),
  tracing("distributed-tracing-sampling-rate", "int", "0", "of a million spans", accepted),
];

const maintenance = sectionOf("Maintenance");
const MAINTENANCE: readonly ServerFlag[] = [
  maintenance("auto-compaction-mode", "string", "periodic", "periodic or revision"),
  maintenance(
    "auto-compaction-retention",
    "string",
    "0",
    "history that is kept: hours or a duration, or revisions; 0: all",
  ),
  maintenance(
    "compaction-batch-limit",
    "int",
    "0",
    "records of one step of a compaction; 0: as many as 10 ms allow",
  ),
  maintenance("compaction-sleep-interval", "duration", "10ms", "the pause after it"),
  maintenance(
    "watch-progress-notify-interval",
    "duration",
    "10m0s",
    "how often watches that ask for it hear of progress",
  ),
  maintenance(
    "snapshot-max-duration",
    "duration",
    "1h0m0s",
    "how long a client may take to receive a snapshot, which keeps old pages from being used again; 0: for ever",
  ),
  maintenance(
    "corrupt-check-time",
    "duration",
    "0s",
    "how often members compare their databases",
    accepted,
  ),
  maintenance(
    "compact-hash-check-time",
    "duration",
    "1m0s",
    "how often they compare hashes of compactions",
    accepted,
  ),
  maintenance(
    "bootstrap-defrag-threshold-megabytes",
    "uint",
    "0",
    "defragment at the start if it frees so much; 0: never",
  ),
];

const ofItself = sectionOf("Self-maintenance");
const SELF_MAINTENANCE: readonly ServerFlag[] = [
  ofItself(
    "self-maintain",
    "bool",
    "false",
    "the server looks after itself; what other flags say goes before what this one implies",
  ),
  ofItself(
    "auto-defrag",
    "string",
    "",
    "defragment when this holds, as in dbSizeFree > 200MiB && dbQuotaUsage > 0.5; empty or off: never",
  ),
  ofItself(
    "auto-defrag-quiet-hours",
    "string",
    "",
    "but begin none at these, as in 08:00-18:00,22:00-23:30 or 08:00-18:00 Europe/Berlin",
  ),
  ofItself("auto-defrag-min-interval", "duration", "1h0m0s", "from one to the next, at least"),
  ofItself(
    "auto-defrag-rate",
    "uint",
    "32",
    "MiB that they copy in a second, at most; 0: no limit",
  ),
  ofItself("snapshot-dir", "string", "", "directory to save snapshots to; empty: none are saved"),
  ofItself(
    "snapshot-interval",
    "duration",
    "12h0m0s",
    "from one to the next; none is saved while nothing was written",
  ),
  ofItself("snapshot-keep", "uint", "5", "how many verified ones stay there"),
];

const unsafe = sectionOf("Unsafe");
const UNSAFE: readonly ServerFlag[] = [
  unsafe(
    "unsafe-no-fsync",
    "bool",
    "false",
    "never wait for the disk: a power loss may take everything",
  ),
  unsafe(
    "force-new-cluster",
    "bool",
    "false",
    "make the data directory a cluster of its own",
    accepted,
  ),
];

const gone = sectionOf("Discovery and proxy");
const GONE: readonly ServerFlag[] = [
  gone("discovery", "string", "", "find members by a discovery service", refused),
  gone("discovery-endpoints", "list", "", "a discovery service", refused),
  gone("discovery-token", "string", "", "a discovery service's token", refused),
  gone("discovery-fallback", "custom", "exit", "what if that fails", {
    ...accepted,
    parse: choice("exit", "proxy"),
  }),
  gone("discovery-proxy", "string", "", "a proxy on the way to it", refused),
  gone("discovery-srv", "string", "", "find members by DNS", refused),
  gone("discovery-srv-name", "string", "", "the name to ask DNS for", refused),
  gone("discovery-dial-timeout", "duration", "2s", "of the discovery client", accepted),
  gone("discovery-request-timeout", "duration", "5s", "of the discovery client", accepted),
  gone("discovery-keepalive-time", "duration", "2s", "of the discovery client", accepted),
  gone("discovery-keepalive-timeout", "duration", "6s", "of the discovery client", accepted),
  gone("discovery-insecure-transport", "bool", "true", "of the discovery client", accepted),
  gone("discovery-insecure-skip-tls-verify", "bool", "false", "of the discovery client", accepted),
  gone("discovery-cert", "string", "", "of the discovery client", accepted),
  gone("discovery-key", "string", "", "of the discovery client", accepted),
  gone("discovery-cacert", "string", "", "of the discovery client", accepted),
  gone("discovery-user", "string", "", "of the discovery client", accepted),
  gone("discovery-password", "string", "", "of the discovery client", accepted),
  gone("proxy", "custom", "off", "be a proxy of the v2 API", {
    ...refused,
    parse: choice("off", "readonly", "on"),
  }),
  gone("proxy-failure-wait", "uint", "5000", "of the v2 proxy", accepted),
  gone("proxy-refresh-interval", "uint", "30000", "of the v2 proxy", accepted),
  gone("proxy-dial-timeout", "uint", "1000", "of the v2 proxy", accepted),
  gone("proxy-write-timeout", "uint", "5000", "of the v2 proxy", accepted),
  gone("proxy-read-timeout", "uint", "0", "of the v2 proxy", accepted),
  gone("enable-v2", "bool", "false", "the v2 API", refused),
  gone("experimental-enable-v2v3", "string", "", "the v2 API over v3", refused),
];

/** What etcd itself takes and forgets, and its old names for what has a plain one by now. */
const FORGOTTEN: readonly string[] = [
  "cluster-active-size",
  "cluster-remove-delay",
  "cluster-sync-interval",
  "config",
  "force",
  "max-result-buffer",
  "max-retry-attempts",
  "peer-heartbeat-interval",
  "peer-election-timeout",
  "retry-interval",
  "snapshot",
  "v",
  "vv",
];

const PLAIN: readonly ServerFlag[] = [
  ...MEMBER,
  ...CLUSTERING,
  ...SECURITY,
  ...AUTH,
  ...MONITORING,
  ...LOGGING,
  ...TRACING,
  ...MAINTENANCE,
  ...SELF_MAINTENANCE,
  ...UNSAFE,
  ...GONE,
];

const EXPERIMENTAL: readonly string[] = [
  "backend-bbolt-freelist-type",
  "bootstrap-defrag-threshold-megabytes",
  "compact-hash-check-time",
  "compaction-batch-limit",
  "compaction-sleep-interval",
  "corrupt-check-time",
  "distributed-tracing-address",
  "distributed-tracing-instance-id",
  "distributed-tracing-sampling-rate",
  "distributed-tracing-service-name",
  "downgrade-check-time",
  "enable-distributed-tracing",
  "max-learners",
  "memory-mlock",
  "peer-skip-client-san-verification",
  "snapshot-catchup-entries",
  "warning-apply-duration",
  "warning-unary-request-duration",
  "watch-progress-notify-interval",
];

function oldName(presentName: string): ServerFlag {
  const flag = PLAIN.find(({ name }) => name === presentName);
  if (flag === undefined) throw new Error(`there is no flag ${presentName}`);
  return { ...flag, name: `experimental-${presentName}`, presentName };
}

export const SERVER_FLAGS: readonly ServerFlag[] = [
  ...PLAIN,
  // The flags that have only ever been experimental.
  maintenance(
    "experimental-initial-corrupt-check",
    "bool",
    "false",
    "compare with other members before serving",
    accepted,
  ),
  maintenance(
    "experimental-compact-hash-check-enabled",
    "bool",
    "false",
    "compare hashes of compactions",
    accepted,
  ),
  maintenance(
    "experimental-enable-lease-checkpoint",
    "bool",
    "false",
    "leases keep their remaining time over a restart, which they do in any case",
    accepted,
  ),
  maintenance(
    "experimental-enable-lease-checkpoint-persist",
    "bool",
    "false",
    "the same",
    accepted,
  ),
  maintenance(
    "experimental-txn-mode-write-with-shared-buffer",
    "bool",
    "true",
    "how transactions read",
    accepted,
  ),
  maintenance(
    "experimental-stop-grpc-service-on-defrag",
    "bool",
    "false",
    "stop serving while it defragments, which it does not need to",
    accepted,
  ),
  ...EXPERIMENTAL.map(oldName),
  ...FORGOTTEN.map((name) => gone(name, "bool", "false", "of etcd 0.x", accepted)),
];

const BY_NAME: ReadonlyMap<string, ServerFlag> = new Map(
  SERVER_FLAGS.map((flag) => [flag.name, flag]),
);

export function serverFlag(name: string): ServerFlag | undefined {
  return BY_NAME.get(name);
}
