/** A bar on stderr, where that is a terminal. */
import type { Io } from "../../console/io.ts";

export interface Bar {
  update(done: number): void;
  /** Takes it away. */
  end(): void;
}

/** @param unit  behind the numbers: `s`, `keys` */
export async function barOn(
  { stderr, env }: Pick<Io, "stderr" | "env">,
  total: number,
  unit: string,
): Promise<Bar> {
  if (stderr.isTTY !== true || env.TERM === "dumb") {
    return { update: () => undefined, end: () => undefined };
  }
  const { SingleBar } = await import("cli-progress");
  const bar = new SingleBar({
    stream: stderr,
    format: `[{bar}] {percentage} % | {value} of {total} ${unit}`,
    barCompleteChar: "#",
    barIncompleteChar: "-",
    barsize: 30,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
  });
  bar.start(total, 0);
  return { update: (done) => bar.update(done), end: () => bar.stop() };
}
