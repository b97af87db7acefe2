/** Curves of subjects, each with a colour, a shape and dashes of its own, and the key that names them. */
import type { Mark } from "vega";
import { SERIES } from "./chart.ts";
import { printable } from "./html.ts";

export const KEY_ROW = 18;
export const KEY_TOP = 40;
/** Of 11 px text in the widest of the usual fonts. */
const LETTER = 7.2;

export interface Point {
  readonly x: number | string;
  readonly side: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Each beside the others by some pixels, so that ranges do not hide each other. */
export function series(points: readonly Point[], index: number, count: number): Mark[] {
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

/** The names with their shapes, in rows of `width`. */
export function keyOf(sides: readonly string[], width: number): { keys: Mark[]; keyRows: number } {
  const keys: Mark[] = [];
  let x = 8;
  let row = 0;
  for (const [i, side] of sides.entries()) {
    const name = printable(side);
    const wide = 26 + name.length * LETTER + 14;
    if (x + wide > width && x > 8) {
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
    x += wide;
  }
  return { keys, keyRows: row + 1 };
}

export function text(x: number, y: number, value: string, more: object = {}): Mark {
  return {
    type: "text",
    encode: { enter: { x: { value: x }, y: { value: y }, text: { value }, ...more } },
  };
}
