/**
 * JSON as etcdctl writes it: 64-bit integers as plain numbers with all their digits, bytes in base64, fields without a
 * value left out. `JSON.stringify` can do none of the three.
 */

export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

export function jsonText(value: Json): string {
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `"${base64(value)}"`;
  if (isList(value)) return `[${value.map(jsonText).join(",")}]`;
  return `{${jsonFields(value)}}`;
}

/** The fields of an object, without its braces: for one that is written in pieces. */
export function jsonFields(value: { readonly [name: string]: Json | undefined }): string {
  let out = "";
  for (const name in value) {
    const field = value[name];
    if (field !== undefined) {
      out += `${out === "" ? "" : ","}${JSON.stringify(name)}:${jsonText(field)}`;
    }
  }
  return out;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
