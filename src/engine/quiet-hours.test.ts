import { expect, test } from "vitest";
import { StrataError } from "../base/errors.ts";
import { QuietHours } from "./quiet-hours.ts";

const at = (time: string, day = "2026-01-15"): Date => new Date(`${day}T${time}:00Z`);

test.each([
  ["08:00-18:00 UTC", ["08:00", "12:30", "17:59"], ["07:59", "18:00", "00:00"]],
  ["22:00-06:00 UTC", ["22:00", "23:59", "00:00", "05:59"], ["06:00", "21:59"]],
  ["08:00-18:00, 22:00-23:30 UTC", ["09:00", "22:00", "23:29"], ["18:00", "23:30", "07:59"]],
  ["00:00-24:00 UTC", ["00:00", "23:59"], []],
  ["20:00-24:00 UTC", ["20:00", "23:59"], ["00:00", "19:59"]],
  ["08:00-10:00 Asia/Kolkata", ["02:30", "04:29"], ["02:29", "04:30"]],
])("%s", (text, within, without) => {
  const hours = QuietHours.parse(text);
  expect(within.filter((time) => !hours?.includes(at(time)))).toEqual([]);
  expect(without.filter((time) => hours?.includes(at(time)))).toEqual([]);
});

test("a zone's hours go with its summer time", () => {
  const hours = QuietHours.parse("08:00-18:00 Europe/Berlin");
  expect(hours?.includes(at("06:30", "2026-01-15"))).toBe(false);
  expect(hours?.includes(at("06:30", "2026-07-15"))).toBe(true);
});

test("without a zone they are the machine's", () => {
  const now = new Date(2026, 0, 15, 12, 0);
  expect(QuietHours.parse("11:59-12:01")?.includes(now)).toBe(true);
  expect(QuietHours.parse("12:01-11:59")?.includes(now)).toBe(false);
});

test("none: never quiet", () => {
  expect(QuietHours.parse("")).toBeUndefined();
  expect(QuietHours.parse(" ")).toBeUndefined();
});

test.each([
  ["8-18", '"8-18" is no span such as 08:00-18:30'],
  ["08:00-18:00,", '"" is no span such as 08:00-18:30'],
  ["08:00", '"08:00" is no span such as 08:00-18:30'],
  ["08:00-24:01", "24:01 is no time of the day"],
  ["24:00-08:00", "24:00 is no time of the day"],
  ["08:60-09:00", "08:60 is no time of the day"],
  ["08:00-08:00", "08:00-08:00 is empty; the whole day is 00:00-24:00"],
  ["08:00-18:00 Mars/Olympus", 'there is no time zone "Mars/Olympus"'],
  ["UTC", '"UTC" is no span such as 08:00-18:30'],
  ["08:00-18:00 UTC later", '"08:00-18:00 UTC later" is no span such as 08:00-18:30'],
])("%s: %s", (text, message) => {
  expect(() => QuietHours.parse(text)).toThrow(new StrataError("BAD_ARGUMENT", message));
});
