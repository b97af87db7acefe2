/** New passwords, as users type them. */
import { rawText } from "../../base/raw-text.ts";
import type { Arguments } from "../../console/command.ts";
import { EXIT_BAD_ARGS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec } from "../../console/flags.ts";
import type { Io } from "../../console/io.ts";
import { StandardInput } from "../../console/standard-input.ts";
import { askPassword } from "../password.ts";

export const INTERACTIVE: FlagSpec = {
  name: "interactive",
  kind: "bool",
  default: "true",
  help: "ask for the password, twice; if false, read it from the standard input",
};

/** @throws Failure 128 if it is empty, or not the same twice */
export async function newPassword({ flags }: Arguments, io: Io, user: string): Promise<string> {
  if (!flags.bool(INTERACTIVE.name)) return await nextWord(io);
  const password = await askPassword(io, `Password of ${user}: `);
  if (password === "") throw new Failure(EXIT_BAD_ARGS, "empty password");
  const again = await askPassword(io, `Type password of ${user} again for confirmation: `);
  if (again !== password) throw new Failure(EXIT_BAD_ARGS, "given passwords are different");
  return password;
}

/** As Go's `Scanf("%s")` reads it: none if nothing stands before the line's end. */
async function nextWord(io: Io): Promise<string> {
  const line = rawText((await StandardInput.of(io).line()) ?? Buffer.of());
  return /^\s*(\S*)/.exec(line)?.[1] ?? "";
}
