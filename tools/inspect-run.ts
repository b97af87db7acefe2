/** strata-inspect from its arguments to its exit code. */
import { getSystemErrorMap } from "node:util";
import { StrataError } from "../src/base/errors.ts";
import { LOOKING } from "../src/console/job.ts";
import type { ProgressDisplay, ProgressMode } from "../src/console/progress.ts";
import { inspect } from "../src/jobs/inspect/inspect.ts";
import { JobPool } from "../src/jobs/pool.ts";
import { parseArguments } from "./inspect-arguments.ts";

/** What the tool reaches the world through. */
export interface InspectIo {
  /** The descriptor that reports go to. */
  readonly stdout: number;
  /** One-line messages. */
  readonly stderr: (text: string) => void;
  /** Bold heads, red faults. */
  readonly colour: boolean;
  /** `STRATA_DEBUG=1`: stack traces too. */
  readonly debug: boolean;
  /** Help, and nothing else. */
  readonly help: (text: string) => void;
  /** How far it has come, shown as the user wants it. */
  readonly display: (mode: ProgressMode) => Promise<ProgressDisplay>;
  readonly signal?: AbortSignal;
  /** Default: threads of its own, gone when it ends. */
  readonly pool?: JobPool;
}

/** Exit code: 0, 1 for errors and for a file that has faults, 128 for bad arguments. */
export async function runInspect(args: readonly string[], io: InspectIo): Promise<number> {
  const parsed = parseArguments(args);
  if (parsed.kind === "said") {
    if (parsed.stdout !== "") io.help(parsed.stdout);
    if (parsed.stderr !== "") io.stderr(parsed.stderr);
    return parsed.exitCode;
  }
  const { path, command, json, hex, redact, progress } = parsed.arguments;
  const { signal, colour } = io;
  const display = await io.display(progress);
  await using own = new JobPool(LOOKING);
  const pool = io.pool ?? own;
  try {
    const input = { command, json, show: { hex, redact, colour: colour && !json }, out: io.stdout };
    const { faultCount, firstFault } = await inspect(pool, path, input, {
      ...(signal && { signal }),
      ...(display.show && { onProgress: display.show }),
    });
    display.end();
    if (faultCount === 0) return 0;
    const more = faultCount > 1 ? ` (and ${faultCount - 1} more faults)` : "";
    const first = firstFault && `offset ${firstFault.offsetBytes}: ${firstLine(firstFault.what)}`;
    io.stderr(`Error: ${path}: ${first ?? "damaged"}${more}\n`);
    return 1;
  } catch (error) {
    display.end();
    io.stderr(`Error: ${messageOf(error, path)}\n`);
    if (io.debug && error instanceof Error) io.stderr(`${error.stack}\n`);
    return 1;
  }
}

function messageOf(error: unknown, path: string): string {
  if (error instanceof StrataError) return firstLine(error.message);
  if (!(error instanceof Error)) return `${path}: ${String(error)}`;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const where = "path" in error && typeof error.path === "string" ? error.path : path;
  return `${where}: ${(code && systemText(code)) ?? firstLine(error.message)}`;
}

/** `no such file or directory`, for ENOENT. */
function systemText(code: string): string | undefined {
  for (const [name, text] of getSystemErrorMap().values()) if (name === code) return text;
  return undefined;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
