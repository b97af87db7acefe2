/** Figures as people read them: three digits, and the spread behind the median. */
import type { Spread } from "../support/report.ts";

const MINUS = "−";

/** "1,234,567", "12.3", "0.00123". */
export function shownFigure(value: number): string {
  if (!Number.isFinite(value)) return "none";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? MINUS : "";
  if (size >= 100) return sign + Math.round(size).toLocaleString("en");
  if (size < 1e-6) return sign + size.toExponential(2);
  return sign + size.toPrecision(3);
}

/** "2.65×"; small ratios keep their digits, for "0.00×" would say nothing. */
export function shownRatio(value: number): string {
  if (!Number.isFinite(value)) return "none";
  return `${value >= 100 ? Math.round(value).toLocaleString("en") : value >= 0.1 ? value.toFixed(2) : value.toPrecision(2)}×`;
}

/** "2.10–2.80": without the sign of a ratio, which the median beside it has; "" where there was but one round. */
export function shownRange({ min, max }: Spread, show: (value: number) => string): string {
  if (min === max) return "";
  return `${show(min).replace("×", "")}–${show(max).replace("×", "")}`;
}

const SHORT: readonly (readonly [number, string])[] = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** For axes: "10k", "1.5M". */
export function shortFigure(value: number): string {
  for (const [size, suffix] of SHORT) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${suffix}`;
  }
  return `${Number(value.toPrecision(3))}`;
}

/** "64 B", "1 KiB", "64 KiB". */
export function shortBytes(bytes: number): string {
  if (bytes >= 2 ** 20) return `${Number((bytes / 2 ** 20).toPrecision(3))} MiB`;
  if (bytes >= 2 ** 10) return `${Number((bytes / 2 ** 10).toPrecision(3))} KiB`;
  return `${bytes} B`;
}
