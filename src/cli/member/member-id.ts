import { reasonOf } from "../../base/errors.ts";
import { parseGoUint } from "../../base/go-int.ts";
import type { Arguments } from "../../console/command.ts";
import { EXIT_BAD_ARGS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import { exactly } from "../arguments.ts";

/** The one argument of a command about one member. @throws Failure 128 */
export function memberId(args: Arguments): bigint {
  const [text = ""] = exactly(1, args, "member ID is not provided");
  try {
    return parseGoUint(text, 16);
  } catch (error) {
    throw new Failure(EXIT_BAD_ARGS, `bad member ID arg (${reasonOf(error)}), expecting ID in Hex`);
  }
}
