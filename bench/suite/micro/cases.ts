import { CHECKSUMS } from "./checksums.ts";
import { CODECS } from "./codecs.ts";
import { KEY_INDEX } from "./key-index.ts";
import type { MicroCase } from "./micro-case.ts";
import { PAGES } from "./pages.ts";
import { RECORDS_OF_LOG } from "./records.ts";

export const CASES: readonly MicroCase[] = [
  ...CHECKSUMS,
  ...PAGES,
  ...KEY_INDEX,
  ...RECORDS_OF_LOG,
  ...CODECS,
];
