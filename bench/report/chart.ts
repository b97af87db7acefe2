/**
 * Vega's charts as SVG text, made without a browser. Colours are CSS variables, so that one file is right in the light
 * and in the dark; a file of its own brings their values along, and the page has them once for all.
 */
import { parse, type Spec, View } from "vega";
import { escaped } from "./html.ts";

/**
 * Okabe and Ito's colours, told apart by colour-blind people, darkened or lightened where the ground asks for it. Every
 * series has a shape of its own, too.
 */
export const SERIES: readonly { readonly colour: string; readonly shape: string }[] = [
  { colour: "var(--s0)", shape: "circle" },
  { colour: "var(--s1)", shape: "diamond" },
  { colour: "var(--s2)", shape: "square" },
  { colour: "var(--s3)", shape: "triangle-up" },
  { colour: "var(--s4)", shape: "cross" },
  { colour: "var(--s5)", shape: "triangle-down" },
  { colour: "var(--s6)", shape: "triangle-right" },
];

const LIGHT: string =
  "--bg:#ffffff;--ink:#1f2328;--soft:#59636e;--grid:#d1d9e0;--shade:#fbeee6;--win:#0072b2;--lose:#b34700;" +
  "--s0:#0072b2;--s1:#b34700;--s2:#00795a;--s3:#9b4f86;--s4:#8a6100;--s5:#1f2328;--s6:#2a7fb0;";
const DARK: string =
  "--bg:#0d1117;--ink:#e6edf3;--soft:#9da7b1;--grid:#30363d;--shade:#2b1c12;--win:#56b4e9;--lose:#ff8b3d;" +
  "--s0:#56b4e9;--s1:#ff8b3d;--s2:#2fc39a;--s3:#dd9bc2;--s4:#e6b422;--s5:#e6edf3;--s6:#8fd0f5;";

/** For `selector`, in both; paper is white. */
export function colours(selector: string): string {
  return (
    `${selector}{${LIGHT}}\n` +
    `@media screen and (prefers-color-scheme:dark){${selector}{${DARK}}}`
  );
}

export const FONT: string =
  "system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Helvetica,Arial,sans-serif";

/** Of the text in charts; in a page it is said once. */
export const CHART_FONT: string = `.chart text{font-family:${FONT}}`;

export interface Chart {
  /** Of the file, without a folder: "ratios.svg". */
  readonly file: string;
  readonly title: string;
  /** What is to be seen, for those who do not see it. */
  readonly description: string;
  /** In pixels, the drawing's own. */
  readonly width: number;
  readonly height: number;
  /** To be set into a page that has `colours`. */
  readonly inline: string;
  /** A file of its own. */
  readonly alone: string;
}

export interface ChartSpec extends Pick<Chart, "file" | "title" | "description"> {
  readonly width: number;
  readonly height: number;
  /** Everything but size and ground. Coordinates are the drawing's own, from its upper left. */
  readonly spec: Omit<Spec, "width" | "height" | "padding" | "autosize">;
}

export async function drawChart({
  file,
  title,
  description,
  width,
  height,
  spec,
}: ChartSpec): Promise<Chart> {
  const whole: Spec = {
    ...spec,
    width,
    height,
    padding: 0,
    autosize: "none",
    background: "var(--bg)",
    config: CONFIG,
  };
  const view = new View(parse(whole), { renderer: "none" });
  const drawn = withoutOwn(await view.toSVG());
  view.finalize();
  const id = file.replace(/\W/g, "-");
  const open =
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-labelledby="${id}-title ${id}-desc" ` +
    `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<title id="${id}-title">${escaped(title)}</title><desc id="${id}-desc">${escaped(description)}</desc>`;
  return {
    file,
    title,
    description,
    width,
    height,
    inline: `${open}${drawn}</svg>`,
    alone: `${open}<style>${colours(".chart")}\n${CHART_FONT}</style>${drawn}</svg>\n`,
  };
}

/**
 * Without the outer element, and without what is ours to say: the title and the description tell all of it once, where
 * roles and labels of every dot would be read out one by one; and the font is in the style.
 */
function withoutOwn(svg: string): string {
  return svg
    .replace(/^<svg[^>]*>/, "")
    .replace(/<\/svg>\s*$/, "")
    .replace(/<[a-z]+ [^<>]*>/g, (tag) =>
      tag.replace(/ (?:role|aria-[a-z]+|class|font-family)="[^"]*"/g, ""),
    );
}

const CONFIG = {
  text: { font: FONT, fontSize: 11, fill: "var(--ink)" },
  axis: {
    labelFont: FONT,
    labelFontSize: 11,
    labelColor: "var(--soft)",
    titleFont: FONT,
    titleFontSize: 11,
    titleFontWeight: "normal" as const,
    titleColor: "var(--soft)",
    gridColor: "var(--grid)",
    domainColor: "var(--grid)",
    tickColor: "var(--grid)",
  },
};
