/**
 * Plays a golden transcript of etcdctl: its steps in order against one server of its own, on ports and in a folder of
 * its own. Rules: test/golden/README.md.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cleanUpAtEnd, scratchFolder } from "./cleanup.ts";
import { runHere } from "./command-here.ts";
import { type ClientKind, etcdctlCommand } from "./etcdctl-command.ts";
import { knownDifference } from "./etcdctl-differences.ts";
import { loopbackPorts } from "./loopback-ports.ts";
import { type ServerKind, ServerProcess } from "./server-process.ts";
import { differences, pattern, type RanStep, type Step } from "./transcript.ts";

export interface Played {
  /** Steps, those of a second client among them. */
  readonly steps: number;
  readonly failures: readonly Failure[];
  readonly elapsedMs: number;
}

export interface Failure {
  /** `3`, or `3.0` for the first of those that a second client does meanwhile. */
  readonly step: string;
  readonly args: readonly string[];
  readonly differences: readonly string[];
}

/** As they stand in the transcripts: client, peer, a dead one, and two that are only names. */
const RECORDED_PORTS = ["24790", "24800", "24799", "24801", "24855"] as const;
/** A client has started after this. */
const WARM_UP_MS = 800;
/** Commands that read and write files, start another, or go on until they are ended. */
const NEED_A_PROCESS: ReadonlySet<string> = new Set([
  "snapshot",
  "sn",
  "defrag",
  "check",
  "lock",
  "elect",
  "watch",
  "--",
]);
const STEP_TIMEOUT_MS = 60_000;
const AFTER_READY_MS = 350;

interface PlayOptions {
  readonly client: ClientKind;
  readonly server: ServerKind;
  /** Ours in this process, where nothing but its words and its exit code is looked at. Default: always a process. */
  readonly here?: boolean;
}

/** @throws Error if the server does not start */
export async function play(
  transcript: string,
  { client, server, here = false }: PlayOptions,
): Promise<Played> {
  const startedMs = performance.now();
  const ports = await loopbackPorts(RECORDED_PORTS.length);
  const renumbered = (text: string): string =>
    RECORDED_PORTS.reduce(
      (left, port, i) => left.replaceAll(new RegExp(`(?<=:)${port}\\b`, "g"), String(ports[i])),
      text,
    );
  const text = renumbered(readFileSync(transcript, "utf8")).replaceAll(
    /(?<="stdout_base64": ?")[^"]+/g,
    (bytes) => latin1ToBase64(renumbered(Buffer.from(bytes, "base64").toString("latin1"))),
  );
  const script = JSON.parse(text) as readonly Step[];
  const run = new Run(script, {
    command: etcdctlCommand(client),
    here: here && client === "ours",
    fixtures: join(transcript, "../../fixtures"),
    knownDifference: (step) =>
      client === "ours" ? knownDifference(basename(transcript), step) : undefined,
  });
  try {
    await run.go(server, { client: ports[0] ?? 0, peer: ports[1] ?? 0 });
  } finally {
    await run.end();
  }
  return { steps: run.steps, failures: run.failures, elapsedMs: performance.now() - startedMs };
}

/** Of the same length, so that a message around it stays whole. */
function latin1ToBase64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

interface RunOptions {
  readonly command: readonly string[];
  readonly here: boolean;
  readonly fixtures: string;
  readonly knownDifference: (step: string) => ReturnType<typeof knownDifference>;
}

class Run {
  readonly failures: Failure[] = [];
  steps = 0;
  readonly #script: readonly Step[];
  readonly #command: readonly string[];
  readonly #here: boolean;
  readonly #fixtures: string;
  readonly #knownDifference: (step: string) => ReturnType<typeof knownDifference>;
  readonly #cwd = scratchFolder("replay");
  readonly #captured = new Map<string, string>();
  #server: ServerProcess | undefined;

  constructor(script: readonly Step[], options: RunOptions) {
    this.#script = script;
    this.#command = options.command;
    this.#here = options.here;
    this.#fixtures = options.fixtures;
    this.#knownDifference = options.knownDifference;
  }

