/** A process's arguments with bytes that are no UTF-8 kept. Node puts U+FFFD in their place. */
import { readFileSync } from "node:fs";
import { rawText } from "../base/raw-text.ts";

const REPLACED = "\ufffd";
const NUL = 0;

/**
 * @param args  the last ones of the process, as Node has them
 * @param commandLine  of the process, as Linux has it: each argument ended by a NUL
 */
export function rawArguments(
  args: readonly string[],
  commandLine: () => Uint8Array = () => readFileSync("/proc/self/cmdline"),
): readonly string[] {
  if (!args.some((arg) => arg.includes(REPLACED))) return args;
  try {
    const all = split(commandLine());
    const raw = all.slice(all.length - args.length);
    // Only if it is the same command line, as far as Node can tell.
    const isSame =
      raw.length === args.length &&
      raw.every((bytes, i) => Buffer.from(bytes).toString() === args[i]);
    return isSame ? raw.map(rawText) : args;
  } catch {
    // There is no such file on this system.
    return args;
  }
}

function split(commandLine: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < commandLine.length; ) {
    const end = commandLine.indexOf(NUL, at);
    const to = end < 0 ? commandLine.length : end;
    parts.push(commandLine.subarray(at, to));
    at = to + 1;
  }
  return parts;
}
