/** Prometheus' text format, read back: for tests that compare what two servers show. */

export interface Family {
  readonly type: string;
  /** By what stands before the value: name and labels, as in `x_bucket{le="1"}`. */
  readonly series: ReadonlyMap<string, number>;
  /** Names of labels, `le` left out, sorted. */
  readonly labelNames: readonly string[];
  /** Values of `le`, as they are written; none but in a histogram. */
  readonly bounds: readonly string[];
}

/** @throws Error at a line that is none of the format */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let series = new Map<string, number>();
  let name = "";
  for (const line of text.split("\n")) {
    const type = /^# TYPE (\S+) (\w+)$/.exec(line);
    if (type !== null) {
      series = new Map();
      name = type[1] ?? "";
      if (families.has(name)) throw new Error(`${name} comes twice`);
      const asSeries = series;
      families.set(name, {
        type: type[2] ?? "",
        series: asSeries,
        get labelNames() {
          const names = [...asSeries.keys()].flatMap((each) => labelsOf(each).map(([key]) => key));
          return [...new Set(names)].filter((each) => each !== "le").sort();
        },
        get bounds() {
          const found = [...asSeries.keys()].flatMap((each) =>
            labelsOf(each)
              .filter(([key]) => key === "le")
              .map(([, value]) => value),
          );
          return [...new Set(found)];
        },
      });
    } else if (line !== "" && !line.startsWith("# HELP ")) {
      const sample = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)$/.exec(line);
      if (sample === null || !line.startsWith(name)) throw new Error(`no sample: ${line}`);
      const [, key = "", value = ""] = sample;
      if (series.has(key)) throw new Error(`${key} comes twice`);
      series.set(key, value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value));
    }
  }
  return families;
}

function labelsOf(series: string): [name: string, value: string][] {
  return [...series.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(
    ([, name = "", value = ""]) => [name, value],
  );
}
