/**
 * Colours, for people: only on a terminal, and not where the environment has NO_COLOR (no-color.org) or a terminal
 * without any. What is stored is never painted: keys and values are printed as they are.
 */
import { styleText } from "node:util";
import type { Io } from "./io.ts";

export type Style = "red" | "yellow" | "bold";

export function styled(
  stream: { readonly isTTY?: boolean },
  { env }: Pick<Io, "env">,
  style: Style,
  text: string,
): string {
  const isPlain = stream.isTTY !== true || (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb";
  return isPlain ? text : styleText(style, text, { validateStream: false });
}
