import type { Arguments } from "../console/command.ts";
import { EXIT_BAD_ARGS } from "../console/exit-codes.ts";
import { Failure } from "../console/failure.ts";

/** @throws Failure 128 `what` if there is any argument */
export function refuseArguments({ positionals }: Arguments, what: string): void {
  if (positionals.length > 0) throw new Failure(EXIT_BAD_ARGS, what);
}

/** The arguments, if there are just so many. @throws Failure 128 `what` */
export function exactly(
  count: number,
  { positionals }: Arguments,
  what: string,
): readonly string[] {
  if (positionals.length !== count) throw new Failure(EXIT_BAD_ARGS, what);
  return positionals;
}
