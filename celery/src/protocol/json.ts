import { EncodeError } from "./errors.ts";
import { parseJson } from "./json-parser.ts";
import { encodeTyped } from "./json-types.ts";
import { formatPythonFloat } from "./python-repr.ts";

/** Deeper values are refused both ways: they can only be a mistake or an attack. */
const MAX_DEPTH = 100;

/** JSON text to be written as it is, because it was encoded elsewhere. */
export interface RawJson {
  readonly [rawText]: string;
}

const rawText: unique symbol = Symbol("JSON text");

export function rawJson(text: string): RawJson {
  return { [rawText]: text };
}

/**
 * Writes JSON exactly as Python's `json.dumps` does under kombu: `", "` and `": "` as separators, non-ASCII
 * escaped, `NaN` and `Infinity` as bare tokens, and kombu's `__type__` envelope for dates (`Date`) and bytes
 * (`Uint8Array`). A `bigint` is a whole number. `undefined` is null, and in an object it is left out.
 *
 * @param name what the value is called in an error.
 * @throws EncodeError for what cannot travel (functions, symbols, Map, Set, cycles), naming its place.
 * @see kombu 5.7.0 utils/json.py
 */
export function encodeJson(value: unknown, name = "value"): string {
  return encode(value, name, 0);
}

/**
 * Reads JSON as kombu does, and refuses what is nested too deep before building any of it. Dates come back as
 * `Date`, bytes as `Uint8Array`; decimals, UUIDs, dates without time and times as text; whole numbers
 * beyond 2^53 as `bigint`. A key named `__proto__` is a plain key.
 *
 * @throws DecodeError
 */
export function decodeJson(text: string): unknown {
  return parseJson(text, MAX_DEPTH);
}

function encode(value: unknown, path: string, depth: number): string {
  switch (typeof value) {
    case "string":
      return encodeString(value);
    case "number":
      return encodeNumber(value);
    case "boolean":
    case "bigint":
      return String(value);
    case "undefined":
      return "null";
    case "object":
      return value === null ? "null" : encodeObject(value, path, depth);
    case "function":
    case "symbol":
      throw new EncodeError(`${path} is a ${typeof value}, which cannot be sent as JSON.`);
  }
}

function encodeObject(value: object, path: string, depth: number): string {
  if (depth >= MAX_DEPTH) {
    throw new EncodeError(`${path} is nested more than ${MAX_DEPTH} levels deep, or contains itself.`);
  }
  if (Array.isArray(value)) {
    return `[${value.map((item, index) => encode(item, `${path}[${index}]`, depth + 1)).join(", ")}]`;
  }
  if (rawText in value) return (value as RawJson)[rawText];
  const typed = encodeTyped(value, path);
  if (typed !== undefined) return encode(typed, path, depth + 1);
  if (hasToJson(value)) return encode(value.toJSON(), path, depth + 1);
  return encodeMapping(value, path, depth);
}

function encodeMapping(value: object, path: string, depth: number): string {
  const parts: string[] = [];
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    parts.push(`${encodeString(key)}: ${encode(inner, `${path}.${key}`, depth + 1)}`);
  }
  return `{${parts.join(", ")}}`;
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function";
}

function encodeNumber(value: number): string {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  if (Number.isFinite(value)) return formatPythonFloat(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

function encodeString(text: string): string {
  const quoted = JSON.stringify(text);
  if (!/[\u007f-\uffff]/.test(quoted)) return quoted;
  return quoted.replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
