/** A command in this process, by its main function: what it says and its exit code, without the start of a process. */
import { ETCDCTL } from "../../src/cli/etcdctl.ts";
import { ETCDUTL } from "../../src/cli/etcdutl.ts";
import type { Program } from "../../src/console/command.ts";
import { main } from "../../src/console/main.ts";
import { STRATA_DEFRAG } from "../../tools/defrag-program.ts";
import { MemoryIo } from "./memory-io.ts";

const PROGRAMS: Readonly<Record<"etcdctl" | "etcdutl" | "strata-defrag", Program>> = {
  etcdctl: ETCDCTL,
  etcdutl: ETCDUTL,
  "strata-defrag": STRATA_DEFRAG,
};

export interface RanHere {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Paths among its arguments are taken from this process's current folder. @param options.stdin  all of it */
export async function runHere(
  name: keyof typeof PROGRAMS,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly stdin?: string | Uint8Array;
  } = {},
): Promise<RanHere> {
  const io = new MemoryIo(options);
  io.nowMs = Date.now();
  const code = await main(PROGRAMS[name], args, io);
  return { code, stdout: io.stdout.bytes, stderr: io.stderr.bytes };
}

/** The same, as text. */
export async function sayHere(
  ...given: Parameters<typeof runHere>
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { code, stdout, stderr } = await runHere(...given);
  return { code, stdout: stdout.toString(), stderr: stderr.toString() };
}
