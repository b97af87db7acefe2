/**
 * A call tree as a drawing: a box for each function, as wide as the time that it and what it called took, below the
 * function that called it. It is one SVG file without a script; a box says everything when the pointer rests on it.
 */
import { colours, FONT } from "../report/chart.ts";
import { escaped, printable } from "../report/html.ts";
import type { Called } from "./cpu-profile.ts";
import { nameOf, type Owner, ownerOf, whereOf } from "./source-lines.ts";

const WIDTH = 1200;
const MARGIN = 10;
const ROW = 17;
const TOP = 74;
/** Below this there is nothing to be seen. */
const LEAST_PX = 0.5;
/** From this on there is room for words. */
const LEAST_TEXT_PX = 26;
/** Of the monospaced font at 11 px. */
const LETTER_PX = 6.7;

/** Okabe and Ito's, light enough for black letters; the key names them, and every box names its file. */
const FILLS: Readonly<Record<Owner, { readonly fill: string; readonly what: string }>> = {
  strata: { fill: "#7cc4ef", what: "strata" },
  package: { fill: "#f0c04a", what: "packages" },
  node: { fill: "#e7a98a", what: "Node" },
  engine: { fill: "#c9c9c9", what: "engine and system calls" },
};

/**
 * @param title  what was run
 * @param where  which of its processes this is
 */
export function flameGraph(tree: Called, title: string, where: string): string {
  const boxes: string[] = [];
  const scale = (WIDTH - 2 * MARGIN) / Math.max(tree.totalUs, 1);
  let depth = 0;
  const draw = (called: Called, x: number, row: number): void => {
    const width = called.totalUs * scale;
    if (width < LEAST_PX) return;
    depth = Math.max(depth, row + 1);
    boxes.push(box(called, tree.totalUs, x, TOP + row * ROW, width));
    let at = x;
    for (const child of called.children) {
      draw(child, at, row + 1);
      at += child.totalUs * scale;
    }
  };
  draw(tree, MARGIN, 0);
  const height = TOP + depth * ROW + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-labelledby="title desc" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">
<title id="title">${escaped(`${title}: ${where}`)}</title>
<desc id="desc">A flame graph: time from left to right, callers above what they call.</desc>
<style>${colours(".chart")}
.chart text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#000}
.chart .said{font:12px ${FONT};fill:var(--ink)}
.chart .title{font-weight:bold;font-size:14px}
</style>
<rect width="${WIDTH}" height="${height}" fill="var(--bg)"/>
<text class="said title" x="${MARGIN}" y="20">${escaped(title)}</text>
<text class="said" x="${MARGIN}" y="38">${escaped(where)}; ${ms(tree.totalUs)} ms, without waiting</text>
${key()}
${boxes.join("\n")}
</svg>
`;
}

function box(called: Called, wholeUs: number, x: number, y: number, width: number): string {
  const { frame, selfUs, totalUs } = called;
  const name = printable(nameOf(frame));
  const where = whereOf(frame);
  const part = ((100 * totalUs) / Math.max(wholeUs, 1)).toFixed(1);
  const said = `${name} ${where}: ${ms(totalUs)} ms (${part} %), itself ${ms(selfUs)} ms`;
  const letters = Math.floor((width - 4) / LETTER_PX);
  const label = name.length <= letters ? name : `${name.slice(0, Math.max(letters - 1, 0))}…`;
  const text =
    width < LEAST_TEXT_PX
      ? ""
      : `<text x="${(x + 2).toFixed(1)}" y="${y + ROW - 5}">${escaped(label)}</text>`;
  return `<g><title>${escaped(said)}</title><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(width - 0.5, LEAST_PX).toFixed(1)}" height="${ROW - 1}" fill="${FILLS[ownerOf(frame)].fill}"/>${text}</g>`;
}

function key(): string {
  let x = MARGIN;
  return Object.values(FILLS)
    .map(({ fill, what }) => {
      const at = x;
      x += 26 + what.length * 7.5;
      return `<rect x="${at}" y="49" width="12" height="12" fill="${fill}"/><text class="said" x="${at + 17}" y="59">${what}</text>`;
    })
    .join("");
}

function ms(us: number): string {
  return (us / 1000).toFixed(1);
}
