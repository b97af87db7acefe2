/** The text of a rule, with the parentheses that it needs and no others: what is read back as the same. */
import { type Condition, PRECEDENCE, type Sum } from "./expression.ts";

/** Of what has no operator, and of what one stands before. */
const TIGHTEST = 6;

export function printDefragRule(condition: Condition): string {
  return printCondition(condition, 0);
}

/** @param around  how tightly what is around it binds */
function printCondition(condition: Condition, around: number): string {
  switch (condition.kind) {
    case "not":
      return `!${printCondition(condition.of, TIGHTEST)}`;
    case "comparison": {
      const { op, left, right } = condition;
      const inside = PRECEDENCE[op] + 1;
      const text = `${printSum(left, inside)} ${op} ${printSum(right, inside)}`;
      return enclosed(text, PRECEDENCE[op], around);
    }
    case "logical": {
      const { op, left, right } = condition;
      const own = PRECEDENCE[op];
      const text = `${printCondition(left, own)} ${op} ${printCondition(right, own + 1)}`;
      return enclosed(text, own, around);
    }
  }
}

function printSum(sum: Sum, around: number): string {
  switch (sum.kind) {
    case "number":
      return `${sum.value}${sum.unit ?? ""}`;
    case "size":
      return sum.name;
    case "minus":
      return `-${printSum(sum.of, TIGHTEST)}`;
    case "arithmetic": {
      const { op, left, right } = sum;
      const own = PRECEDENCE[op];
      return enclosed(`${printSum(left, own)} ${op} ${printSum(right, own + 1)}`, own, around);
    }
  }
}

function enclosed(text: string, own: number, around: number): string {
  return own < around ? `(${text})` : text;
}
