/**
 * Reads a rule. A number is no condition and a condition no number: that is seen here, so that what comes out can
 * always be evaluated.
 */
import {
  type ArithmeticOp,
  type ComparisonOp,
  type Condition,
  type LogicalOp,
  PRECEDENCE,
  SIZE_NAMES,
  type Sum,
  UNIT_BYTES,
  type Unit,
} from "./expression.ts";
import { badRule, type Token, tokensOf } from "./tokens.ts";

type Operator = LogicalOp | ComparisonOp | ArithmeticOp;

/** A part of the rule, of whichever type, and where it begins. */
type Part = { readonly column: number } & (
  | { readonly is: "number"; readonly sum: Sum }
  | { readonly is: "condition"; readonly condition: Condition }
);

/**
 * @param text  as in `dbSizeFree > 200MiB && dbQuotaUsage > 0.5`; not empty
 * @throws StrataError BAD_ARGUMENT with the place: `column 14: there is no unit "Mib"; …`
 */
export function parseDefragRule(text: string): Condition {
  return new Parser(tokensOf(text)).rule();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  rule(): Condition {
    const part = this.#expression(1);
    const after = this.#token;
    if (after.kind !== "end") throw badRule(after.column, `${shown(after)} was not expected here`);
    return conditionOf(part, "a rule is a condition, such as dbSizeFree > 200MiB");
  }

  get #token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  /** @returns the token, which is no more the next then, if it is `sign` */
  #taken(sign: string): Token | undefined {
    const token = this.#token;
    if (token.kind !== "sign" || token.text !== sign) return undefined;
    this.#at++;
    return token;
  }

  /** Operators that bind at least so tightly, and what is between them. */
  #expression(precedenceMin: number): Part {
    let left = this.#operand();
    for (;;) {
      const token = this.#token;
      const op = operatorOf(token);
      if (op === undefined || PRECEDENCE[op] < precedenceMin) return left;
      this.#at++;
      left = combined(op, token, left, this.#expression(PRECEDENCE[op] + 1));
    }
  }

  #operand(): Part {
    const not = this.#taken("!");
    if (not !== undefined) {
      const of = conditionOf(this.#operand(), "! is for a condition, in parentheses");
      return { is: "condition", condition: { kind: "not", of }, column: not.column };
    }
    const minus = this.#taken("-");
    if (minus !== undefined) {
      const of = sumOf(this.#operand(), "- is for a number");
      return { is: "number", sum: { kind: "minus", of }, column: minus.column };
    }
    const open = this.#taken("(");
    if (open === undefined) return this.#leaf();
    const inner = this.#expression(1);
    if (this.#taken(")") === undefined) {
      const { column } = this.#token;
      throw badRule(column, `a ) is missing for the ( at column ${open.column}`);
    }
    return { ...inner, column: open.column };
  }

  #leaf(): Part {
    const token = this.#token;
    const { column, text } = token;
    if (token.kind === "number") {
      this.#at++;
      const value = Number(text);
      if (!Number.isFinite(value)) throw badRule(column, `${text} is too great a number`);
      return { is: "number", sum: { kind: "number", value, unit: this.#unit() }, column };
    }
    if (token.kind !== "word") {
      throw badRule(column, `a number or a name was expected, not ${shown(token)}`);
    }
    if (!isOneOf(SIZE_NAMES, text)) {
      throw badRule(column, `there is no ${shown(token)}; there are ${SIZE_NAMES.join(", ")}`);
    }
    this.#at++;
    return { is: "number", sum: { kind: "size", name: text }, column };
  }

  #unit(): Unit | undefined {
    const token = this.#token;
    if (token.kind !== "word") return undefined;
    if (!isOneOf(UNITS, token.text)) {
      throw badRule(
        token.column,
        `there is no unit ${shown(token)}; there are ${UNITS.join(", ")}`,
      );
    }
    this.#at++;
    return token.text;
  }
}

const UNITS = Object.keys(UNIT_BYTES) as readonly Unit[];

function isOneOf<T extends string>(all: readonly T[], text: string): text is T {
  return (all as readonly string[]).includes(text);
}

function shown({ kind, text }: Token): string {
  return kind === "end" ? "the end" : JSON.stringify(text);
}

function operatorOf({ kind, text }: Token): Operator | undefined {
  return kind === "sign" && Object.hasOwn(PRECEDENCE, text) ? (text as Operator) : undefined;
}

function combined(op: Operator, { column: at }: Token, left: Part, right: Part): Part {
  const { column } = left;
  switch (op) {
    case "&&":
    case "||": {
      const why = `${op} is between conditions, such as dbSizeFree > 200MiB`;
      const [one, other] = [conditionOf(left, why), conditionOf(right, why)];
      const condition: Condition = { kind: "logical", op, left: one, right: other };
      return { is: "condition", condition, column };
    }
    case "+":
    case "-":
    case "*":
    case "/": {
      const why = `${op} is between numbers`;
      const [one, other] = [sumOf(left, why), sumOf(right, why)];
      return {
        is: "number",
        sum: { kind: "arithmetic", op, left: one, right: other },
        column,
      };
    }
    default: {
      if (left.is === "condition" && left.condition.kind === "comparison") {
        throw badRule(at, `${op} follows on a comparison; two of them are joined by &&`);
      }
      const why = `${op} is between numbers`;
      const [one, other] = [sumOf(left, why), sumOf(right, why)];
      const condition: Condition = { kind: "comparison", op, left: one, right: other };
      return { is: "condition", condition, column };
    }
  }
}

function conditionOf(part: Part, why: string): Condition {
  if (part.is === "condition") return part.condition;
  throw badRule(part.column, `this is a number, not a condition: ${why}`);
}

function sumOf(part: Part, why: string): Sum {
  if (part.is === "number") return part.sum;
  throw badRule(part.column, `this is a condition, not a number: ${why}`);
}
