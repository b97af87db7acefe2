/**
 * The front page's chart: a row for every pair of a question and a peer, the ratio on a logarithmic axis with 1 in the
 * middle. Where strata loses, the ground is shaded, the mark has another shape and colour, and the figure says so.
 */
import type { Mark } from "vega";
import type { SuiteResult } from "../suite/result.ts";
import { type ChartSpec, FONT } from "./chart.ts";
import { printable } from "./html.ts";
import { layOut, type Row, TOP } from "./ratio-rows.ts";

const WIDTH = 830;
const BOTTOM = 34;
const QUESTION_X = 8;
const PEER_X = 330;
const PLOT_FROM = 340;
const PLOT_TO = 700;
const FIGURE_X = 710;
/** Beyond 256 times a point stands at the edge, and its figure beside it. */
const MOST = 8;

export const RATIOS_FILE = "ratios.svg";

/** Undefined where nothing was compared: there is nothing to draw then. */
export function ratiosChart(result: SuiteResult): ChartSpec | undefined {
  const { rows, headings, bottom } = layOut(result.questions);
  if (rows.length === 0) return undefined;
  const lost = rows.filter(({ kind }) => kind === "loses").length;
  const power = axisPower(rows);
  const title = `How many times better strata ${result.strata} is than each peer${result.smoke ? ", a smoke run" : ""}`;
  const scale = { domain: [2 ** -power, 2 ** power], range: [PLOT_FROM, PLOT_TO] };
  return {
    file: RATIOS_FILE,
    title,
    description:
      `Medians and the range of the ratios of ${rows.length} pairs; strata loses ${lost} of them. ` +
      rows.map((row) => `${row.pair} ${row.figure}`).join("; "),
    width: WIDTH,
    height: bottom + BOTTOM,
    spec: {
      data: [
        {
          name: "rows",
          values: rows.map((row) => ({
            ...row,
            from: clamp(row.min, power),
            at: clamp(row.ratio, power),
            to: clamp(row.max, power),
          })),
        },
        {
          name: "goals",
          values: rows.flatMap(({ y, goal }) =>
            goal === undefined ? [] : [{ y, goal: clamp(goal, power) }],
          ),
        },
        { name: "headings", values: [...headings] },
      ],
      scales: [{ name: "x", type: "log", base: 2, ...scale }],
      marks: [
        ...ground(bottom, title),
        {
          type: "group",
          encode: { enter: { y: { value: TOP }, height: { value: bottom - TOP } } },
          // What the lines of the axis are as long as.
          signals: [{ name: "height", value: bottom - TOP }],
          axes: [
            {
              scale: "x",
              orient: "bottom",
              values: ticks(power),
              grid: true,
              domain: false,
              ticks: false,
              labelPadding: 6,
              encode: { labels: { update: { text: { signal: TICK_TEXT } } } },
            },
          ],
        },
        {
          type: "rule",
          encode: {
            enter: {
              x: { scale: "x", value: 1 },
              y: { value: TOP - 4 },
              y2: { value: bottom },
              stroke: { value: "var(--soft)" },
              strokeWidth: { value: 1.5 },
            },
          },
        },
        ...words(),
        ...points(),
      ],
    },
  };
}

const TICK_TEXT = "datum.value < 1 ? '1/' + (1 / datum.value) + '×' : datum.value + '×'";

/** The axis reaches 2 to this, and to its inverse: 1 is in the middle. */
function axisPower(rows: readonly Row[]): number {
  const ends = rows.flatMap(({ min, max, goal }) => [min, max, goal ?? 1]);
  const power = Math.ceil(Math.max(...ends.map((end) => Math.abs(Math.log2(end)))) + 0.1);
  return Math.min(Math.max(power, 1), MOST);
}

function clamp(ratio: number, power: number): number {
  return Math.min(Math.max(ratio, 2 ** -power), 2 ** power);
}

function ticks(power: number): number[] {
  const step = power > 5 ? 2 : 1;
  const powers: number[] = [];
  for (let at = 0; at <= power; at += step) powers.push(at, ...(at === 0 ? [] : [-at]));
  return powers.map((at) => 2 ** at).sort((a, b) => a - b);
}

