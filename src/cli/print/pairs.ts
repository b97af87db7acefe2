/** Keys and values in simple form: a line of the one, a line of the other, byte for byte. */
import type { KeyValue } from "../../proto/tables/key-value.ts";
import type { Piece } from "./print.ts";

export interface PairForm {
  /** `--hex` */
  readonly hex: boolean;
  /** `--print-value-only` */
  readonly valueOnly?: boolean | undefined;
}

const NEWLINE = Buffer.from("\n");

export function* pairLines(
  { key, value }: Pick<KeyValue, "key" | "value">,
  { hex, valueOnly = false }: PairForm,
): Generator<Piece, void> {
  if (!valueOnly) {
    yield hex ? escapedHex(key) : key;
    yield NEWLINE;
  }
  yield hex ? escapedHex(value) : value;
  yield NEWLINE;
}

/** `foo` as `\x66\x6f\x6f`. */
export function escapedHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("hex")
    .replace(/../g, "\\x$&");
}
