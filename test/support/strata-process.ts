/** The parent's end of `strata-program.ts`. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { StrataOptions } from "../../src/index.ts";
import { cleanUpAtEnd } from "./cleanup.ts";
import { compiled } from "./compiled.ts";
import type {
  Action,
  HashKv,
  Maintained,
  Outcome,
  Revision,
  RunningMember,
  State,
  Upkeep,
} from "./member-actions.ts";
import type { Asked, Call, Told } from "./strata-program.ts";

export interface ProcessOptions {
  /** Whether a clean end leaves leases to an etcd. Default: yes. */
  readonly handover?: boolean;
  /** Modules that come before the program. */
  readonly preload?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

let program: string | undefined;

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

export class StrataProcess implements RunningMember, AsyncDisposable {
  readonly kind = "strata";
  /** Whether a clean end leaves leases to an etcd. */
  readonly #handover: boolean;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #stderr = "";
  #jobs: readonly string[] = [];

  private constructor(
    dir: string,
    options: StrataOptions,
    { handover = true, preload = [], env = {} }: ProcessOptions,
  ) {
    this.#handover = handover;
    program ??= compiled("strata-program");
    const first = preload.map((path) => `--import=${path}`);
    const child = spawn(process.execPath, [...first, program, dir, JSON.stringify(options)], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, STRATA_VERIFY: "all", ...env },
    });
    this.#child = child;
    const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    child.stdin.on("error", () => undefined); // It has gone, which is told below.
    createInterface({ input: child.stdout }).on("line", (line) => {
      const told = JSON.parse(line) as Told;
      if ("jobs" in told) {
        this.#jobs = told.jobs;
        return;
      }
      const waiting = this.#waiting.get(told.id);
      this.#waiting.delete(told.id);
      if ("error" in told) waiting?.reject(new Error(`${told.error}\n${this.#stderr}`));
      else waiting?.resolve(told.answer);
    });
    this.#gone = new Promise((resolve) => {
      child.once("close", () => {
        forget();
        for (const { reject } of this.#waiting.values()) reject(new Error(`gone: ${this.#stderr}`));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /** @throws (rejects) Error with what the store said */
  static async start(
    dir: string,
    options: StrataOptions = {},
    beside: ProcessOptions = {},
  ): Promise<StrataProcess> {
    const started = new StrataProcess(dir, options, beside);
    await new Promise((resolve, reject) => started.#waiting.set(0, { resolve, reject }));
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Its warnings so far. */
  get stderr(): string {
    return this.#stderr;
  }

  async act(action: Action): Promise<Outcome> {
    try {
      return (await this.#ask({ call: "act", action })) as Outcome;
    } catch {
      return { kind: "lost" };
    }
  }

  async state(): Promise<State> {
    return (await this.#ask({ call: "state" })) as State;
  }

  async history(from: number): Promise<Revision[]> {
    return (await this.#ask({ call: "history", from })) as Revision[];
  }

  async hash(revision?: number): Promise<HashKv> {
    return (await this.#ask({ call: "hash", revision })) as HashKv;
  }

  /** @throws (rejects) Error if the process has gone */
  async maintain(upkeep: Upkeep): Promise<Maintained> {
    return (await this.#ask({ call: "maintain", upkeep })) as Maintained;
  }

  /** Those that it said it was at last, as `kind phase`; with STRATA_TELL_JOBS=1 in its environment. */
  get jobs(): readonly string[] {
    return this.#jobs;
  }

  /** Resolves when it has ended, however. */
  get gone(): Promise<void> {
    return this.#gone;
  }

  async end(how: "clean" | "kill"): Promise<void> {
    if (how === "clean") {
      await this.#ask({ call: "close", handover: this.#handover });
      this.#child.stdin?.end();
    } else this.#child.kill("SIGKILL");
    await this.#gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  #ask(asked: Call): Promise<unknown> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return Promise.reject(new Error(`gone: ${this.#stderr}`));
    }
    const id = this.#next++;
    const answer = new Promise<unknown>((resolve, reject) =>
      this.#waiting.set(id, { resolve, reject }),
    );
    const line: Asked = { id, asked };
    this.#child.stdin?.write(`${JSON.stringify(line)}\n`);
    return answer;
  }
}
