/** A line of a transaction that compares: `mod("key") > "5"`. @see etcd etcdctl/ctlv3/command/txn_command.go ParseCompare */
import { parseGoInt } from "../../base/go-int.ts";
import { quoted } from "../../base/quote.ts";
import { rawText } from "../../base/raw-text.ts";
import { unquoted } from "../../base/unquote.ts";
import { EXIT_INVALID_INPUT } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import { CompareResult, CompareTarget } from "../../proto/messages.ts";
import type { Compare } from "../../proto/tables/kv.ts";
import type { Partially } from "../../proto/tables/message-table.ts";

const RESULTS: ReadonlyMap<string, number> = new Map([
  ["=", CompareResult.equal],
  ["!=", CompareResult.notEqual],
  [">", CompareResult.greater],
  ["<", CompareResult.less],
]);

type Operand = (value: Uint8Array) => Partially<Compare>;

const number = (value: Uint8Array, base: 10 | 16 = 10): bigint => parseGoInt(rawText(value), base);
const version: Operand = (value) => ({
  target: CompareTarget.version,
  version: number(value),
});
const create: Operand = (value) => ({
  target: CompareTarget.create,
  createRevision: number(value),
});
const mod: Operand = (value) => ({ target: CompareTarget.mod, modRevision: number(value) });
const val: Operand = (value) => ({ target: CompareTarget.value, value });
const lease: Operand = (value) => ({ target: CompareTarget.lease, lease: number(value, 16) });

const OPERANDS: ReadonlyMap<string, Operand> = new Map([
  ["ver", version],
  ["version", version],
  ["c", create],
  ["create", create],
  ["m", mod],
  ["mod", mod],
  ["val", val],
  ["value", val],
  ["lease", lease],
]);

/** @throws Failure 3 */
export function parseCompare(line: string): Partially<Compare> {
  const parenthesis = line.indexOf("(");
  if (parenthesis < 0) throw malformed(line);
  const target = line.slice(0, parenthesis);
  const { key, relation, value } = scanned(line.slice(parenthesis + 1));
  if (value === undefined) {
    const got = `${target}(${quoted(key ?? Buffer.of())}) ${relation ?? ""} ""`;
    throw malformed(`${line}; got ${got}`);
  }
  const operand = OPERANDS.get(target);
  if (operand === undefined) throw malformed(`${line} (unknown target ${target})`);
  const compared = compareWith(operand, value, line);
  const result = RESULTS.get(relation ?? "");
  if (result === undefined) throw malformed(`${line} (unknown operator ${relation})`);
  return { ...compared, key, result };
}

function compareWith(operand: Operand, value: Uint8Array, line: string): Partially<Compare> {
  try {
    return operand(value);
  } catch {
    throw new Failure(EXIT_INVALID_INPUT, `invalid txn compare request: ${line}`);
  }
}

function malformed(what: string): Failure {
  return new Failure(EXIT_INVALID_INPUT, `malformed comparison: ${what}`);
}

interface Scanned {
  readonly key?: Uint8Array | undefined;
  readonly relation?: string | undefined;
  readonly value?: Uint8Array | undefined;
}

/** As Go's Sscanf has it for `%q) %s %q`: as far as it goes. What follows does not count. */
function scanned(text: string): Scanned {
  const key = quotedAt(text, 0);
  if (key === undefined) return {};
  const [, relation, spaces] = /^\)\s+(\S+)(\s*)/.exec(text.slice(key.end)) ?? [];
  if (relation === undefined || spaces === undefined) return { key: key.bytes };
  const at = text.indexOf(relation, key.end + 1) + relation.length;
  const value = spaces === "" ? undefined : quotedAt(text, at);
  return { key: key.bytes, relation, value: value?.bytes };
}

const QUOTED = /\s*("(?:[^"\\]|\\.)*"|`[^`]*`)/sy;

function quotedAt(
  text: string,
  at: number,
): { readonly bytes: Uint8Array; readonly end: number } | undefined {
  QUOTED.lastIndex = at;
  const [, literal] = QUOTED.exec(text) ?? [];
  const bytes = literal === undefined ? undefined : unquoted(literal);
  return bytes && { bytes, end: QUOTED.lastIndex };
}
