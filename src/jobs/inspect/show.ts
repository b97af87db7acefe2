/** How keys, values and numbers are shown in a report's text. */
import { styleText } from "node:util";
import { crc32c } from "../../../native-free/crc32c.ts";
import { hex } from "../../base/bytes.ts";
import type { Json } from "../../base/json.ts";
import { printableText, quoted } from "../../base/quote.ts";

export interface ShowOptions {
  /** Keys and values in hex. */
  readonly hex: boolean;
  /** Leave values out: their lengths and CRC-32C instead. */
  readonly redact: boolean;
  readonly colour: boolean;
}

/** A value in a list is shown so far, in bytes. */
const SHOWN_VALUE_BYTES = 128;
const SHOWN_KEY_BYTES = 64;

export class Show {
  readonly #options: ShowOptions;

  constructor(options: ShowOptions) {
    this.#options = options;
  }

  get redact(): boolean {
    return this.#options.redact;
  }

  head(text: string): string {
    return this.#options.colour ? styleText("bold", text) : text;
  }

  bad(text: string): string {
    return this.#options.colour ? styleText("red", text) : text;
  }

  key(bytes: Uint8Array): string {
    return this.#options.hex ? hex(bytes) : quoted(bytes);
  }

  /** A key's beginning, for a table. */
  keyStart(bytes: Uint8Array): string {
    if (bytes.length <= SHOWN_KEY_BYTES) return this.key(bytes);
    return `${this.key(bytes.subarray(0, SHOWN_KEY_BYTES))}… (${bytes.length} bytes)`;
  }

  /** A value whole. */
  value(bytes: Uint8Array): string {
    return this.redact ? redacted(bytes) : this.key(bytes);
  }

  /** A value's beginning. */
  valueStart(bytes: Uint8Array): string {
    if (this.redact || bytes.length <= SHOWN_VALUE_BYTES) return this.value(bytes);
    return `${this.key(bytes.subarray(0, SHOWN_VALUE_BYTES))}… (${bytes.length} bytes)`;
  }

  /** A value's fields in JSON, under `name`. */
  valueFields(name: string, bytes: Uint8Array): { readonly [name: string]: Json | undefined } {
    if (this.redact) return { [`${name}_bytes`]: bytes.length, [`${name}_crc32c`]: crcOf(bytes) };
    return {
      [name]: bytes.length === 0 ? undefined : bytes,
      [`${name}_text`]: bytes.length === 0 ? undefined : printableText(bytes),
    };
  }
}

/** A key's fields in JSON: base64, and text where it can be read. */
export function keyFields(bytes: Uint8Array): { readonly [name: string]: Json | undefined } {
  return { key: bytes, key_text: printableText(bytes) };
}

/** `32.8 kB`, in powers of 1000 as etcdctl shows sizes. */
export function shownBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : 1;
  return `${size.toFixed(digits)} ${units[unit]}`;
}

function redacted(bytes: Uint8Array): string {
  return `<${bytes.length} bytes, crc32c ${crcOf(bytes)}>`;
}

function crcOf(bytes: Uint8Array): string {
  return crc32c(bytes).toString(16).padStart(8, "0");
}

/** `1 key`, `2 keys`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
