/**
 * An open loop: requests are due at a steady rate whether or not the earlier ones are answered, and what each takes is
 * counted from when it was due. Who is kept waiting by a server that stands still is counted for all of that time.
 */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

export interface PacedLoadOptions {
  /** Requests a second. */
  readonly rate: number;
  /** On their way at a time, at most; others that are due wait here. */
  readonly inFlightMax: number;
  /** Who has waited here so long is never sent, and counted as `dropped` and as having taken so long. */
  readonly patienceMs: number;
  /** Sends request number `i`; `done` is called once. */
  readonly send: (i: number, done: (ok: boolean) => void) => void;
}

/** Of one stretch of time. Milliseconds throughout, from when a request was due. */
export interface LoadFigure {
  readonly seconds: number;
  readonly answered: number;
  readonly perSecond: number;
  readonly failed: number;
  readonly dropped: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** Between one answer and the next. */
  readonly stallMs: number;
  /** Requests were held back here, because too many were on their way. */
  readonly held: boolean;
  /** How late the load itself was: sent after it was due. */
  readonly sentLateP99Ms: number;
}

const TICK_MS = 1;
/** Histograms count microseconds. */
const US = 1000;
const HISTOGRAM = { lowest: 1, highest: 600_000_000, figures: 3 };

export class PacedLoad {
  readonly #options: PacedLoadOptions;
  #timer: NodeJS.Timeout | undefined;
  #startMs = 0;
  /** Since the start: due ones that were sent or dropped. */
  #taken = 0;
  #sent = 0;
  #inFlight = 0;
  #drained: (() => void) | undefined;
  #lastAnswerMs = 0;
  #window = new Window(performance.now());

  constructor(options: PacedLoadOptions) {
    this.#options = options;
  }

  start(): void {
    this.#startMs = performance.now();
    this.#lastAnswerMs = this.#startMs;
    this.#taken = 0;
    this.#window = new Window(this.#startMs);
    const tick = (): void => {
      this.#timer = setTimeout(tick, TICK_MS);
      this.#pump();
    };
    tick();
  }

  /** What was seen since the last cut, or the start. */
  cut(): LoadFigure {
    const nowMs = performance.now();
    const window = this.#window;
    if (this.#timer !== undefined) window.gap(nowMs - this.#lastAnswerMs);
    this.#window = new Window(nowMs);
    return window.figure(nowMs);
  }

  /** Resolves when nothing is on its way any more. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
  }

  #pump(): void {
    const { rate, inFlightMax, patienceMs, send } = this.#options;
    const nowMs = performance.now();
    const due = ((nowMs - this.#startMs) / 1000) * rate;
    while (this.#taken < due) {
      if (this.#inFlight >= inFlightMax) {
        this.#window.held = true;
        break;
      }
      const dueMs = this.#startMs + (this.#taken++ / rate) * 1000;
      if (nowMs - dueMs > patienceMs) {
        this.#window.dropped(nowMs - dueMs);
        continue;
      }
      this.#window.sentLate(nowMs - dueMs);
      this.#inFlight++;
      send(this.#sent++, (ok) => this.#answered(dueMs, ok));
    }
  }

  #answered(dueMs: number, ok: boolean): void {
    const nowMs = performance.now();
    this.#inFlight--;
    this.#window.answered(nowMs - dueMs, ok);
    this.#window.gap(nowMs - this.#lastAnswerMs);
    this.#lastAnswerMs = nowMs;
    if (this.#timer !== undefined) this.#pump();
    else if (this.#inFlight === 0) this.#drained?.();
  }
}

class Window {
  readonly #startMs: number;
  readonly #took: RecordableHistogram = createHistogram(HISTOGRAM);
  readonly #late: RecordableHistogram = createHistogram(HISTOGRAM);
  #answered = 0;
  #failed = 0;
  #dropped = 0;
  #stallMs = 0;
  held = false;

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  answered(tookMs: number, ok: boolean): void {
    if (ok) this.#answered++;
    else this.#failed++;
    this.#took.record(micros(tookMs));
  }

  dropped(waitedMs: number): void {
    this.#dropped++;
    this.#took.record(micros(waitedMs));
  }

  sentLate(ms: number): void {
    this.#late.record(micros(ms));
  }

  gap(ms: number): void {
    if (ms > this.#stallMs) this.#stallMs = ms;
  }

  figure(nowMs: number): LoadFigure {
    const seconds = (nowMs - this.#startMs) / 1000;
    const at = (percent: number): number => this.#took.percentile(percent) / US;
    return {
      seconds,
      answered: this.#answered,
      perSecond: this.#answered / seconds,
      failed: this.#failed,
      dropped: this.#dropped,
      p50Ms: at(50),
      p90Ms: at(90),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: this.#took.count === 0 ? 0 : this.#took.max / US,
      stallMs: this.#stallMs,
      held: this.held,
      sentLateP99Ms: this.#late.percentile(99) / US,
    };
  }
}

function micros(ms: number): number {
  return Math.min(Math.max(Math.round(ms * US), HISTOGRAM.lowest), HISTOGRAM.highest);
}
