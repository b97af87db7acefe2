/** What roles permit: as it is typed, and in all forms. */
import { type Keys, requestRange } from "../../api/key-range.ts";
import { rawBytes } from "../../base/raw-text.ts";
import { EXIT_BAD_ARGS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec, FlagValues } from "../../console/flags.ts";
import {
  AUTH_METHODS,
  type AuthRoleGetResponse,
  type Permission,
} from "../../proto/tables/auth.ts";
import { headerFields, quotedField } from "../print/fields.ts";
import { messageViews } from "../print/message-views.ts";
import type { Piece, Views } from "../print/print.ts";

/** By number. */
const PERMISSION_TYPES: readonly string[] = ["READ", "WRITE", "READWRITE"];

/** In any case. @throws Failure 128 */
export function permissionType(text: string): number {
  const type = PERMISSION_TYPES.indexOf(text.toUpperCase());
  if (type < 0) throw new Failure(EXIT_BAD_ARGS, `invalid permission type: ${text}`);
  return type;
}

export function rangeFlags(verb: string): FlagSpec[] {
  return [
    { name: "prefix", kind: "bool", default: "false", help: `${verb} all keys with this prefix` },
    {
      name: "from-key",
      kind: "bool",
      default: "false",
      help: `${verb} all keys from this one on, by their bytes`,
    },
  ];
}

interface Range {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** `\0`: as a key the least there is, as an end no end. */
const ZERO = Buffer.of(0);

/** @throws Failure 128 for flags and arguments that contradict each other */
export function permissionRange([key = "", end]: readonly string[], flags: FlagValues): Range {
  const isPrefix = flags.bool("prefix");
  const isFromKey = flags.bool("from-key");
  const many = isPrefix || isFromKey;
  if (isPrefix && isFromKey && (key === "" || end === undefined)) {
    throw refused("--from-key and --prefix flags are mutually exclusive");
  }
  // Without a key, what stands behind it counts for nothing.
  if (key === "") return { key: ZERO, rangeEnd: many ? ZERO : Buffer.of() };
  if (end !== undefined && many) {
    throw refused(`unexpected endkey argument with --${isPrefix ? "prefix" : "from-key"} flag`);
  }
  const bytes = rawBytes(key);
  if (end !== undefined) return { key: bytes, rangeEnd: rawBytes(end) };
  const keys: Keys = isPrefix ? { prefix: bytes } : isFromKey ? { start: bytes } : bytes;
  return requestRange(keys);
}

function refused(what: string): Failure {
  return new Failure(EXIT_BAD_ARGS, what);
}

const OPEN_ENDED = "<open ended>";

/** `[a, c)`, `[z, <open ended>` */
export function rangeText({ key, rangeEnd }: Range): Buffer {
  const isOpen = ZERO.equals(rangeEnd);
  return Buffer.concat([
    Buffer.from("["),
    key,
    Buffer.from(", "),
    ...(isOpen ? [Buffer.from(OPEN_ENDED)] : [rangeEnd, Buffer.from(")")]),
  ]);
}

export function roleViews(role: string, response: AuthRoleGetResponse): Views {
  return {
    ...messageViews(AUTH_METHODS.roleGet.output, response),
    simple: () => roleLines(role, response.perm),
    fields: () => [headerFields(response.header), ...response.perm.map(permissionFields)],
  };
}

const READS: ReadonlySet<number> = new Set([0, 2]);
const WRITES: ReadonlySet<number> = new Set([1, 2]);

function* roleLines(role: string, permissions: readonly Permission[]): Generator<Piece, void> {
  yield `Role ${role}\n`;
  // Who is root may do everything, and nothing of it is written down.
  const isRoot = role === "root" && permissions.length === 0;
  for (const [title, types] of [
    ["KV Read", READS],
    ["KV Write", WRITES],
  ] as const) {
    yield `${title}:\n`;
    if (isRoot) yield `\t[, ${OPEN_ENDED}\n`;
    for (const permission of permissions) {
      if (types.has(permission.permType)) yield* permissionLine(permission);
    }
  }
}

function* permissionLine({ key, rangeEnd }: Permission): Generator<Piece, void> {
  yield "\t";
  if (rangeEnd.length === 0) {
    yield key;
  } else {
    yield rangeText({ key, rangeEnd });
    const ofPrefix = requestRange({ prefix: key }).rangeEnd;
    if (key.length > 0 && Buffer.from(ofPrefix).equals(rangeEnd)) {
      yield " (prefix ";
      yield key;
      yield ")";
    }
  }
  yield "\n";
}

function permissionFields({ permType, key, rangeEnd }: Permission): string {
  // etcd prints two blanks here.
  const type = `"PermType" :  ${PERMISSION_TYPES[permType] ?? permType}\n`;
  return `${type}${quotedField("Key", key)}${quotedField("RangeEnd", rangeEnd)}`;
}
