/** etcd's tables, as its tablewriter draws them: rules around header and body, header centred, cells to the right. */
import Table from "cli-table3";

const RULES = {
  top: "-",
  "top-mid": "+",
  "top-left": "+",
  "top-right": "+",
  mid: "-",
  "mid-mid": "+",
  "left-mid": "+",
  "right-mid": "+",
  bottom: "-",
  "bottom-mid": "+",
  "bottom-left": "+",
  "bottom-right": "+",
  left: "|",
  middle: "|",
  right: "|",
} as const;

/** The lines of a table, each ended. Every row is as long as the header. */
export function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: RULES,
    // No colours: these bytes are compared, and read by scripts.
    style: { head: [], border: [], "padding-left": 1, "padding-right": 1 },
    colAligns: header.map(() => "right" as const),
  });
  table.push(header.map((name) => ({ content: name.toUpperCase(), hAlign: "center" as const })));
  // The library rules off every row, etcd only the header: all rows are one of many lines.
  if (rows.length > 0) table.push(header.map((_, i) => rows.map((row) => row[i]).join("\n")));
  return `${table.toString()}\n`;
}
