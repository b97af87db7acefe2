/**
 * Passwords that people type. On a terminal nothing of them is shown; anything else is read line by line, and what
 * stands behind the line stays there for whoever reads next.
 */
import type { Readable } from "node:stream";
import { Interrupted } from "./failure.ts";
import type { Io } from "./io.ts";

/**
 * Writes the prompt, and returns one line of the standard input without its end: empty if there is nothing left.
 * @throws Interrupted for Ctrl-C, which a terminal that shows nothing sends as a letter
 */
export async function askPassword(
  { stdin, stdout }: Pick<Io, "stdin" | "stdout">,
  prompt: string,
): Promise<string> {
  stdout.write(prompt);
  const line = new TypedLine();
  const isTerminal = stdin.isTTY === true && stdin.setRawMode !== undefined;
  if (isTerminal) stdin.setRawMode?.(true);
  try {
    await readUntil(stdin, (text) => (isTerminal ? line.type(text) : line.take(text)));
  } finally {
    if (isTerminal) stdin.setRawMode?.(false);
    stdout.write("\n");
  }
  return line.text;
}

/** One word of the standard input, as Go's `Scanf("%s")` reads it: none if its line begins with its end. */
export async function readWord(stdin: Io["stdin"]): Promise<string> {
  const line = new TypedLine();
  await readUntil(stdin, (text) => line.take(text));
  return /^[^\S\n]*(\S*)/.exec(line.text)?.[1] ?? "";
}

/** Hands what comes to `take` until it says how much of it was the last that it wanted; the rest is put back. */
async function readUntil(
  stdin: Io["stdin"],
  take: (text: string) => number | undefined,
): Promise<void> {
  stdin.ref?.();
  try {
    for (;;) {
      const chunk: unknown = stdin.read();
      if (chunk === null) {
        if (await moreToRead(stdin)) continue;
        return;
      }
      // One character a byte: a line may end in the middle of a chunk, and a character between two of them.
      const text = Buffer.from(chunk as Uint8Array).toString("latin1");
      const taken = take(text);
      if (taken === undefined) continue;
      if (taken < text.length) stdin.unshift(Buffer.from(text.slice(taken), "latin1"));
      return;
    }
  } finally {
    // What nobody waits for must not keep the process. (A pause would do it, too; but Node's terminals do not always
    // wake from one.)
    stdin.unref?.();
  }
}

function moreToRead(stdin: Readable): Promise<boolean> {
  if (stdin.readableEnded || stdin.destroyed) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void) => (): void => {
      for (const [event, listener] of Object.entries(listeners)) stdin.off(event, listener);
      outcome();
    };
    const listeners = {
      readable: settle(() => resolve(true)),
      end: settle(() => resolve(false)),
      close: settle(() => resolve(false)),
      error: (error: Error): void => settle(() => reject(error))(),
    };
    for (const [event, listener] of Object.entries(listeners)) stdin.on(event, listener);
  });
}

const INTERRUPT = "\x03";
const END_OF_INPUT = "\x04";
const KILL_LINE = "\x15";
const ERASE: ReadonlySet<string> = new Set(["\b", "\x7f"]);

/** A line as it grows, a character a byte. */
class TypedLine {
  #bytes = "";

  get text(): string {
    return Buffer.from(this.#bytes, "latin1").toString();
  }

  /** Everything up to a line's end. @returns how much was used, if the line is whole */
  take(text: string): number | undefined {
    const end = text.indexOf("\n");
    this.#bytes += end < 0 ? text : text.slice(0, end);
    if (end < 0) return undefined;
    this.#bytes = this.#bytes.replace(/\r$/, "");
    return end + 1;
  }

  /** Keys, with those that a terminal would have seen to itself. @returns as `take` */
  type(keys: string): number | undefined {
    for (const [at, key] of [...keys].entries()) {
      if (key === "\r" || key === "\n") return at + 1;
      if (key === INTERRUPT) throw new Interrupted("SIGINT");
      if (key === END_OF_INPUT) return at + 1;
      if (key === KILL_LINE) this.#bytes = "";
      else if (ERASE.has(key)) this.#erase();
      else this.#bytes += key;
    }
    return undefined;
  }

  /** A whole character, however many bytes it takes. */
  #erase(): void {
    this.#bytes = Buffer.from([...this.text].slice(0, -1).join("")).toString("latin1");
  }
}
