/** A program of ours that prints its answer in JSON. */
import { spawn } from "node:child_process";
import { cleanUpAtEnd } from "../../../test/support/cleanup.ts";
import { envOfSide } from "../../store/alternate.ts";

/** @throws (rejects) Error with what it said on stderr if it does not end well */
export async function answerOfProgram<T>(program: string, ...args: readonly string[]): Promise<T> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: envOfSide(),
  });
  const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
  let said = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  forget();
  if (code !== 0) throw new Error(`${program}: exit ${code}: ${stderr.slice(-1000)}`);
  return JSON.parse(said) as T;
}
