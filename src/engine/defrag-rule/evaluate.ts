import {
  type ComparisonOp,
  type Condition,
  type Sizes,
  type Sum,
  UNIT_BYTES,
} from "./expression.ts";

/**
 * Whether a rule holds for these sizes. Numbers are IEEE's doubles: what is divided by 0 is infinite, and 0 / 0 is
 * neither below, above nor equal to anything.
 */
export function holds(condition: Condition, sizes: Sizes): boolean {
  switch (condition.kind) {
    case "not":
      return !holds(condition.of, sizes);
    case "comparison": {
      const { op, left, right } = condition;
      return compares(op, numberOf(left, sizes), numberOf(right, sizes));
    }
    case "logical": {
      const { op, left, right } = condition;
      return op === "&&"
        ? holds(left, sizes) && holds(right, sizes)
        : holds(left, sizes) || holds(right, sizes);
    }
  }
}

function compares(op: ComparisonOp, left: number, right: number): boolean {
  switch (op) {
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
  }
}

function numberOf(sum: Sum, sizes: Sizes): number {
  switch (sum.kind) {
    case "number":
      return sum.value * UNIT_BYTES[sum.unit ?? "B"];
    case "size":
      return sizes[sum.name];
    case "minus":
      return -numberOf(sum.of, sizes);
    case "arithmetic": {
      const left = numberOf(sum.left, sizes);
      const right = numberOf(sum.right, sizes);
      switch (sum.op) {
        case "+":
          return left + right;
        case "-":
          return left - right;
        case "*":
          return left * right;
        case "/":
          return left / right;
      }
    }
  }
}
