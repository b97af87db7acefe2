/** How a job's progress is shown: a bar for people, lines of JSON for programs, nothing where nobody looks. */
import type { Progress } from "../jobs/progress.ts";
import { EXIT_BAD_FEATURE } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import type { FlagSpec } from "./flags.ts";
import type { Io } from "./io.ts";
import { humanBytes, humanMs } from "./sizes.ts";

const MODES = ["auto", "json", "none"] as const;
export type ProgressMode = (typeof MODES)[number];

export const PROGRESS: FlagSpec = {
  name: "progress",
  kind: "string",
  default: "auto",
  help: 'how progress is shown on stderr: "auto" (a bar on a terminal), "json" (one object a line) or "none"',
  values: MODES,
};

/** @throws Failure for any other text than the three */
export function progressMode(text: string): ProgressMode {
  const mode = MODES.find((known) => known === text);
  if (mode !== undefined) return mode;
  throw new Failure(EXIT_BAD_FEATURE, `unknown progress mode ${JSON.stringify(text)}`);
}

export interface ProgressDisplay {
  /** Undefined where nothing is shown: then the job need not be asked. */
  readonly show: ((progress: Progress) => void) | undefined;
  /** Takes the bar away, if there is one. */
  end(): void;
}

/** A job that is done by then shows no bar. */
const BAR_AFTER_MS = 500;

/** @param mode  what the user wants; `auto` looks at stderr */
export async function progressDisplay(
  mode: ProgressMode,
  io: Pick<Io, "stderr" | "env" | "now">,
): Promise<ProgressDisplay> {
  if (mode === "json") {
    const show = (progress: Progress): void => {
      io.stderr.write(`${JSON.stringify(rounded(progress))}\n`);
    };
    return { show, end: () => undefined };
  }
  const drawable = io.stderr.isTTY === true && io.env.TERM !== "dumb";
  if (mode === "none" || !drawable) return { show: undefined, end: () => undefined };
  return await barOn(io);
}

/** Whole numbers: fractions of a byte are noise. `etaMs` is left out while it cannot be told. */
function rounded({ phase, done, total, rate, etaMs }: Progress): Progress {
  const eta = etaMs === undefined ? undefined : Math.round(etaMs);
  return { phase, done, total, rate: Math.round(rate), etaMs: eta };
}

interface BarPayload {
  readonly phase: string;
  /** Undefined while the total is not known. */
  readonly details: string | undefined;
}

/** No colours, so that there is none to take away for NO_COLOR. */
async function barOn(io: Pick<Io, "stderr" | "now">): Promise<ProgressDisplay> {
  const { Format, SingleBar } = await import("cli-progress");
  const bar = new SingleBar({
    stream: io.stderr,
    // How much there is to do is not always known: then there is nothing to draw a bar of.
    format: (options, { progress }, { phase, details }: BarPayload) =>
      details === undefined
        ? `${phase} ...`
        : `${phase} [${Format.BarFormat(progress, options)}] ${Math.floor(progress * 100)} % | ${details}`,
    barCompleteChar: "#",
    barIncompleteChar: "-",
    barsize: 30,
    clearOnComplete: true,
    hideCursor: true,
    // Signals are the program's own affair.
    gracefulExit: false,
  });
  const startMs = io.now().getTime();
  let drawn = false;
  const show = (progress: Progress): void => {
    const { phase, done, total, rate, etaMs } = progress;
    const details = [`${humanBytes(done)} of ${humanBytes(total)}`, `${humanBytes(rate)}/s`];
    if (etaMs !== undefined) details.push(`${humanMs(etaMs)} left`);
    const payload: BarPayload = { phase, details: total > 0 ? details.join(" | ") : undefined };
    if (drawn) {
      bar.setTotal(Math.max(total, 1));
      bar.update(done, payload);
    } else if (io.now().getTime() - startMs >= BAR_AFTER_MS) {
      bar.start(Math.max(total, 1), done, payload);
      drawn = true;
    }
  };
  return { show, end: () => drawn && bar.stop() };
}
