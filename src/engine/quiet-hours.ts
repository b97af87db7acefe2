/**
 * Hours of the day in which nothing is begun that can wait: `08:00-18:00,22:00-06:00`, in the time of the machine, or
 * of a zone that stands behind them: `08:00-18:00 Europe/Berlin`.
 */
import { StrataError } from "../base/errors.ts";

const MINUTES_PER_DAY = 24 * 60;

/** In minutes of the day; the end is not of it. Where it is not after the start, the span goes over midnight. */
interface Span {
  readonly start: number;
  readonly end: number;
}

export class QuietHours {
  /** As it was given. */
  readonly text: string;
  readonly #spans: readonly Span[];
  readonly #wall: Intl.DateTimeFormat;

  private constructor(text: string, spans: readonly Span[], wall: Intl.DateTimeFormat) {
    this.text = text;
    this.#spans = spans;
    this.#wall = wall;
  }

  /**
   * @param text  spans and commas between them, in any order; blanks are passed over. A span may end at 24:00. A zone is
   *   named as in the IANA's data base
   * @returns undefined for an empty text
   * @throws StrataError BAD_ARGUMENT
   */
  static parse(text: string): QuietHours | undefined {
    if (text.trim() === "") return undefined;
    const found = /^([\d:,\s-]*?)(?:\s+([A-Za-z]\S*))?\s*$/.exec(text);
    const [hours, zone] = found === null ? [text] : [found[1] ?? "", found[2]];
    const spans = hours.split(",").map((one) => spanOf(one.trim()));
    return new QuietHours(text, spans, wallClock(zone));
  }

  /** @param now  a day on which clocks are changed has its hours as they are shown */
  includes(now: Date): boolean {
    const shown = this.#wall.format(now);
    const minute = minuteOf(shown);
    return this.#spans.some(({ start, end }) =>
      start < end ? start <= minute && minute < end : start <= minute || minute < end,
    );
  }
}

function wallClock(timeZone: string | undefined): Intl.DateTimeFormat {
  const format = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  try {
    return new Intl.DateTimeFormat(
      "en-GB",
      timeZone === undefined ? format : { ...format, timeZone },
    );
  } catch {
    throw bad(`there is no time zone ${JSON.stringify(timeZone)}`);
  }
}

function spanOf(text: string): Span {
  const [, from, to] = /^(\d\d:\d\d)\s*-\s*(\d\d:\d\d)$/.exec(text) ?? [];
  if (from === undefined || to === undefined) {
    throw bad(`${JSON.stringify(text)} is no span such as 08:00-18:30`);
  }
  const [start, end] = [minuteOf(from), minuteOf(to)];
  for (const [shown, minute, max] of [
    [from, start, MINUTES_PER_DAY - 1],
    [to, end, MINUTES_PER_DAY],
  ] as const) {
    if (minute > max || Number(shown.slice(3)) > 59) throw bad(`${shown} is no time of the day`);
  }
  if (start === end) throw bad(`${text} is empty; the whole day is 00:00-24:00`);
  return { start, end };
}

/** @param shown  `HH:MM` */
function minuteOf(shown: string): number {
  return Number(shown.slice(0, 2)) * 60 + Number(shown.slice(3, 5));
}

function bad(what: string): StrataError {
  return new StrataError("BAD_ARGUMENT", what);
}
