/** Whole processes under the clock, with the kernel's own figure of their peak memory. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { cleanUpAtEnd } from "../../test/support/cleanup.ts";

export interface Ran {
  readonly seconds: number;
  /** The highest that was seen; 0 where there is no `/proc`. */
  readonly peakRssBytes: number;
  readonly stdout: string;
}

const LOOK_MS = 5;

/**
 * Runs a program to its end.
 * @throws Error with its words if it exits with anything but 0
 */
export async function runWhole(program: string, args: readonly string[]): Promise<Ran> {
  const startMs = performance.now();
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ETCDCTL_API: "3" },
  });
  const kill = cleanUpAtEnd(() => child.kill("SIGKILL"));
  let peakRssBytes = 0;
  const look = (): void => {
    peakRssBytes = Math.max(peakRssBytes, highWaterMark(child.pid));
  };
  const timer = setInterval(look, LOOK_MS);
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
  const seconds = (performance.now() - startMs) / 1000;
  clearInterval(timer);
  kill();
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: exit ${code}: ${stderr}`);
  return { seconds, peakRssBytes, stdout };
}

function highWaterMark(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
