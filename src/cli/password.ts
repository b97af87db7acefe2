/** A password from whoever types it, or from a line of the standard input. @see bgentry/speakeasy, which etcdctl asks with */
import type { ReadStream } from "node:tty";
import { rawText } from "../base/raw-text.ts";
import { Interrupted } from "../console/failure.ts";
import type { Io } from "../console/io.ts";
import { StandardInput } from "../console/standard-input.ts";

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const CTRL_U = 0x15;
const DELETE = 0x7f;

/** On a terminal nothing of it is shown. @throws Interrupted at Ctrl-C */
export async function askPassword(io: Io, prompt: string): Promise<string> {
  io.stdout.write(prompt);
  const input = StandardInput.of(io);
  try {
    if (io.stdin.isTTY) return rawText(await typed(io, input));
    return rawText((await input.line()) ?? Buffer.of()).replace(/\r$/, "");
  } finally {
    io.stdout.write("\n");
  }
}

/** A terminal that shows nothing leaves the editing to us. */
async function typed({ stdin }: Io, input: StandardInput): Promise<Uint8Array> {
  const terminal = stdin as Partial<Pick<ReadStream, "setRawMode">>;
  terminal.setRawMode?.(true);
  try {
    let bytes: number[] = [];
    for (;;) {
      const [key] = (await input.some(1)) ?? [];
      switch (key) {
        case CTRL_C:
          throw new Interrupted("SIGINT");
        case undefined:
        case CTRL_D:
        case NEWLINE:
        case RETURN:
          return Buffer.from(bytes);
        case CTRL_U:
          bytes = [];
          break;
        case BACKSPACE:
        case DELETE:
          // Of a character all bytes: those that go on with it are 10xxxxxx.
          while (((bytes.pop() ?? 0) & 0xc0) === 0x80);
          break;
        default:
          bytes.push(key);
      }
    }
  } finally {
    terminal.setRawMode?.(false);
  }
}
