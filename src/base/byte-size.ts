/** Sizes as people type them: `1048576`, `512MiB`, `2.5 GB`. */
import { StrataError } from "./errors.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * A whole number of bytes, rounded down; upper case or lower does not matter.
 * @throws StrataError BAD_ARGUMENT, with all units in its text
 */
export function parseByteSize(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? [];
  const scale = UNITS[unit.toLowerCase()];
  const bytes = Math.floor(Number(digits) * (scale ?? 0));
  if (digits === "" || scale === undefined || !Number.isSafeInteger(bytes)) {
    const what = `${JSON.stringify(text)} is no size: a number of bytes, or one with kB, MB, GB, TB, KiB, MiB, GiB or TiB`;
    throw new StrataError("BAD_ARGUMENT", what);
  }
  return bytes;
}
