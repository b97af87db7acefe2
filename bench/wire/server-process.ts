/** The two servers that are compared, as processes: the same flags, the same durability, a data dir of their own. */
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cleanUpAtEnd } from "../../test/support/cleanup.ts";
import { projectFolder } from "../../test/support/judge.ts";
import { type Peer, peer } from "../../test/support/peers.ts";
import { etcdctl, freePorts, RealEtcd } from "../../test/support/real-etcd.ts";
import { residentBytes } from "../store/resident.ts";

export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

export interface ServerKind {
  readonly name: string;
  readonly peer: Peer;
  /** @param flags  further ones, that both servers know */
  start(dataDir: string, flags?: readonly string[]): Promise<ServerProcess>;
}

const READY = "ready to serve client requests";
const READY_TIMEOUT_MS = 120_000;

const STRATA_COMMAND = join(projectFolder(), "dist/src/cli/bin/strata.js");

export const STRATA: ServerKind = {
  name: "strata",
  peer: { found: true, path: STRATA_COMMAND, version: "" },
  start: startStrata,
};

export const ETCD: ServerKind = {
  name: "etcd",
  peer: peer("etcd"),
  start: async (dataDir, flags = []) => {
    const etcd = await RealEtcd.start({ dataDir, flags, readyTimeoutMs: READY_TIMEOUT_MS });
    const port = Number(new URL(etcd.clientUrl).port);
    return { pid: etcd.pid, port, url: etcd.clientUrl, stop: () => etcd.stop() };
  },
};

async function startStrata(
  dataDir: string,
  further: readonly string[] = [],
): Promise<ServerProcess> {
  const [port] = await freePorts();
  const url = `http://127.0.0.1:${port}`;
  const flags = [
    "--data-dir",
    dataDir,
    "--listen-client-urls",
    url,
    "--advertise-client-urls",
    url,
    ...further,
  ];
  const more = (process.env.STRATA_NODE_FLAGS ?? "").split(" ").filter(Boolean);
  const child = spawn(process.execPath, [...more, STRATA_COMMAND, ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
  let log = "";
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready: ${log}`)), READY_TIMEOUT_MS);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (log.length < 100_000) log += text;
      if (!log.includes(READY)) return;
      clearTimeout(timer);
      resolve();
    });
    child.once("close", () => reject(new Error(`strata ended: ${log}`)));
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await gone;
    forget();
  };
  return { pid: child.pid ?? -1, port, url, stop };
}

/** In a new data dir, which is removed afterwards. */
export async function withServer<T>(
  kind: ServerKind,
  folder: string,
  use: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const dataDir = join(folder, kind.name);
  const server = await kind.start(dataDir);
  try {
    return await use(server);
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const TICKS_PER_SECOND = 100;

/** User and system time of a process and its threads so far. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export function peakBytes(pid: number): number {
  return residentBytes(pid, "VmHWM");
}

/** By the real etcdctl, so that nobody marks his own work. */
export async function revisionOf(url: string): Promise<number> {
  const asked = await etcdctl("--endpoints", url, "get", "no such key", "-w", "json");
  const { header } = JSON.parse(asked.stdout) as { header: { revision?: number } };
  return header.revision ?? 0;
}
