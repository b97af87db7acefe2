/** A table of a few rows, as aligned columns. Rows that may be very many are printed as they come instead. */
import Table from "cli-table3";
import type { Show } from "./show.ts";

export type Align = "left" | "right";

const SIDES = ["top", "bottom", "left", "right", "mid", "middle"];
const NO_LINES: Record<string, string> = Object.fromEntries(
  SIDES.flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`]).map((name) => [
    name,
    "",
  ]),
);

/** @param head  names of the columns; empty for none */
export function tableText(
  show: Show,
  head: readonly string[],
  aligns: readonly Align[],
  rows: readonly (readonly (string | number | bigint)[])[],
): string {
  const table = new Table({
    head: head.map((name) => show.head(name)),
    colAligns: [...aligns],
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2, compact: true },
  });
  for (const row of rows) table.push(row.map((cell) => String(cell)));
  const lines = table.toString().split("\n");
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}
