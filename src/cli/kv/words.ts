/** A line as words: `"…"` with Go's escapes, `'…'` as it stands, else what has no spaces. @see etcd util.go Argify */
import { rawText } from "../../base/raw-text.ts";
import { unquoted } from "../../base/unquote.ts";
import { EXIT_INVALID_INPUT } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";

const WORD = /"(?:[^"\\]|\\.)*"|'[^']*'|[^'"\t\n\f\r ][^\t\n\f\r ]*[^'"\t\n\f\r ]?/g;

/** @throws Failure 3 for an escape that is none */
export function wordsOf(line: string): string[] {
  return (line.match(WORD) ?? []).map((word) => {
    if (word.startsWith("'")) return word.slice(1, -1);
    if (!word.startsWith('"')) return word;
    const bytes = unquoted(word);
    if (bytes === undefined) throw new Failure(EXIT_INVALID_INPUT, "invalid syntax");
    return rawText(bytes);
  });
}
