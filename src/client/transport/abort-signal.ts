/** One listener on a signal however many calls it ends: Node warns of more than ten, and each costs. */

const watched = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back when the signal aborts, which it has not. @returns what makes an end of that */
export function onAbort(signal: AbortSignal, tell: () => void): () => void {
  let all = watched.get(signal);
  if (all === undefined) {
    const tellers = new Set<() => void>();
    watched.set(signal, tellers);
    signal.addEventListener("abort", tellAll);
    all = tellers;
  }
  const others = all;
  others.add(tell);
  return () => {
    if (!others.delete(tell) || others.size > 0) return;
    watched.delete(signal);
    signal.removeEventListener("abort", tellAll);
  };
}

function tellAll(this: AbortSignal): void {
  const all = watched.get(this);
  watched.delete(this);
  for (const tell of all ?? []) tell();
}
