/** What is seen of a mirror: a count for programs now and then, and for people one line that is always new. */
import type { Clock } from "../../base/clock.ts";
import type { MirrorProgress } from "../../client/mirror/mirror.ts";
import type { Io } from "../../console/io.ts";

const COUNT_MS = 30_000;
const LINE_MS = 500;
/** Back to the line's beginning; what stands there goes. */
const CLEAR_LINE = "\r\x1b[K";

export class MirrorDisplay {
  readonly #io: Pick<Io, "stdout" | "stderr" | "env">;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  #progress: MirrorProgress = { operations: 0, revision: 0n };
  #shown: { readonly atMs: number; readonly operations: number };

  /** @param signal  ends it, too */
  constructor(io: Pick<Io, "stdout" | "stderr" | "env">, clock: Clock, signal: AbortSignal) {
    this.#io = io;
    this.#clock = clock;
    this.#signal = AbortSignal.any([signal, this.#ended.signal]);
    this.#shown = { atMs: clock.nowMs(), operations: 0 };
    void this.#every(COUNT_MS, () => io.stdout.write(`${this.#progress.operations}\n`));
    if (this.#isTerminal) void this.#every(LINE_MS, () => this.#line());
  }

  show(progress: MirrorProgress): void {
    this.#progress = progress;
  }

  end(): void {
    this.#ended.abort();
    if (this.#isTerminal) this.#io.stderr.write(CLEAR_LINE);
  }

  get #isTerminal(): boolean {
    return this.#io.stderr.isTTY === true && this.#io.env.TERM !== "dumb";
  }

  /** Never rejects. */
  async #every(ms: number, work: () => void): Promise<void> {
    for (;;) {
      await this.#clock.sleep(ms, this.#signal);
      if (this.#signal.aborted) return;
      work();
    }
  }

  #line(): void {
    const { operations, revision } = this.#progress;
    const atMs = this.#clock.nowMs();
    const perSecond = ((operations - this.#shown.operations) / (atMs - this.#shown.atMs)) * 1000;
    this.#shown = { atMs, operations };
    const place = revision === 0n ? "copying what there is" : `up to revision ${revision}`;
    const line = `${operations} keys mirrored | ${Math.round(perSecond)}/s | ${place}`;
    this.#io.stderr.write(`${CLEAR_LINE}${line}`);
  }
}
