/** An etcdctl against one server: commands that end, and those that go on until somebody ends them. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { cleanUpAtEnd } from "./cleanup.ts";
import { type ClientKind, etcdctlCommand } from "./etcdctl-command.ts";
import type { CommandResult } from "./real-etcd.ts";

const SAYS_TIMEOUT_MS = 30_000;
const POLL_MS = 10;

export interface EtcdctlOptions {
  readonly cwd: string;
  /** `127.0.0.1:12345` */
  readonly endpoint: string;
  /** Default: the real one. */
  readonly client?: ClientKind;
}

export class Etcdctl {
  readonly #options: EtcdctlOptions;

  constructor(options: EtcdctlOptions) {
    this.#options = options;
  }

  /** Never throws for what it says. @param stdin  it is closed after this */
  async run(args: readonly string[], stdin = ""): Promise<CommandResult> {
    const running = this.start(...args);
    running.write(stdin);
    return await running.end();
  }

  /** What a command that must succeed says on stdout. @throws Error with what it said if it fails */
  async out(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0)
      throw new Error(`etcdctl ${args.join(" ")} ended with ${code}: ${stderr.slice(-500)}`);
    return stdout;
  }

  start(...args: readonly string[]): RunningEtcdctl {
    return new RunningEtcdctl(args, this.#options);
  }
}

export class RunningEtcdctl {
  readonly #child: ChildProcessWithoutNullStreams;
  /** Resolves when it is gone. */
  readonly gone: Promise<CommandResult>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], { cwd, endpoint, client = "real" }: EtcdctlOptions) {
    const [program, ...before] = etcdctlCommand(client);
    this.#child = spawn(program, [...before, ...args], {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: endpoint },
    });
    const forget = cleanUpAtEnd(() => this.#child.kill("SIGKILL"));
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.#child.stdin.on("error", () => undefined); // It need not read what it is told.
    this.gone = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code) => {
        forget();
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  write(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Waits until it has said that on stdout. @throws Error with what it said if it ends before, or takes too long */
  async says(text: string): Promise<void> {
    const deadline = Date.now() + SAYS_TIMEOUT_MS;
    while (!this.stdout.includes(text)) {
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`it does not say ${JSON.stringify(text)}: ${this.stdout}\n${this.stderr}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Closes its input, sends the signal if one is given, and waits until it is gone. */
  async end(signal?: NodeJS.Signals): Promise<CommandResult> {
    this.#child.stdin.end();
    if (signal !== undefined) this.#child.kill(signal);
    return await this.gone;
  }
}
