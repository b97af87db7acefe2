/** The words of a rule. */
import { StrataError } from "../../base/errors.ts";

export interface Token {
  readonly kind: "number" | "word" | "sign" | "end";
  readonly text: string;
  /** Of its first character; the first of all is 1. */
  readonly column: number;
}

/** More than anybody needs, and little enough for what reads it to go into itself. */
const CHARACTERS_MAX = 1000;

const NUMBER = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_]\w*/y;
const SIGN = /&&|\|\||[=!<>]=|[<>!()+\-*/]/y;
const SPACE = /\s+/y;

const KINDS = [
  ["number", NUMBER],
  ["word", WORD],
  ["sign", SIGN],
] as const;

/** @throws StrataError BAD_ARGUMENT: `column 14: …` */
export function tokensOf(text: string): Token[] {
  if (text.length > CHARACTERS_MAX) {
    throw badRule(CHARACTERS_MAX + 1, `a rule has ${CHARACTERS_MAX} characters at most`);
  }
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    at += matchAt(SPACE, text, at).length;
    if (at === text.length) break;
    const token = tokenAt(text, at);
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: "end", text: "", column: text.length + 1 });
  return tokens;
}

function tokenAt(text: string, at: number): Token {
  for (const [kind, pattern] of KINDS) {
    const found = matchAt(pattern, text, at);
    if (found !== "") return { kind, text: found, column: at + 1 };
  }
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  const hint = HINTS.get(character) ?? "";
  throw badRule(at + 1, `${JSON.stringify(character)} has no meaning here${hint}`);
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ["=", "; equality is =="],
  ["&", "; and is &&"],
  ["|", "; or is ||"],
  ["%", "; half of it is * 0.5"],
]);

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

export function badRule(column: number, what: string): StrataError {
  return new StrataError("BAD_ARGUMENT", `column ${column}: ${what}`);
}
