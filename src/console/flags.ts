/**
 * Flags as etcd's commands have them: Go's kinds, Go's spellings, Go's words for what is wrong.
 * `go-arguments.ts` has brought every flag into the form `--name=value` by then.
 */
import { reasonOf } from "../base/errors.ts";
import { formatGoDuration, parseGoDuration } from "../base/go-duration.ts";
import { parseGoInt, parseGoUint } from "../base/go-int.ts";
import { invariant } from "../base/invariant.ts";
import { UsageError } from "./failure.ts";

export type FlagKind = "string" | "bool" | "int" | "int64" | "uint64" | "duration" | "list";

export interface FlagSpec {
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  readonly kind: FlagKind;
  /** As it would be typed. */
  readonly default: string;
  readonly help: string;
  /** The command does not run without it. */
  readonly required?: boolean;
  /** All that there are, if they are few: a shell offers them. */
  readonly values?: readonly string[];
  /** Works, and is in no help. */
  readonly hidden?: boolean;
}

export type FlagValue = string | boolean | number | bigint | readonly string[];

/** The values of the flags of one command line. */
export class FlagValues {
  readonly #valueNamed: (name: string) => unknown;
  readonly #isGiven: (name: string) => boolean;

  constructor(valueNamed: (name: string) => unknown, isGiven: (name: string) => boolean) {
    this.#valueNamed = valueNamed;
    this.#isGiven = isGiven;
  }

  /** Whether it stands on the command line, or in what was put over it. */
  given(name: string): boolean {
    return this.#isGiven(name);
  }

  /** These values in place of others, as if they stood on the command line. */
  with(values: ReadonlyMap<string, FlagValue>): FlagValues {
    return new FlagValues(
      (name) => values.get(name) ?? this.#valueNamed(name),
      (name) => values.has(name) || this.#isGiven(name),
    );
  }

  /** Of any kind, as Go prints it: `[a,b]`, `5s`. */
  shown({ name, kind }: FlagSpec): string {
    if (kind === "list") return `[${this.list(name).join(",")}]`;
    return kind === "duration"
      ? formatGoDuration(this.number(name))
      : String(this.#valueNamed(name));
  }

  text(name: string): string {
    const value = this.#valueNamed(name);
    invariant(typeof value === "string", "a flag that is asked for as text is one", { name });
    return value;
  }

  bool(name: string): boolean {
    const value = this.#valueNamed(name);
    invariant(typeof value === "boolean", "a flag that is asked for as a switch is one", { name });
    return value;
  }

  /** Of an `int`, and of a `duration`, which is in milliseconds. */
  number(name: string): number {
    const value = this.#valueNamed(name);
    invariant(typeof value === "number", "a flag that is asked for as a number is one", { name });
    return value;
  }

  /** Of a `uint64`, too. */
  int64(name: string): bigint {
    const value = this.#valueNamed(name);
    invariant(typeof value === "bigint", "a flag that is asked for as an int64 is one", { name });
    return value;
  }

  list(name: string): readonly string[] {
    const value = this.#valueNamed(name);
    invariant(Array.isArray(value), "a flag that is asked for as a list is one", { name });
    return value;
  }
}

/**
 * What was typed, over the defaults. The last of a flag given twice counts; lists grow.
 * @param options  as `goArguments` leaves them: `--name=value`, each of a flag that is known
 * @throws UsageError in pflag's words for a value that is none
 */
export function readFlags(options: readonly string[], specs: readonly FlagSpec[]): FlagValues {
  const given = new Map<string, FlagValue>();
  for (const option of options) {
    const equals = option.indexOf("=");
    const spec = specNamed(option.slice("--".length, equals), specs);
    const value = parseValue(spec, option.slice(equals + 1));
    const before = given.get(spec.name);
    // pflag: the first list on the command line takes the place of the default, further ones add to it.
    const isMore = Array.isArray(before) && Array.isArray(value);
    given.set(spec.name, isMore ? [...before, ...value] : value);
  }
  return new FlagValues(
    (name) => {
      const value = given.get(name);
      if (value !== undefined) return value;
      const spec = specNamed(name, specs);
      return parseValue(spec, spec.default);
    },
    (name) => given.has(name),
  );
}

function specNamed(name: string, specs: readonly FlagSpec[]): FlagSpec {
  const spec = specs.find((one) => one.name === name);
  invariant(spec !== undefined, "a flag that is read is among those of the command", { name });
  return spec;
}

/** @throws UsageError in pflag's words */
export function parseValue(spec: FlagSpec, text: string): FlagValue {
  switch (spec.kind) {
    case "string":
      return text;
    case "list":
      return text === "" ? [] : parseList(spec, text);
    case "bool":
      return parseBool(spec, text);
    case "int":
      return Number(parseInteger(spec, text));
    case "int64":
    case "uint64":
      return parseInteger(spec, text);
    case "duration":
      return parseDuration(spec, text);
  }
}

const TRUE: ReadonlySet<string> = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE: ReadonlySet<string> = new Set(["0", "f", "F", "false", "FALSE", "False"]);

function parseBool(spec: FlagSpec, text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw invalid(spec, text, `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** One line of comma-separated values: one in quotes may hold commas, and quotes twice. */
function parseList(spec: FlagSpec, text: string): readonly string[] {
  if (!text.includes('"')) return text.split(",");
  const items: string[] = [];
  const item = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/gy;
  for (let more = true; more; ) {
    const at = item.lastIndex;
    const [, inQuotes, plain = "", after] = item.exec(text) ?? [];
    if (after === undefined) throw invalid(spec, text, misplacedQuote(text, at));
    items.push(inQuotes?.replaceAll('""', '"') ?? plain);
    more = after === ",";
  }
  return items;
}

/** Where Go's reader stops. Columns are counted from 1. @param at  where the value begins */
function misplacedQuote(text: string, at: number): string {
  const where = (column: number): string => `parse error on line 1, column ${column}`;
  if (text[at] !== '"') {
    return `${where(text.indexOf('"', at) + 1)}: bare " in non-quoted-field`;
  }
  const inside = /"(?:[^"]|"")*/y;
  inside.lastIndex = at;
  inside.exec(text);
  return `${where(inside.lastIndex + 1)}: extraneous or missing " in quoted-field`;
}

function parseInteger(spec: FlagSpec, text: string): bigint {
  try {
    return spec.kind === "uint64" ? parseGoUint(text, 0) : parseGoInt(text, 0);
  } catch (error) {
    throw invalid(spec, text, reasonOf(error));
  }
}

function parseDuration(spec: FlagSpec, text: string): number {
  try {
    return parseGoDuration(text);
  } catch (error) {
    throw invalid(spec, text, reasonOf(error));
  }
}

function invalid(spec: FlagSpec, text: string, why: string): UsageError {
  const shown = spec.short === undefined ? `--${spec.name}` : `-${spec.short}, --${spec.name}`;
  return new UsageError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${why}`);
}
