/** Of a soak's samples: is there a trend, or is it noise? */

export interface Sample {
  readonly minute: number;
  readonly value: number;
}

/** Of the line that fits the samples best, per minute; 0 for fewer than two. */
export function slopePerMinute(samples: readonly Sample[]): number {
  const count = samples.length;
  if (count < 2) return 0;
  const mean = (pick: (sample: Sample) => number): number =>
    samples.reduce((all, sample) => all + pick(sample), 0) / count;
  const meanMinute = mean(({ minute }) => minute);
  const meanValue = mean(({ value }) => value);
  let along = 0;
  let spread = 0;
  for (const { minute, value } of samples) {
    along += (minute - meanMinute) * (value - meanValue);
    spread += (minute - meanMinute) ** 2;
  }
  return spread === 0 ? 0 : along / spread;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
