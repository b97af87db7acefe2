/** What a field of a request is, or that it must not be. @see RFC 9113, 8.2 and 8.3 */

export const FieldKind = {
  regular: 0,
  method: 1,
  scheme: 2,
  path: 3,
  authority: 4,
  host: 5,
  contentLength: 6,
  /** No request may have it, for its name, its value or both. */
  malformed: 7,
} as const;

export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

/** About the connection, which is HTTP/2's own affair; and what a response alone may have. */
const KINDS: ReadonlyMap<string, FieldKind> = new Map<string, FieldKind>([
  [":method", FieldKind.method],
  [":scheme", FieldKind.scheme],
  [":path", FieldKind.path],
  [":authority", FieldKind.authority],
  ["host", FieldKind.host],
  ["content-length", FieldKind.contentLength],
  ["connection", FieldKind.malformed],
  ["proxy-connection", FieldKind.malformed],
  ["keep-alive", FieldKind.malformed],
  ["transfer-encoding", FieldKind.malformed],
  ["upgrade", FieldKind.malformed],
]);

export function fieldKind(name: string, value: string): FieldKind {
  const kind = KINDS.get(name);
  if (!isFieldValue(value)) return FieldKind.malformed;
  if (kind === FieldKind.contentLength)
    return /^[0-9]{1,15}$/.test(value) ? kind : FieldKind.malformed;
  if (kind !== undefined) return kind;
  if (name === "te") return value === "trailers" ? FieldKind.regular : FieldKind.malformed;
  return isFieldName(name) ? FieldKind.regular : FieldKind.malformed;
}

/** No upper case, no colon (the pseudo-headers are known by name), nothing that is not printed. */
function isFieldName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c <= 0x20 || c >= 0x7f || (c >= 0x41 && c <= 0x5a) || c === 0x3a) return false;
  }
  return name !== "";
}

function isFieldValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === 0 || c === 0x0a || c === 0x0d) return false;
  }
  return !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(value.length - 1));
}

function isBlank(c: number): boolean {
  return c === 0x20 || c === 0x09;
}
