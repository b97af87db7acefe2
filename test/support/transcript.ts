/** The form of the golden transcripts of etcdctl, and how two outcomes of a step are compared. Rules: test/golden. */

/** What a run of the client came to: an exit code, or the signal that ended it. */
export interface RanStep {
  readonly code: number | string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

interface Expected {
  /** null: not UTF-8, see `stdout_base64`. */
  readonly stdout: string | null;
  readonly stderr: string;
  /** null: ended by `signal`. */
  readonly code: number | null;
}

type SetUp =
  | { readonly file: string; readonly fill: { readonly byte: string; readonly count: number } }
  | {
      readonly file: string;
      readonly from: string;
      readonly drop_last?: number;
      readonly xor?: { readonly offset: number; readonly mask: number };
    };

export interface Step extends Expected {
  readonly meta?: Meta;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly stdin_fill?: { readonly byte: string; readonly count: number };
  readonly stdin_steps?: readonly (readonly [text: string, seconds: number])[];
  readonly stdout_base64?: string;
  readonly signal?: NodeJS.Signals;
  readonly signal_sent?: NodeJS.Signals;
  readonly during?: readonly Step[];
  readonly settle?: number;
  readonly before?: string;
  readonly setup?: readonly SetUp[];
  readonly repeat?: { readonly until_code: number; readonly max: number };
  readonly capture?: Readonly<Record<string, string>>;
  readonly alt?: readonly Partial<Expected>[];
  readonly merge_streams?: boolean;
  readonly bug?: unknown;
  readonly drop?: readonly string[];
  readonly volatile?: readonly string[];
  readonly normalize?: readonly string[];
  readonly unordered?: boolean;
  readonly stdout_is_usage?: boolean;
  readonly proto?: string;
}

export interface Meta {
  readonly about: string;
  readonly server: { readonly flags: readonly string[]; readonly tls?: boolean } | null;
  readonly fixtures?: readonly string[] | null;
}

const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

const ID = "\\b[0-9a-f]{16}\\b";
/** Ids come of ports and times here: one in sixteen begins with a zero, which is left out, or a blank. */
const SHORTER_ID =
  "(?:\\b[0-9a-f]{16}|(?:(?<= ) )?\\b[0-9a-f]{15}|(?:(?<= )  )?\\b[0-9a-f]{14})\\b";

/** Python's pattern as JavaScript's: flags at its front, and its `$` stands before a last line feed too. */
export function pattern(source: string): RegExp {
  if (source === ID) return new RegExp(SHORTER_ID, "g");
  const [, flags = "", rest = source] = /^\(\?([ms]+)\)(.*)$/s.exec(source) ?? [];
  const ended = flags.includes("m") ? rest : rest.replace(/\$$/, "(?=\\n?(?![\\s\\S]))");
  return new RegExp(ended, `g${flags}`);
}

/** How an outcome differs from the step, and from each outcome that counts as right besides; nothing if it does not. */
export function differences(
  step: Step,
  ran: RanStep,
  substitute: (text: string) => string,
): string[] {
  if (step.bug !== undefined) return [];
  let first: string[] | undefined;
  for (const also of [{}, ...(step.alt ?? [])]) {
    const found = differ({ ...step, ...also }, ran, substitute);
    if (found.length === 0) return [];
    first ??= found;
  }
  return first ?? [];
}

function differ(step: Step, ran: RanStep, substitute: (text: string) => string): string[] {
  const found: string[] = [];
  if (!sameEnd(step, ran.code)) {
    found.push(`code: want ${step.code ?? step.signal}, got ${ran.code}`);
  }
  const compare = (name: string, wanted: string, got: string): void => {
    const [want, have] = [normal(substitute(wanted), step), normal(got, step)];
    if (want !== have) {
      found.push(`${name}:\n  want ${JSON.stringify(want)}\n  got  ${JSON.stringify(have)}`);
    }
  };
  const stdout = ran.stdout.toString("utf8");
  const stderr = ran.stderr.toString("utf8");
  if (step.proto !== undefined) {
    const wanted =
      step.stdout === null ? Buffer.from(step.stdout_base64 ?? "", "base64") : step.stdout;
    const [want, have] = [Buffer.from(wanted), ran.stdout].map((bytes) =>
      protoView(bytes, step.proto ?? ""),
    );
    if (want !== have) found.push(`protobuf:\n  want ${want}\n  got  ${have}`);
  } else if (step.stdout === null) {
    if (ran.stdout.toString("base64") !== step.stdout_base64) found.push("bytes of stdout differ");
  } else if (step.stdout_is_usage && step.stdout !== "") {
    if (stdout.trim() === "") found.push("no usage text");
  } else if (step.merge_streams) {
    compare("output", step.stdout + step.stderr, stdout + stderr);
    return found;
  } else compare("stdout", step.stdout, stdout);
  compare("stderr", step.stderr, stderr);
  return found;
}

function sameEnd(step: Step, code: number | string): boolean {
  if (step.code !== null) return code === step.code;
  return code === step.signal || code === 128 + (SIGNALS[step.signal ?? ""] ?? 0);
}

function normal(text: string, step: Step): string {
  let left = text;
  for (const dropped of step.drop ?? []) left = left.replace(pattern(dropped), "");
  for (const changing of step.volatile ?? []) left = left.replace(pattern(changing), "<V>");
  if (step.normalize?.includes("table")) left = left.replace(/ +/g, " ").replace(/-+/g, "-");
  return step.unordered ? left.split("\n").sort().join("\n") : left;
}

type Field = readonly [field: number, value: bigint | Buffer];

/** One level of a protobuf message. @throws Error if it is none */
function fieldsOf(bytes: Buffer): Field[] {
  let at = 0;
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const fields: Field[] = [];
  while (at < bytes.length) {
    const tag = Number(varint());
    if ((tag & 7) === 0) fields.push([tag >> 3, varint()]);
    else if ((tag & 7) === 2) {
      const size = Number(varint());
      if (at + size > bytes.length) throw new Error("a field is cut short");
      fields.push([tag >> 3, bytes.subarray(at, at + size)]);
      at += size;
    } else throw new Error(`wire type ${tag & 7}`);
  }
  return fields;
}

/** What is compared of a message: all but the ids and the term in headers, members and alarms. */
function protoView(bytes: Buffer, name: string): string {
  try {
    return JSON.stringify(comparedFields(bytes, name), (_, value) =>
      typeof value === "bigint" ? value.toString() : value,
    );
  } catch (error) {
    return `no protobuf message: ${error}`;
  }
}

function comparedFields(bytes: Buffer, name: string): unknown {
  const only = (value: Buffer, wanted: (field: number) => boolean): unknown =>
    fieldsOf(value).filter(([field]) => wanted(field));
  if (name.endsWith(".ResponseHeader")) return only(bytes, (field) => field === 3);
  const named = /\.(?:MemberList|Alarm)Response$/.test(name);
  return fieldsOf(bytes)
    .filter(([field, value]) => !(field === 1 && name.endsWith(".AlarmResponse") && value))
    .map(([field, value]) => {
      if (typeof value === "bigint") return [field, value];
      if (field === 1) return [field, only(value, (inner) => inner === 3)];
      if (field === 2 && named) return [field, only(value, (inner) => inner !== 1)];
      return [field, value];
    });
}
