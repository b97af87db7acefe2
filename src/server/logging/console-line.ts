/** zap's other form of a line: time, level, caller and message with tabs between them, then the fields as JSON. */

/** @param json  a line of the JSON form */
export function consoleLine(json: string): string {
  const { level, ts, caller, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const rest = Object.keys(fields).length === 0 ? "" : `\t${JSON.stringify(fields)}`;
  return `${String(ts)}\t${String(level)}\t${String(caller)}\t${String(msg)}${rest}\n`;
}
