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

/** tablewriter's: longer cells are broken at spaces, and a column with a broken cell is at least as wide. */
const CELL_WIDTH = 30;

/** The lines of a table, each ended. Every row is as long as the header. */
export function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: RULES,
    // No colours: these bytes are compared, and read by scripts.
    style: { head: [], border: [], "padding-left": 1, "padding-right": 1 },
    colAligns: header.map(() => "right" as const),
  });
  const titles = header.map((name) => name.replaceAll("_", " ").toUpperCase());
  table.push(titles.map((content) => ({ content, hAlign: "center" as const })));
  // The library rules off every row, etcd only the header: all rows are one of many lines.
  if (rows.length > 0) {
    const wrapped = rows.map(wrappedRow);
    table.push(header.map((_, i) => wrapped.flatMap((row) => row[i] ?? "").join("\n")));
  }
  return `${table.toString()}\n`;
}

/** The lines of each cell, as many for one as for another. */
function wrappedRow(row: readonly string[]): string[][] {
  const cells = row.map(wrappedCell);
  const height = Math.max(...cells.map((lines) => lines.length));
  return cells.map((lines) => [...lines, ...Array<string>(height - lines.length).fill("")]);
}

function wrappedCell(text: string): string[] {
  if (text.length <= CELL_WIDTH) return [text];
  const lines = wrapped(text.split(/[ \n]/));
  return lines.map((line) => line.padStart(CELL_WIDTH));
}

/**
 * Words in lines that are filled evenly: of all ways to break them the one with the least sum of squares of what is
 * left free, the last line aside. A word that is too long sets the width.
 */
function wrapped(words: readonly string[]): string[] {
  const width = Math.max(CELL_WIDTH, ...words.map((word) => word.length));
  const cost: number[] = [];
  const breakAt: number[] = [];
  for (let from = words.length - 1; from >= 0; from--) {
    cost[from] = Number.POSITIVE_INFINITY;
    let length = -1;
    for (let to = from + 1; to <= words.length; to++) {
      length += 1 + (words[to - 1] ?? "").length;
      if (length > width) break;
      const isLast = to === words.length;
      const here = isLast ? 0 : (width - length) ** 2 + (cost[to] ?? 0);
      if (here > (cost[from] ?? 0) || (here === cost[from] && !isLast)) continue;
      cost[from] = here;
      breakAt[from] = to;
    }
  }
  const lines: string[] = [];
  for (let at = 0; at < words.length; at = breakAt[at] ?? words.length) {
    lines.push(words.slice(at, breakAt[at]).join(" "));
  }
  return lines;
}
