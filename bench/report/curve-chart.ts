/**
 * How cost grows: a question's figures by number of keys, by size of the values, or, if both vary, a panel for each of
 * the ways through them. Points are medians, with the range of the rounds behind them.
 */
import type { Axis, GroupMark, Mark, Scale } from "vega";
import { OURS, type Size } from "../suite/question.ts";
import type { QuestionResult, SizeResult } from "../suite/result.ts";
import { type ChartSpec, SERIES } from "./chart.ts";
import { shortBytes, shortFigure, shownFigure } from "./figures.ts";
import { printable } from "./html.ts";

const WIDTH = 830;
const PLOT_HEIGHT = 220;
const LEFT = 62;
const RIGHT = 16;
const BELOW = 48;
const KEY_ROW = 18;
const KEY_TOP = 40;
const PANEL_TITLE = 24;
/** Of 11 px text in the widest of the usual fonts. */
const LETTER = 7.2;
/** A wider range than this is drawn on a logarithmic axis. */
const LOG_FROM = 20;

interface Panel {
  /** "" where there is only one. */
  readonly title: string;
  readonly by: "keys" | "valueBytes" | "label";
  readonly sizes: readonly SizeResult[];
}

interface Point {
  readonly x: number | string;
  readonly side: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Undefined for a question of one size: a point is no curve. */
export function curveChart(question: QuestionResult, file: string): ChartSpec | undefined {
  if (question.sizes.length < 2) return undefined;
  const panels = panelsOf(question.sizes);
  const sides = [
    ...new Set(
      question.sizes.flatMap(({ sides: each }) =>
        each.filter((side) => !("missing" in side)).map(({ name }) => name),
      ),
    ),
  ].sort((a, b) => Number(b === OURS) - Number(a === OURS));
  if (sides.length === 0) return undefined;
  const { keys, keyRows } = keyOf(sides);
  const top = KEY_TOP + keyRows * KEY_ROW + PANEL_TITLE;
  const panelHeight = PLOT_HEIGHT + BELOW + (panels.length > 2 ? PANEL_TITLE : 0);
  const columns = Math.min(panels.length, 2);
  const panelWidth = WIDTH / columns;
  const groups = panels.map((panel, i) =>
    panelGroup(panel, question, sides, {
      x: (i % columns) * panelWidth + LEFT,
      y: top + Math.floor(i / columns) * panelHeight,
      width: panelWidth - LEFT - RIGHT,
    }),
  );
  const direction = `${question.unit}, ${question.better} is better`;
  return {
    file,
    title: `${question.name}: ${direction}`,
    description: described(question),
    width: WIDTH,
    height: top + Math.ceil(panels.length / columns) * panelHeight,
    spec: {
      marks: [
        text(8, 20, printable(question.name), {
          fontWeight: { value: "bold" },
          fontSize: { value: 14 },
        }),
        text(WIDTH - 8, 20, printable(direction), {
          align: { value: "right" },
          fill: { value: "var(--soft)" },
        }),
        ...keys,
        ...groups,
      ],
    },
  };
}

function described({ unit, sizes }: QuestionResult): string {
  const said = sizes.map(({ size, sides }) => {
    const figures = sides.map((side) =>
      "missing" in side
        ? `${side.name} missing`
        : `${side.name} ${shownFigure(side.spread.median)}`,
    );
    return `${size.label}: ${figures.join(", ")}`;
  });
  return `Medians in ${unit}. ${said.join("; ")}`;
}

function panelsOf(sizes: readonly SizeResult[]): Panel[] {
  const one = (by: "keys" | "valueBytes"): Size[typeof by][] => [
    ...new Set(sizes.map(({ size }) => size[by])),
  ];
  const keys = one("keys");
  const values = one("valueBytes");
  for (const by of ["keys", "valueBytes"] as const) {
    const others = by === "keys" ? values : keys;
    const panel: Panel = { title: "", by, sizes };
    if (others.length === 1 && isCurve(panel)) return [panel];
  }
  const curves = [
    ...values.map(
      (valueBytes): Panel => ({
        title: `values of ${shortBytes(valueBytes)}`,
        by: "keys",
        sizes: sizes.filter(({ size }) => size.valueBytes === valueBytes),
      }),
    ),
    ...keys.map(
      (count): Panel => ({
        title: `${shortFigure(count)} keys`,
        by: "valueBytes",
        sizes: sizes.filter(({ size }) => size.keys === count),
      }),
    ),
  ]
    .filter((panel) => isCurve(panel))
    .sort((a, b) => b.sizes.length - a.sizes.length);
  const drawn = new Set<SizeResult>();
  const panels: Panel[] = [];
  for (const panel of curves) {
    if (panel.sizes.every((size) => drawn.has(size))) continue;
    for (const size of panel.sizes) drawn.add(size);
    panels.push(panel);
  }
  // A size that is on no curve would be lost: then they all stand side by side, by name.
  return drawn.size === sizes.length ? panels : [{ title: "", by: "label", sizes }];
}

/** At least two different places, all above 0, each once. */
function isCurve({ by, sizes }: Panel): boolean {
  if (by === "label") return true;
  const places = sizes.map(({ size }) => size[by]);
  return (
    places.length > 1 && new Set(places).size === places.length && places.every((at) => at > 0)
  );
}

function panelGroup(
  { title, by, sizes }: Panel,
  question: QuestionResult,
  sides: readonly string[],
  at: { readonly x: number; readonly y: number; readonly width: number },
): GroupMark {
  const points: Point[] = sizes.flatMap(({ size, sides: each }) =>
    each.flatMap((side) =>
      "missing" in side
        ? []
        : [
            {
              x: by === "label" ? printable(size.label) : size[by],
              side: side.name,
              ...side.spread,
            },
          ],
    ),
  );
  const { scale: yScale, values } = yAxis(points);
  const places = [...new Set(points.map(({ x }) => x))];
  const axes: Axis[] = [
    {
      scale: "x",
      orient: "bottom",
      values: [...places],
      labelPadding: 5,
      title: by === "keys" ? "keys" : by === "valueBytes" ? "bytes of a value" : "",
      labelOverlap: true,
      encode: { labels: { update: { text: { signal: LABELS[by] } } } },
    },
    {
      scale: "y",
      orient: "left",
      grid: true,
      domain: false,
      ticks: false,
      ...(values === undefined ? { tickCount: 5 } : { values }),
      title: printable(question.unit),
      titleLimit: PLOT_HEIGHT,
      encode: { labels: { update: { text: { signal: FIGURE_LABEL } } } },
    },
  ];
  return {
    type: "group",
    encode: {
      enter: {
        x: { value: at.x },
        y: { value: at.y },
        width: { value: at.width },
        height: { value: PLOT_HEIGHT },
      },
    },
    // What the lines of the axes are as long as.
    signals: [
      { name: "width", value: at.width },
      { name: "height", value: PLOT_HEIGHT },
    ],
    scales: [
      xScale(by, places, at.width),
      { name: "y", ...yScale, range: [PLOT_HEIGHT, 0] } as Scale,
    ],
    axes,
    marks: [
      text(0, -10, title, { fill: { value: "var(--soft)" } }),
      ...sides.flatMap((name, i) =>
        series(
          points.filter(({ side }) => side === name),
          i,
          sides.length,
        ),
      ),
    ],
  };
}

const FIGURE_LABEL =
  "datum.value === 0 ? '0' : datum.value >= 1000 ? format(datum.value, '.3~s') : format(datum.value, '.3~g')";

const LABELS: Readonly<Record<Panel["by"], string>> = {
  keys: "format(datum.value, '.3~s')",
  valueBytes:
    "datum.value >= 1048576 ? datum.value / 1048576 + ' MiB' : datum.value >= 1024 ? datum.value / 1024 + ' KiB' : datum.value + ' B'",
  label: "datum.value",
};

function xScale(by: Panel["by"], places: readonly (number | string)[], width: number): Scale {
  const range: [number, number] = [12, width - 12];
  if (by === "label") return { name: "x", type: "point", domain: [...places], range, padding: 0.5 };
  const numbers = places.map(Number);
  return {
    name: "x",
    type: "log",
    domain: [Math.min(...numbers), Math.max(...numbers)],
    range,
  };
}

function yAxis(points: readonly Point[]): { scale: object; values: number[] | undefined } {
  const max = Math.max(...points.map((point) => point.max));
  const min = Math.min(...points.map((point) => point.min));
  if (!(min > 0) || max / min < LOG_FROM)
    return {
      scale: { type: "linear", domain: [0, max > 0 ? max : 1], nice: 5 },
      values: undefined,
    };
  const from = Math.floor(Math.log10(min));
  const to = Math.ceil(Math.log10(max));
  const step = Math.max(1, Math.ceil((to - from) / 6));
  const values: number[] = [];
  for (let power = from; power <= to; power += step) values.push(10 ** power);
  return { scale: { type: "log", domain: [10 ** from, 10 ** to] }, values };
}

/** Each beside the others by some pixels, so that ranges do not hide each other. */
function series(points: readonly Point[], index: number, count: number): Mark[] {
  const { colour, shape } = styleOf(index);
  const offset = (index - (count - 1) / 2) * 3;
  const x = { scale: "x", field: "x", offset };
  return [
    {
      type: "group",
      data: [{ name: "own", values: [...points] }],
      marks: [
        {
          type: "line",
          from: { data: "own" },
          encode: {
            enter: {
              x,
              y: { scale: "y", field: "median" },
              stroke: { value: colour },
              strokeWidth: { value: index === 0 ? 2.5 : 1.5 },
              strokeDash: { value: DASHES[index % DASHES.length] ?? [] },
            },
          },
        },
        {
          type: "rule",
          from: { data: "own" },
          encode: {
            enter: {
              x,
              y: { scale: "y", field: "min" },
              y2: { scale: "y", field: "max" },
              stroke: { value: colour },
              strokeWidth: { value: 1.5 },
            },
          },
        },
        {
          type: "symbol",
          from: { data: "own" },
          encode: {
            enter: {
              x,
              y: { scale: "y", field: "median" },
              shape: { value: shape },
              size: { value: 60 },
              fill: { value: colour },
              stroke: { value: "var(--bg)" },
              strokeWidth: { value: 1 },
            },
          },
        },
      ],
    },
  ];
}

const DASHES: readonly number[][] = [[], [6, 3], [2, 3], [8, 3, 2, 3], [4, 4], [1, 3], [10, 4]];

function styleOf(index: number): { readonly colour: string; readonly shape: string } {
  return SERIES[index % SERIES.length] ?? { colour: "var(--ink)", shape: "circle" };
}

/** The names with their shapes, in rows. */
function keyOf(sides: readonly string[]): { keys: Mark[]; keyRows: number } {
  const keys: Mark[] = [];
  let x = 8;
  let row = 0;
  for (const [i, side] of sides.entries()) {
    const name = printable(side);
    const width = 26 + name.length * LETTER + 14;
    if (x + width > WIDTH && x > 8) {
      x = 8;
      row++;
    }
    const y = KEY_TOP + row * KEY_ROW;
    const { colour, shape } = styleOf(i);
    keys.push(
      {
        type: "rule",
        encode: {
          enter: {
            x: { value: x },
            x2: { value: x + 22 },
            y: { value: y },
            stroke: { value: colour },
            strokeWidth: { value: i === 0 ? 2.5 : 1.5 },
            strokeDash: { value: DASHES[i % DASHES.length] ?? [] },
          },
        },
      },
      {
        type: "symbol",
        encode: {
          enter: {
            x: { value: x + 11 },
            y: { value: y },
            shape: { value: shape },
            size: { value: 60 },
            fill: { value: colour },
            stroke: { value: "var(--bg)" },
            strokeWidth: { value: 1 },
          },
        },
      },
      text(x + 28, y, name, { baseline: { value: "middle" } }),
    );
    x += width;
  }
  return { keys, keyRows: row + 1 };
}

function text(x: number, y: number, value: string, more: object = {}): Mark {
  return {
    type: "text",
    encode: { enter: { x: { value: x }, y: { value: y }, text: { value }, ...more } },
  };
}
