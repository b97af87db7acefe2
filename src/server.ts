/** An etcd server inside a program: one member, reached by etcd's own clients. */
export { ConfigError } from "./server/config/settings.ts";
export type { LogFields, Logger, LogLevel, LogValue } from "./server/logging/logger.ts";
export { EtcdServer, type EtcdServerOptions } from "./server/server.ts";
