/** Where a run is, for whoever waits: on a terminal one line that changes, elsewhere a line for each question. */
import type { SuiteProgress } from "./run-suite.ts";

export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const CLEAR_LINE = "\r\u001b[2K";

export class LineProgress implements SuiteProgress {
  readonly #output: ProgressOutput;
  readonly #nowMs: () => number;
  readonly #startMs: number;
  #head = "";

  constructor(output: ProgressOutput, nowMs: () => number = () => performance.now()) {
    this.#output = output;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
  }

  asking(question: string, size: string, index: number, count: number): void {
    const spentMs = this.#nowMs() - this.#startMs;
    const done = index - 1;
    const left = done === 0 ? "" : `, about ${duration((spentMs / done) * (count - done))} left`;
    this.#head = `${index} of ${count}, ${duration(spentMs)}${left}: ${question}, ${size}`;
    if (this.#output.isTTY) this.#show("");
    else this.#output.write(`${this.#head}\n`);
  }

  within(line: string): void {
    if (/failed: /.test(line)) {
      this.end();
      this.#output.write(`${line}\n`);
    } else if (this.#output.isTTY) this.#show(`: ${line}`);
  }

  /** Leaves a clean line. */
  end(): void {
    if (this.#output.isTTY) this.#output.write(CLEAR_LINE);
  }

  #show(more: string): void {
    const line = `${this.#head}${more}`.slice(0, (this.#output.columns ?? 80) - 1);
    this.#output.write(`${CLEAR_LINE}${line}`);
  }
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
