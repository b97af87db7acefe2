/**
 * A real etcd on loopback ports of its own, its etcdctl, and a fast way to fill it.
 * Tests that start one stand under `describeWithPeers(name, ["etcd", "etcdctl"], …)`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { cleanUpAtEnd, scratchFolder } from "./cleanup.ts";
import { peerPath } from "./peers.ts";

export interface EtcdOptions {
  /** Default: a new folder that is removed at the end. A given one is left alone. */
  readonly dataDir?: string;
  /** Default: "n1". */
  readonly name?: string;
  /** Further flags; they come last, so they win. */
  readonly flags?: readonly string[];
  /** Further variables. Those of the caller that start with ETCD are not passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Take it for ready when it answers a read: with an alarm it is never healthy. Default: when /health is true. */
  readonly readyToRead?: boolean;
  /** How long it may take until it is ready. Default: 30000. */
  readonly readyTimeoutMs?: number;
}

export interface CommandResult {
  /** Exit code; null if a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A port may be taken between asking for it and using it. */
const PORT_ATTEMPTS = 3;
const POLL_MS = 50;

export class RealEtcd implements AsyncDisposable {
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly dataDir: string;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  readonly #forget: () => void;
  #stderr = "";

  private constructor(options: EtcdOptions, dataDir: string, clientPort: number, peerPort: number) {
    const name = options.name ?? "n1";
    this.clientUrl = `http://127.0.0.1:${clientPort}`;
    this.peerUrl = `http://127.0.0.1:${peerPort}`;
    this.dataDir = dataDir;
    const flags = [
      ["--name", name],
      ["--data-dir", dataDir],
      ["--listen-client-urls", this.clientUrl],
      ["--advertise-client-urls", this.clientUrl],
      ["--listen-peer-urls", this.peerUrl],
      ["--initial-advertise-peer-urls", this.peerUrl],
      ["--initial-cluster", `${name}=${this.peerUrl}`],
      ["--logger", "zap"],
    ].flat();
    this.#child = spawn(peerPath("etcd"), [...flags, ...(options.flags ?? [])], {
      stdio: ["ignore", "ignore", "pipe"],
      // etcd 3.4 starts on other machines than amd64 only if told that nobody supports it.
      env: { ...withoutEtcd(process.env), ETCD_UNSUPPORTED_ARCH: process.arch, ...options.env },
    });
    this.#gone = new Promise((resolve) => {
      this.#child.once("close", () => resolve());
      this.#child.once("error", (error) => {
        this.#stderr += error.message;
        resolve();
      });
    });
    this.#forget = cleanUpAtEnd(() => this.#child.kill("SIGKILL"));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
  }

  /**
   * Starts etcd and waits until it is healthy.
   * @throws Error with its stderr if it exits or is not healthy in time; it has been killed then
   */
  static async start(options: EtcdOptions = {}): Promise<RealEtcd> {
    const dataDir = options.dataDir ?? join(scratchFolder("etcd"), "data");
    for (let attempt = 1; ; attempt++) {
      const [clientPort, peerPort] = await freePorts();
      const etcd = new RealEtcd(options, dataDir, clientPort, peerPort);
      try {
        const isReady = options.readyToRead ? answersRead : isHealthy;
        await etcd.#ready(isReady, options.readyTimeoutMs ?? 30_000);
        return etcd;
      } catch (error) {
        await etcd.stop("SIGKILL");
        const portTaken = etcd.stderr.includes("address already in use");
        if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Its log so far. */
  get stderr(): string {
    return this.#stderr;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Runs etcdctl against this etcd; never throws for what etcdctl says. */
  async etcdctl(...args: readonly string[]): Promise<CommandResult> {
    return await etcdctl("--endpoints", this.clientUrl, ...args);
  }

  /** POSTs JSON to etcd's gateway, as in `call("/v3/kv/put", …)`. @throws Error with etcd's words */
  async call(path: string, body: object): Promise<unknown> {
    const response = await fetch(this.clientUrl + path, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return await response.json();
  }

  /** Ends it and waits until it is gone: SIGTERM as an operator would, SIGKILL as a crash. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (this.running) this.#child.kill(signal);
    await this.#gone;
    this.#forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }

  async #ready(isReady: (url: string) => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.running && Date.now() < deadline) {
      if (await isReady(this.clientUrl)) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const what = this.running ? `is not healthy after ${timeoutMs} ms` : "ended";
    throw new Error(`etcd ${what}:\n${headAndTail(this.#stderr)}`);
  }
}

/** Runs etcdctl as it is, for commands on files; never throws for what etcdctl says. */
export async function etcdctl(...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(peerPath("etcdctl"), args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...withoutEtcd(process.env), ETCDCTL_API: "3" },
  });
  const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  forget();
  return { code, stdout, stderr };
}

export interface LoadOptions {
  readonly count: number;
  /** Called with 0 … count - 1. Keys must differ within one transaction. */
  readonly key: (i: number) => string | Uint8Array;
  readonly value: (i: number) => string | Uint8Array;
  /** Puts per transaction, 1 to 128 (etcd's --max-txn-ops). 1 is a plain put each. Default: 128. */
  readonly batch?: number;
  /** Requests on their way at a time. With more than 1, revisions come in any order. Default: 8. */
  readonly concurrency?: number;
}

/** Fills etcd through its JSON gateway. @throws Error with etcd's words at the first request it refuses */
export async function loadEtcd(etcd: RealEtcd, options: LoadOptions): Promise<void> {
  const { count, key, value, batch = 128, concurrency = 8 } = options;
  const putOf = (i: number): object => ({ key: base64(key(i)), value: base64(value(i)) });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const first = next;
      next = Math.min(count, first + batch);
      if (batch === 1) {
        await etcd.call("/v3/kv/put", putOf(first));
      } else {
        const success: object[] = [];
        for (let i = first; i < Math.min(count, first + batch); i++) {
          success.push({ request_put: putOf(i) });
        }
        await etcd.call("/v3/kv/txn", { success });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** A refused flag is said first, before all of the usage; what stops a server is said last. */
function headAndTail(text: string): string {
  const lines = text.split("\n");
  return lines.length < 25 ? text : [...lines.slice(0, 4), "…", ...lines.slice(-20)].join("\n");
}

function base64(bytes: string | Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function withoutEtcd(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("ETCD")));
}

async function answersRead(clientUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${clientUrl}/v3/kv/range`, {
      method: "POST",
      body: JSON.stringify({ key: "AA==" }),
      signal: AbortSignal.timeout(1000),
    });
    return response.ok;
  } catch {
    return false; // Not listening yet.
  }
}

async function isHealthy(clientUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${clientUrl}/health`, { signal: AbortSignal.timeout(1000) });
    const { health } = (await response.json()) as { health?: string };
    return health === "true";
  } catch {
    return false; // Not listening yet.
  }
}

/** Two ports that nobody listens on; both are held until both are known, so that they differ. */
/** Two ports of loopback that nobody had a moment ago. */
export async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            resolve(typeof address === "object" && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const [client = 0, peer = 0] = ports;
  return [client, peer];
}
