/** Go's durations: `300ms`, `1.5s`, `1h30m`, `0`. @see go src/time/format.go ParseDuration, time.go Duration.String */

/** What a text is not, in Go's words. */
export class GoSyntaxError extends Error {
  override readonly name: string = "GoSyntaxError";
}

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

/** Go counts nanoseconds in 63 bits. */
const MS_MAX = 2 ** 63 / 1e6;

/** @returns milliseconds, possibly with a fraction. @throws GoSyntaxError */
export function durationMs(text: string): number {
  const quoted = JSON.stringify(text);
  const unsigned = text.replace(/^[+-]/, "");
  const sign = text.startsWith("-") ? -1 : 1;
  if (unsigned === "0") return 0;
  let ms = 0;
  let rest = unsigned;
  while (rest !== "") {
    const [piece = "", digits = "", unit = ""] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest) ?? [];
    if (piece === "") break;
    if (unit === "") throw new GoSyntaxError(`time: missing unit in duration ${quoted}`);
    const factor = UNIT_MS.get(unit);
    if (factor === undefined) {
      throw new GoSyntaxError(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    }
    ms += Number(digits) * factor;
    rest = rest.slice(piece.length);
  }
  if (unsigned === "" || rest !== "" || ms >= MS_MAX) {
    throw new GoSyntaxError(`time: invalid duration ${quoted}`);
  }
  return sign * ms;
}

/** As Go prints it: `2h0m0s`, `1.5s`, `100ms`, `0s`. @param ms  milliseconds, exact to the nanosecond */
export function durationText(ms: number): string {
  const size = Math.abs(ms);
  const sign = ms < 0 ? "-" : "";
  if (size === 0) return "0s";
  if (size < 1e-3) return `${sign}${Math.round(size * 1e6)}ns`;
  if (size < 1) return `${sign}${trimmed(size * 1e3, 3)}µs`;
  if (size < 1000) return `${sign}${trimmed(size, 6)}ms`;
  const hours = Math.floor(size / 3_600_000);
  const minutes = Math.floor(size / 60_000) % 60;
  const seconds = `${trimmed((size % 60_000) / 1000, 9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
