/** Through which sizes the curves of a question go. */
import type { Size } from "../suite/question.ts";
import type { SizeResult } from "../suite/result.ts";
import { shortBytes, shortFigure } from "./figures.ts";

export interface Panel {
  /** "" where there is only one. */
  readonly title: string;
  readonly by: "keys" | "valueBytes" | "label";
  readonly sizes: readonly SizeResult[];
}

/** All sizes are in at least one panel. */
export function panelsOf(sizes: readonly SizeResult[]): Panel[] {
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
