/**
 * An etcd server by its command line: the built `strata`, or a real etcd with the very same flags, so that whatever
 * judges the one can be judged by the other.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { builtFile } from "./built-cli.ts";
import { cleanUpAtEnd, scratchFolder } from "./cleanup.ts";
import { loopbackPorts } from "./loopback-ports.ts";
import { peerPath } from "./peers.ts";

export type ServerKind = "strata" | "etcd";

/** Who is judged: `STRATA_JUDGED=etcd` puts a real etcd in strata's place, to judge the tests. */
export const JUDGED: ServerKind = process.env.STRATA_JUDGED === "etcd" ? "etcd" : "strata";

export interface ServerOptions {
  readonly kind?: ServerKind;
  /** Where it runs; its data dir is `data` in it. Default: a new folder that is removed at the end. */
  readonly cwd?: string;
  /** Default: free ones. */
  readonly ports?: { readonly client: number; readonly peer: number };
  /** The client URL is https; the certificate is among the flags. */
  readonly tls?: boolean;
  /** Further flags, as `--quota-backend-bytes=1`; they come last. */
  readonly flags?: readonly string[];
  /** Of Node, for strata. */
  readonly nodeFlags?: readonly string[];
}

const READY = "ready to serve client requests";
const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 20;

export class ServerProcess implements AsyncDisposable {
  readonly kind: ServerKind;
  readonly cwd: string;
  readonly clientPort: number;
  /** `127.0.0.1:12345` */
  readonly endpoint: string;
  readonly clientUrl: string;
  readonly #command: readonly string[];
  #life: Life | undefined;
  #log = "";

  private constructor(options: ServerOptions, client: number, peer: number) {
    const { kind = JUDGED, tls = false, flags = [], nodeFlags = [] } = options;
    this.kind = kind;
    this.cwd = options.cwd ?? scratchFolder("server");
    this.clientPort = client;
    this.endpoint = `127.0.0.1:${client}`;
    this.clientUrl = `${tls ? "https" : "http"}://${this.endpoint}`;
    const peerUrl = `http://127.0.0.1:${peer}`;
    this.#command = [
      ...(kind === "etcd"
        ? [peerPath("etcd")]
        : [process.execPath, ...nodeFlags, builtFile("strata")]),
      ...["--name", "default", "--data-dir", "data"],
      ...["--listen-client-urls", this.clientUrl, "--advertise-client-urls", this.clientUrl],
      ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
      ...["--initial-cluster", `default=${peerUrl}`],
      ...flags,
    ];
  }

  /** Starts it and waits until it is ready. @throws Error with the end of its log if it is not in time, or ends */
  static async start(options: ServerOptions = {}): Promise<ServerProcess> {
    const { client, peer } = options.ports ?? (await twoPorts());
    const server = new ServerProcess(options, client, peer);
    await server.start();
    return server;
  }

  get pid(): number {
    return this.#life?.child.pid ?? -1;
  }

  get running(): boolean {
    return this.#life?.running ?? false;
  }

  /** What it has said so far, in all its lives. */
  get log(): string {
    return this.#log;
  }

  /** Resident memory, in bytes. */
  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }

  /** Once more, on the same data and ports. */
  async start(): Promise<void> {
    const life = new Life(this.#command, this.cwd, (text) => {
      this.#log += text;
    });
    this.#life = life;
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!life.log.includes(READY) || !(await answers(this.clientPort))) {
      if (!life.running || Date.now() > deadline) {
        await life.end("SIGKILL");
        throw new Error(`${this.kind} did not get ready:\n${life.log.slice(-4000)}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** @returns how it ended: its exit code, or the signal that ended it */
  async stop(signal: "SIGTERM" | "SIGINT" | "SIGKILL" = "SIGTERM"): Promise<number | string> {
    return (await this.#life?.end(signal)) ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }
}

/** One process, from its start to its end. */
class Life {
  readonly child: ChildProcess;
  readonly #gone: Promise<void>;
  log = "";

  constructor(
    [program = "", ...args]: readonly string[],
    cwd: string,
    say: (text: string) => void,
  ) {
    this.child = spawn(program, args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      // etcd 3.4 starts on other machines than amd64 only if told that nobody supports it.
      env: { PATH: process.env.PATH, HOME: cwd, ETCD_UNSUPPORTED_ARCH: process.arch },
    });
    const forget = cleanUpAtEnd(() => this.child.kill("SIGKILL"));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
        say(text);
      });
    }
    this.#gone = new Promise((resolve) => {
      const end = (): void => {
        forget();
        resolve();
      };
      this.child.once("close", end);
      this.child.once("error", end);
    });
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async end(signal: NodeJS.Signals): Promise<number | string> {
    if (this.running) this.child.kill(signal);
    const late = setTimeout(() => this.child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#gone;
    clearTimeout(late);
    return this.child.signalCode ?? this.child.exitCode ?? "";
  }
}

async function twoPorts(): Promise<{ client: number; peer: number }> {
  const [client = 0, peer = 0] = await loopbackPorts(2);
  return { client, peer };
}

/** Whether anyone listens: the log's line may come before the first connection is taken. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Paths of a data dir under `cwd`. */
export function dataDirOf(server: ServerProcess): string {
  return join(server.cwd, "data");
}
