/**
 * Runs something so that every Node process below it leaves a CPU profile, and finds out whose each of them is.
 *
 * NODE_OPTIONS may not ask for profiles. Instead a `node` that does stands first on PATH, and each process is told to
 * start its own by it.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { projectFolder } from "../../test/support/judge.ts";
import { type Announced, PROFILE_FOLDER, PROFILE_NODE } from "./announced.ts";
import { type Called, callTree, readProfile } from "./cpu-profile.ts";

const INTERVAL_US = 500;

export interface ProcessProfile {
  /** "strata.js --data-dir …", with ", thread 2" for another than the main one. */
  readonly name: string;
  /** The same for the name of a file: "strata", "strata-thread-2". */
  readonly short: string;
  readonly pid: number;
  readonly path: string;
  readonly tree: Called;
  /** Not waiting for anything. */
  readonly busyMs: number;
}

export interface ProcessesRun {
  readonly code: number;
  /** The busiest first; but the program itself comes last, for it asks, and who answers has processes of his own. */
  readonly profiles: readonly ProcessProfile[];
  /** Those that were killed, and left none. */
  readonly lost: readonly string[];
}

/**
 * @param args  of Node
 * @param folder  empty, for the profiles
 */
export async function runProfiled(args: readonly string[], folder: string): Promise<ProcessesRun> {
  const bin = join(folder, "bin");
  const told = join(folder, "told");
  const node = join(bin, "node");
  for (const each of [bin, told]) mkdirSync(each, { recursive: true });
  const announce = pathToFileURL(join(projectFolder(), "dist/bench/profile/announce.js")).href;
  writeFileSync(node, wrapper(announce, folder));
  chmodSync(node, 0o755);
  const child = spawn(node, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH ?? ""}`,
      [PROFILE_FOLDER]: told,
      [PROFILE_NODE]: node,
    },
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve(status ?? 1));
  });
  return { code, ...found(folder, told, child.pid) };
}

function wrapper(announce: string, folder: string): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const flags = ["--cpu-prof", `--cpu-prof-interval=${INTERVAL_US}`, `--cpu-prof-dir=${folder}`];
  const line = [process.execPath, ...flags, `--import=${announce}`].map(quoted).join(" ");
  return `#!/bin/sh\nexec ${line} "$@"\n`;
}

/** CPU.DATE.TIME.PID.THREAD.NUMBER.cpuprofile */
const FILE = /^CPU\.\d+\.\d+\.(\d+)\.(\d+)\.\d+\.cpuprofile$/;

function found(
  folder: string,
  told: string,
  asking: number | undefined,
): Pick<ProcessesRun, "profiles" | "lost"> {
  const announced = readdirSync(told).map(
    (file) => JSON.parse(readFileSync(join(told, file), "utf8")) as Announced,
  );
  const byPid = new Map(announced.map((each) => [each.pid, each]));
  const profiles: ProcessProfile[] = [];
  for (const file of readdirSync(folder)) {
    const [, pid, thread] = FILE.exec(file) ?? [];
    if (pid === undefined) continue;
    const path = join(folder, file);
    const tree = callTree(readProfile(path));
    const who = byPid.get(Number(pid)) ?? { pid: Number(pid), argv: [] };
    profiles.push({
      name: thread === "0" ? commandOf(who) : `${commandOf(who)}, thread ${thread}`,
      short: thread === "0" ? shortOf(who) : `${shortOf(who)}-thread-${thread}`,
      pid: Number(pid),
      path,
      tree,
      busyMs: tree.totalUs / 1000,
    });
  }
  const left = new Set(profiles.map(({ pid }) => pid));
  return {
    profiles: profiles.sort(
      (a, b) => Number(a.pid === asking) - Number(b.pid === asking) || b.busyMs - a.busyMs,
    ),
    lost: announced.filter(({ pid }) => !left.has(pid)).map(commandOf),
  };
}

const SHOWN_LETTERS = 100;

function commandOf({ argv }: Announced): string {
  const [program = "node", ...rest] = argv;
  const shown = [basename(program), ...rest].join(" ");
  return shown.length <= SHOWN_LETTERS ? shown : `${shown.slice(0, SHOWN_LETTERS - 1)}…`;
}

function shortOf({ argv }: Announced): string {
  const program = basename(argv[0] ?? "").replace(/\.[a-z]+$/, "");
  return program.replace(/[^a-zA-Z0-9]+/g, "-") || "node";
}
