/** `watch -i`: lines of the standard input are watches, all on one stream, and questions how far the server is. */
import { rawText } from "../../base/raw-text.ts";
import type { WatchAsk } from "../../client/watch/watch.ts";
import type { Watches } from "../../client/watch/watches.ts";
import { argumentsOf } from "../../console/arguments.ts";
import type { Arguments } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_INVALID_INPUT } from "../../console/exit-codes.ts";
import { Failure, UsageError } from "../../console/failure.ts";
import { StandardInput } from "../../console/standard-input.ts";
import { wordsOf } from "../kv/words.ts";
import type { Session } from "../session.ts";
import { show } from "./show.ts";
import { WATCH_FLAGS, watchAsk, watchLine } from "./watch-line.ts";

/** @throws Failure: in the end, always; at a line that cannot be read as a command line; when a watch's command fails */
export async function interactive(
  session: Session,
  watches: Watches,
  fromEnvironment: readonly string[],
): Promise<never> {
  const lines = StandardInput.of(session.io);
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined); // Whoever reads the next line is told.
  for (;;) {
    const bytes = await Promise.race([lines.line(), failed]);
    if (bytes === undefined) {
      throw new Failure(EXIT_INVALID_INPUT, "Error reading watch request line: EOF");
    }
    const line = rawText(bytes);
    const refuse = (why: string): void => {
      session.io.stderr.write(`Invalid command ${line} (${why})\n`);
    };
    const words = wordsOf(line);
    const [word, ...args] = words;
    if (word === undefined) {
      session.io.stderr.write(`Invalid command: ${line} (watch and progress supported)\n`);
    } else if (word === "progress") {
      watches.requestProgress();
    } else if (word !== "watch") {
      refuse("only support watch");
    } else if (args.length === 0 && fromEnvironment.length === 0) {
      refuse("command type or key is not provided");
    } else {
      const asked = askedBy(args, fromEnvironment, refuse);
      if (asked !== undefined) show(session, watches.open(asked.ask), asked.exec).catch(fail);
    }
  }
}

interface Asked {
  readonly ask: WatchAsk;
  /** @see WatchLine */
  readonly exec: readonly string[];
}

/** @returns undefined if it was refused in words. @throws Failure 128 */
function askedBy(
  args: readonly string[],
  fromEnvironment: readonly string[],
  refuse: (why: string) => void,
): Asked | undefined {
  const parsed = parsedLine(args);
  const line = watchLine(parsed, fromEnvironment);
  if (line.keys.length === 0 && line.exec.length === 0) {
    throw new Failure(EXIT_BAD_ARGS, "bad number of arguments");
  }
  try {
    return { ask: watchAsk(line, parsed), exec: line.exec };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    refuse(error.message);
    return undefined;
  }
}

function parsedLine(args: readonly string[]): Arguments {
  try {
    return argumentsOf(args, WATCH_FLAGS);
  } catch (error) {
    // No usage is shown for a line.
    throw error instanceof UsageError ? new Failure(EXIT_BAD_ARGS, error.message) : error;
  }
}