  async go(kind: ServerKind, ports: { client: number; peer: number }): Promise<void> {
    const meta = this.#script[0]?.meta;
    for (const name of meta?.fixtures ?? []) {
      cpSync(join(this.#fixtures, name), join(this.#cwd, name), { recursive: true });
    }
    if (meta?.server) {
      const { flags, tls = false } = meta.server;
      this.#server = await ServerProcess.start({ kind, cwd: this.#cwd, ports, tls, flags });
      await sleep(AFTER_READY_MS);
    }
    for (const [i, step] of this.#script.entries()) await this.#step(step, String(i));
  }

  async end(): Promise<void> {
    await this.#server?.stop();
    rmSync(this.#cwd, { recursive: true, force: true });
  }

  async #step(step: Step, where: string): Promise<void> {
    await this.#before(step.before);
    this.#setUp(step);
    const { until_code: wanted, max } = step.repeat ?? { until_code: undefined, max: 1 };
    let ran = await this.#client(step, where);
    for (let runs = 1; runs < max && ran.code !== wanted; runs++) {
      ran = await this.#client(step, where);
    }
    const stdout = ran.stdout.toString("utf8");
    for (const [name, source] of Object.entries(step.capture ?? {})) {
      // An id of one digit less is printed behind one space more.
      const found = pattern(source.replaceAll(" ", " +")).exec(stdout)?.[1];
      if (found !== undefined) this.#captured.set(name, found);
    }
    this.steps++;
    const known = this.#knownDifference(where);
    const found = known?.differs(ran) ?? differences(step, ran, (text) => this.#filled(text));
    if (found.length > 0) {
      this.failures.push({ step: where, args: step.args, differences: found });
    }
  }

  async #before(what: string | undefined): Promise<void> {
    if (what?.startsWith("sleep ")) await sleep(Number(what.slice(6)) * 1000);
    else if (what !== undefined) {
      await this.#server?.stop();
      if (what !== "restart-server") return;
      await this.#server?.start();
      await sleep(AFTER_READY_MS);
    }
  }

  #setUp({ setup = [] }: Step): void {
    for (const made of setup) {
      let bytes: Buffer;
      if ("fill" in made) bytes = Buffer.alloc(made.fill.count, made.fill.byte);
      else {
        bytes = readFileSync(join(this.#cwd, made.from));
        bytes = bytes.subarray(0, bytes.length - (made.drop_last ?? 0));
        if (made.xor !== undefined) {
          const { offset, mask } = made.xor;
          bytes.writeUInt8(bytes.readUInt8(offset) ^ mask, offset);
        }
      }
      writeFileSync(join(this.#cwd, made.file), bytes);
    }
  }

  async #client(step: Step, where: string): Promise<RanStep> {
    const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: this.#cwd };
    for (const [name, value] of Object.entries(step.env)) env[name] = this.#filled(value);
    const args = step.args.map((argument) => this.#filled(argument));
    if (this.#here && this.#isOnlyWords(step)) {
      return await runHere("etcdctl", args, { env, stdin: this.#input(step) });
    }
    const [program = "", ...before] = this.#command;
    const child = spawn(program, [...before, ...args], { cwd: this.#cwd, env });
    const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
    const late = setTimeout(() => child.kill("SIGKILL"), STEP_TIMEOUT_MS);
    const output = collected(child);
    child.stdin.on("error", () => undefined); // It does not read what it is told, which is its own affair.
    if (step.stdin_steps === undefined) child.stdin.end(this.#input(step));
    if ((step.stdin_steps ?? step.during ?? step.signal_sent) !== undefined) {
      await this.#meanwhile(step, where, child);
    }
    const ran = await output;
    clearTimeout(late);
    forget();
    return ran;
  }

  /** No signal, no files of the folder, no child process, nobody who types. */
  #isOnlyWords(step: Step): boolean {
    const isAlone = [step.signal, step.signal_sent, step.stdin_steps, step.during, step.setup];
    if (isAlone.some((one) => one !== undefined)) return false;
    if ((this.#script[0]?.meta?.fixtures ?? []).length > 0) return false;
    return !step.args.some((argument) => NEED_A_PROCESS.has(argument));
  }

  /** What is done to a client while it runs. */
  async #meanwhile(step: Step, where: string, child: ChildProcess): Promise<void> {
    await sleep(WARM_UP_MS);
    for (const [text, seconds] of step.stdin_steps ?? []) {
      child.stdin?.write(this.#filled(text));
      await sleep(seconds * 1000);
    }
    for (const [i, other] of (step.during ?? []).entries())
      await this.#step(other, `${where}.${i}`);
    await sleep((step.settle ?? 0.6) * 1000);
    if (step.signal_sent !== undefined) child.kill(step.signal_sent);
    child.stdin?.end();
  }

  #input({ stdin, stdin_fill: fill }: Step): Buffer | string {
    return fill === undefined ? this.#filled(stdin) : Buffer.alloc(fill.count, fill.byte);
  }

  #filled(text: string): string {
    return text.replace(/\$\{(\w+)\}/g, (mark, name: string) => this.#captured.get(name) ?? mark);
  }
}

async function collected(child: ChildProcess): Promise<RanStep> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (bytes: Buffer) => out.push(bytes));
  child.stderr?.on("data", (bytes: Buffer) => err.push(bytes));
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exit, signal) => resolve(exit ?? signal ?? ""));
  });
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err) };
}
