/** What the HTTP endpoints have answered, for metrics. */
export class HttpCounts {
  /** Of /health. */
  healthy = 0;
  unhealthy = 0;
  /** Of /metrics, by status. */
  readonly scrapes: Map<string, number> = new Map([
    ["200", 0],
    ["500", 0],
    ["503", 0],
  ]);
  scrapesUnderWay = 0;
  /** Of the checks of /livez and /readyz. */
  readonly checks: Map<string, CheckCount> = new Map();

  /** @param type  `livez`, `readyz` */
  checked(type: string, name: string, succeeded: boolean): void {
    const key = `${type} ${name}`;
    let count = this.checks.get(key);
    if (count === undefined) {
      count = { type, name, last: false, successes: 0, errors: 0 };
      this.checks.set(key, count);
    }
    count.last = succeeded;
    if (succeeded) count.successes++;
    else count.errors++;
  }

  scraped(status: number): void {
    const key = String(status);
    this.scrapes.set(key, (this.scrapes.get(key) ?? 0) + 1);
  }
}

export interface CheckCount {
  readonly type: string;
  readonly name: string;
  last: boolean;
  successes: number;
  errors: number;
}
