/** Strings as Go's encoding/json writes them: `<`, `>`, `&` and two line separators escaped, beyond what JSON asks for. */

export function goJson(value: string | readonly string[]): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** JSON of an object, or undefined: of a file or an entry that anybody may have written. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : undefined;
}

/** The strings of what should be a list of strings; null, which is Go's empty list, has none. */
export function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
