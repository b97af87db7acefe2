/**
 * How cost grows: a question's figures by number of keys, by size of the values, or, if both vary, a panel for each of
 * the ways through them. Points are medians, with the range of the rounds behind them.
 */
import type { Axis, GroupMark, Scale } from "vega";
import { OURS } from "../suite/question.ts";
import type { QuestionResult } from "../suite/result.ts";
import type { ChartSpec } from "./chart.ts";
import { KEY_ROW, KEY_TOP, keyOf, type Point, series, text } from "./curve-marks.ts";
import { type Panel, panelsOf } from "./curve-panels.ts";
import { shownFigure } from "./figures.ts";
import { printable } from "./html.ts";

const WIDTH = 830;
const PLOT_HEIGHT = 220;
const LEFT = 62;
const RIGHT = 16;
const BELOW = 48;
const PANEL_TITLE = 24;
/** A wider range than this is drawn on a logarithmic axis. */
const LOG_FROM = 20;

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
  const { keys, keyRows } = keyOf(sides, WIDTH);
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
