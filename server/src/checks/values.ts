import type { BinaryOperator } from "./expression.ts";
import type { Json } from "./facts.ts";

/** As in Python: null, false, 0, "" and an empty list are not true. */
export function isTrue(value: Json): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

export function isScalar(value: Json): value is string | number | boolean | null {
  return value === null || typeof value !== "object";
}

function isRecord(value: Json): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Own properties only: the learner's JSON decides the names. Lists and texts have `length` and `count`. */
export function propertyOf(value: Json, name: string): Json {
  if (Array.isArray(value) || typeof value === "string") {
    return name === "length" || name === "count" ? value.length : null;
  }
  return isRecord(value) && Object.hasOwn(value, name) ? (value[name] ?? null) : null;
}

export function itemOf(value: Json, index: Json): Json {
  if (Array.isArray(value) && typeof index === "number") return (value as readonly Json[]).at(index) ?? null;
  return typeof index === "string" ? propertyOf(value, index) : null;
}

export function combine(operator: Exclude<BinaryOperator, "and" | "or">, left: Json, right: Json): Json {
  switch (operator) {
    case "==":
      return isSame(left, right);
    case "!=":
      return !isSame(left, right);
    case "<":
      return order(left, right, (sign) => sign < 0);
    case "<=":
      return order(left, right, (sign) => sign <= 0);
    case ">":
      return order(left, right, (sign) => sign > 0);
    case ">=":
      return order(left, right, (sign) => sign >= 0);
    case "+":
      return plus(left, right);
    case "-":
      return arithmetic(left, right, (a, b) => a - b);
    case "*":
      return arithmetic(left, right, (a, b) => a * b);
    case "/":
      return arithmetic(left, right, (a, b) => a / b);
  }
}

function isSame(left: Json, right: Json): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, at) => isSame(item as Json, right[at] as Json));
  }
  if (isRecord(left) && isRecord(right)) {
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length &&
      keys.every((key) => Object.hasOwn(right, key) && isSame(left[key] as Json, right[key] as Json))
    );
  }
  return left === right;
}

function order(left: Json, right: Json, holds: (sign: number) => boolean): boolean {
  if (typeof left === "number" && typeof right === "number") return holds(left - right);
  if (typeof left === "string" && typeof right === "string") {
    return holds(left === right ? 0 : left < right ? -1 : 1);
  }
  return false;
}

function plus(left: Json, right: Json): Json {
  if (left === null || right === null || !isScalar(left) || !isScalar(right)) return null;
  if (typeof left === "string" || typeof right === "string") return `${left}${right}`;
  return arithmetic(left, right, (a, b) => a + b);
}

function arithmetic(left: Json, right: Json, apply: (a: number, b: number) => number): Json {
  if (typeof left !== "number" || typeof right !== "number") return null;
  const value = apply(left, right);
  return Number.isFinite(value) ? value : null;
}
