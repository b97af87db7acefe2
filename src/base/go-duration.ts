/** Go's durations, as etcd's flags take them and its logs write them: `300ms`, `1.5s`, `1h30m`, `0`. */
import { StrataError } from "./errors.ts";

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["µs", 1e-3],
  ["μs", 1e-3],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** Go has nanoseconds in 63 bits: 292 years. */
const MS_MAX = 2 ** 63 / 1e6;

/**
 * @returns milliseconds, possibly below 0 or with a fraction
 * @throws StrataError BAD_ARGUMENT with Go's words, as in `time: invalid duration "abc"`
 */
export function parseGoDuration(text: string): number {
  const unsigned = text.replace(/^[+-]/, "");
  const sign = text.startsWith("-") ? -1 : 1;
  if (unsigned === "0") return 0;
  const shown = JSON.stringify(text);
  let ms = 0;
  let rest = unsigned;
  while (rest !== "") {
    const [piece = "", digits = "", unit = ""] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest) ?? [];
    if (piece === "") break;
    if (unit === "") throw bad(`time: missing unit in duration ${shown}`);
    const factor = UNIT_MS.get(unit);
    if (factor === undefined) {
      throw bad(`time: unknown unit ${JSON.stringify(unit)} in duration ${shown}`);
    }
    ms += Number(digits) * factor;
    rest = rest.slice(piece.length);
  }
  if (unsigned === "" || rest !== "" || ms >= MS_MAX) throw bad(`time: invalid duration ${shown}`);
  return sign * ms;
}

/** Go's text of a duration: `0s`, `1.5µs`, `12.5ms`, `1h0m0s`. @param ms  exact to the nanosecond */
export function formatGoDuration(ms: number): string {
  const ns = Math.round(Math.abs(ms) * 1e6);
  const sign = ms < 0 && ns > 0 ? "-" : "";
  if (ns === 0) return "0s";
  if (ns < 1000) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${ns / 1000}µs`;
  if (ns < 1e9) return `${sign}${ns / 1e6}ms`;
  const minutes = Math.floor(ns / 60e9);
  const seconds = (ns - minutes * 60e9) / 1e9;
  if (minutes === 0) return `${sign}${seconds}s`;
  if (minutes < 60) return `${sign}${minutes}m${seconds}s`;
  return `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}s`;
}

function bad(message: string): StrataError {
  return new StrataError("BAD_ARGUMENT", message);
}
