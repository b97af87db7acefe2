/**
 * A terminal with strata's commands on its PATH, for what the docs show of one: commands are typed as they stand there,
 * by a shell in a folder of their own, and the server that they start is at a free port instead of 2379.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { builtFile } from "./built-cli.ts";
import { cleanUpAtEnd, scratchFolder } from "./cleanup.ts";
import type { Step } from "./console-blocks.ts";
import { loopbackPorts } from "./loopback-ports.ts";

const WAIT_MS = 20_000;
const POLL_MS = 10;

/** What differs from one run to the next. Everything else is compared to the letter. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{13,16}\b/g, "ID"],
  [/\b\d{17,20}\b/g, "ID"],
  // Of `snapshot status`, as a line and as the first cell of a table. Leading zeros are not printed.
  [/^[0-9a-f]{1,8}(?=, \d)/gm, "HASH"],
  [/^\| +[0-9a-f]{1,8} (?=\|)/gm, "| HASH "],
  [/\d+(?:\.\d+)? ?(?:ns|µs|ms|s)\b/g, "TIME"],
  [/\d+(?:\.\d+)? ?(?:B|kB|KB|MB|GB|KiB|MiB|GiB)\b/g, "SIZE"],
  [/\d{4}-\d\d-\d\d[T ]?\d\d:?\d\d:?\d\dZ?/g, "DATE"],
  [/\b\d+ rounds?\b/g, "ROUNDS"],
  [/ {2,}/g, " "],
  [/-{2,}/g, "-"],
  [/ +$/gm, ""],
];

export function masked(text: string): string {
  return MASKS.reduce((so, [what, mark]) => so.replace(what, mark), text);
}

export class ConsoleSession {
  readonly cwd: string = scratchFolder("console");
  readonly #port: number;
  /** Of a real etcd, which takes one. */
  readonly #peerPort: number;
  readonly #unit: string | undefined;
  readonly #children = new Set<ChildProcess>();

  private constructor([port = 0, peerPort = 0]: readonly number[], unit: string | undefined) {
    this.#port = port;
    this.#peerPort = peerPort;
    this.#unit = unit;
    for (const folder of ["bin", "var/lib/strata", "var/backups/strata"]) {
      mkdirSync(join(this.cwd, folder), { recursive: true, mode: 0o700 });
    }
    const names = ["etcdctl", "etcdutl", "strata", "strata-defrag", "strata-inspect"] as const;
    for (const name of names) symlinkSync(builtFile(name), join(this.cwd, "bin", name));
  }

  /** @param unit  the service that `systemctl` starts and stops here: its command */
  static async open(unit?: string): Promise<ConsoleSession> {
    return new ConsoleSession(await loopbackPorts(2), unit);
  }

  /** What it says on both streams, in masked lines. @throws Error with all of it if it fails, or is too slow */
  async type(step: Step): Promise<string[]> {
    if (step.command.endsWith("&")) {
      await this.#serve(step.command.slice(0, -1));
      return [];
    }
    if (step.command === "systemctl start strata" && this.#unit !== undefined) {
      await this.#serve(this.#unit);
      return [];
    }
    if (step.command === "kill %1" || step.command === "systemctl stop strata") {
      await this.close();
      return [];
    }
    const child = this.#spawn(step.command);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    }
    const gone = new Promise<number | null>((resolve) => child.once("close", resolve));
    const lines = (): string[] => masked(this.#there(said)).trimEnd().split("\n");
    if (step.interrupted) {
      const wanted = step.says.length;
      for (let late = 0; lines().length < wanted || said === ""; late += POLL_MS) {
        if (late > WAIT_MS) throw new Error(`${step.command} says no more than ${said}`);
        await sleep(POLL_MS);
      }
      signal(child, "SIGINT");
    }
    const code = await gone;
    if (code !== 0 && !step.interrupted) {
      throw new Error(`${step.command} ended with ${code}: ${said}`);
    }
    return said === "" ? [] : lines();
  }

  /** What a GET of the server's answers. */
  async fetch(path: string): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.#port}${path}`)).text();
  }

  /** Ends what runs on, and waits for it. */
  async close(): Promise<void> {
    for (const child of this.#children) {
      const gone = new Promise((resolve) => child.once("close", resolve));
      signal(child, "SIGTERM");
      await gone;
    }
  }

  async #serve(command: string): Promise<void> {
    const child = this.#spawn(command);
    let log = "";
    child.stdout?.on("data", () => undefined);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    for (let late = 0; !(await answers(this.#port)); late += POLL_MS) {
      if (child.exitCode !== null || late > WAIT_MS) throw new Error(`${command}: ${log}`);
      await sleep(POLL_MS);
    }
  }

  #spawn(command: string): ChildProcess {
    const url = `http://127.0.0.1:${this.#port}`;
    const child = spawn("sh", ["-c", this.#here(command)], {
      cwd: this.cwd,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // A group of its own, as a terminal's job has.
      env: {
        PATH: `${join(this.cwd, "bin")}:${process.env.PATH}`,
        HOME: this.cwd,
        NO_COLOR: "1",
        ETCDCTL_ENDPOINTS: url.slice("http://".length),
        // A flag and its variable together are refused.
        ...(!command.includes("client-urls") && {
          ETCD_LISTEN_CLIENT_URLS: url,
          ETCD_ADVERTISE_CLIENT_URLS: url,
        }),
        ...(command.startsWith("etcd ") && {
          ETCD_LISTEN_PEER_URLS: `http://127.0.0.1:${this.#peerPort}`,
          ETCD_UNSUPPORTED_ARCH: process.arch,
        }),
      },
    });
    this.#children.add(child);
    const forget = cleanUpAtEnd(() => {
      if (this.#children.delete(child)) signal(child, "SIGKILL");
    });
    child.once("close", () => {
      this.#children.delete(child);
      forget();
    });
    return child;
  }

  #here(command: string): string {
    return command
      .replace(/[\d.]+:2379|localhost:2379/g, `127.0.0.1:${this.#port}`)
      .replaceAll("/var/", `${this.cwd}/var/`);
  }

  #there(text: string): string {
    return text
      .replaceAll(String(this.#port), "2379")
      .replaceAll(`${this.cwd}/var/`, "/var/")
      .replaceAll(`${this.cwd}/`, "");
  }
}

/** To the shell and what it runs. */
function signal({ pid = 0 }: ChildProcess, name: NodeJS.Signals): void {
  process.kill(-pid, name);
}

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
