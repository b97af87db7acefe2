/** Names near a mistyped one. @see spf13/cobra command.go SuggestionsFor */

const DISTANCE_MAX = 2;

/** In the order of `names`: those two changes away at most, and those that begin so. */
export function suggestionsFor(typed: string, names: readonly string[]): string[] {
  const wanted = typed.toLowerCase();
  return names.filter((name) => {
    const known = name.toLowerCase();
    return known.startsWith(wanted) || distance(wanted, known) <= DISTANCE_MAX;
  });
}

/** Levenshtein's: letters to add, drop or change. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(changed, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}