function ground(bottom: number, title: string): Mark[] {
  const middle = (PLOT_FROM + PLOT_TO) / 2;
  const text = (x: number, y: number, value: string, more: object = {}): Mark => ({
    type: "text",
    encode: { enter: { x: { value: x }, y: { value: y }, text: { value }, ...more } },
  });
  const bold = { fontWeight: { value: "bold" }, fontSize: { value: 14 } };
  const key = (x: number, shape: string, colour: string, fill: string): Mark => ({
    type: "symbol",
    encode: {
      enter: {
        x: { value: x },
        y: { value: 37 },
        shape: { value: shape },
        size: { value: 60 },
        fill: { value: fill },
        stroke: { value: colour },
        strokeWidth: { value: 1.5 },
      },
    },
  });
  return [
    {
      type: "rect",
      encode: {
        enter: {
          x: { value: PLOT_FROM },
          x2: { value: middle },
          y: { value: TOP - 4 },
          y2: { value: bottom },
          fill: { value: "var(--shade)" },
        },
      },
    },
    text(QUESTION_X, 20, printable(title), bold),
    key(QUESTION_X + 6, "circle", "var(--win)", "var(--win)"),
    text(QUESTION_X + 16, 41, "better"),
    key(QUESTION_X + 70, "diamond", "var(--lose)", "var(--lose)"),
    text(QUESTION_X + 80, 41, "loses"),
    key(QUESTION_X + 126, "circle", "var(--soft)", "var(--bg)"),
    text(QUESTION_X + 136, 41, "hollow: rounds on both sides of 1"),
    text(middle - 8, 50, "◀ strata loses", {
      align: { value: "right" },
      fill: { value: "var(--lose)" },
      fontWeight: { value: "bold" },
    }),
    text(middle + 8, 50, "strata is better ▶", {
      fill: { value: "var(--win)" },
      fontWeight: { value: "bold" },
    }),
    text(FIGURE_X, 41, "▏goal"),
    text(FIGURE_X, 54, "line: min to max"),
  ];
}

function words(): Mark[] {
  const column = (field: string, x: number, more: object = {}): Mark => ({
    type: "text",
    from: { data: "rows" },
    encode: {
      enter: {
        x: { value: x },
        y: { field: "y" },
        text: { field },
        baseline: { value: "middle" },
        ...more,
      },
    },
  });
  return [
    {
      type: "text",
      from: { data: "headings" },
      encode: {
        enter: {
          x: { value: QUESTION_X },
          y: { field: "y" },
          text: { field: "text" },
          baseline: { value: "middle" },
          font: { value: FONT },
          fontWeight: { value: "bold" },
        },
      },
    },
    column("question", QUESTION_X),
    column("peer", PEER_X, { align: { value: "right" }, fill: { value: "var(--soft)" } }),
    column("figure", FIGURE_X, {
      fontWeight: [{ test: "datum.kind === 'loses'", value: "bold" }, { value: "normal" }],
      fill: [{ test: "datum.kind === 'loses'", value: "var(--lose)" }, { value: "var(--ink)" }],
    }),
  ];
}

function points(): Mark[] {
  const colour = [
    { test: "datum.kind === 'loses'", value: "var(--lose)" },
    { value: "var(--win)" },
  ];
  return [
    {
      type: "rule",
      from: { data: "rows" },
      encode: {
        enter: {
          x: { scale: "x", field: "from" },
          x2: { scale: "x", field: "to" },
          y: { field: "y" },
          stroke: colour,
          strokeWidth: { value: 2 },
        },
      },
    },
    {
      type: "rect",
      from: { data: "goals" },
      encode: {
        enter: {
          x: { scale: "x", field: "goal", offset: -1 },
          width: { value: 2 },
          y: { field: "y", offset: -6 },
          height: { value: 12 },
          fill: { value: "var(--ink)" },
        },
      },
    },
    {
      type: "symbol",
      from: { data: "rows" },
      encode: {
        enter: {
          x: { scale: "x", field: "at" },
          y: { field: "y" },
          shape: [{ test: "datum.kind === 'loses'", value: "diamond" }, { value: "circle" }],
          size: { value: 60 },
          fill: [{ test: "datum.even", value: "var(--bg)" }, ...colour],
          stroke: colour,
          strokeWidth: { value: 1.5 },
        },
      },
    },
  ];
}
