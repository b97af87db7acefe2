/** Commands in processes of their own, again and again for a while or once. */
import { spawn } from "node:child_process";
import { cleanUpAtEnd } from "../../test/support/cleanup.ts";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** @returns what it took in milliseconds @throws Error with what it said if it does not end well */
export async function run({ program, args }: Command, signal?: AbortSignal): Promise<number> {
  const startMs = performance.now();
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ETCDCTL_API: "3" },
  });
  const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
  const stop = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", stop);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      if (said.length < 100_000) said += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  signal?.removeEventListener("abort", stop);
  forget();
  const tookMs = performance.now() - startMs;
  if (code === 0) return tookMs;
  if (signal?.aborted) throw new Error("stopped");
  throw new Error(`${program} ${args.join(" ")}: exit ${code}: ${said.slice(-1000)}`);
}

/**
 * One after another until the time is over. What is under way then is ended, unless it is the first and `first` says so.
 * @returns what each took that came to its end, in milliseconds
 */
export async function runAgain(
  command: Command,
  over: AbortSignal,
  first: "may be ended" | "comes to its end" = "comes to its end",
): Promise<number[]> {
  const took = first === "may be ended" ? [] : [await run(command)];
  while (!over.aborted) {
    try {
      took.push(await run(command, over));
    } catch (error) {
      if (!over.aborted) throw error;
    }
  }
  return took;
}
