/** The built commands as child processes: what a user has after `npm ci`. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cleanUpAtEnd } from "./cleanup.ts";
import { projectFolder } from "./judge.ts";

const DIST = join(projectFolder(), "dist");

const FILES = {
  etcdctl: "src/cli/bin/etcdctl.js",
  etcdutl: "src/cli/bin/etcdutl.js",
  strata: "src/cli/bin/strata.js",
  "strata-defrag": "tools/defrag.js",
  "strata-inspect": "tools/inspect.js",
} as const;

export type CommandName = keyof typeof FILES;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the child and what it has said on stderr so far, whenever that grows. */
  readonly onStderr?: (child: ChildProcess, stderr: string) => void;
  /** Held to the permissions of files, also when the tests are root's. */
  readonly heldToPermissions?: boolean;
}

/** Root without its power over permissions; util-linux has it. */
const POWERLESS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];

/** The file that a command's name leads to. @throws Error if there was no build */
export function builtFile(name: CommandName): string {
  const file = join(DIST, FILES[name]);
  if (!existsSync(file)) throw new Error(`there is no ${file}: npm run build comes first`);
  return file;
}

/** Runs a command by its file, as a shell does; never throws for what it says. */
export async function run(
  name: CommandName,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const { cwd, env, onStderr } = options;
  const line = [builtFile(name), ...args];
  if (options.heldToPermissions && process.getuid?.() === 0) line.unshift(...POWERLESS);
  const [program = "", ...rest] = line;
  const child = spawn(program, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    onStderr?.(child, stderr);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  forget();
  return { code, stdout, stderr };
}
