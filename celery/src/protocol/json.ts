import { EncodeError } from "./errors.ts";
import { parseJson } from "./json-parser.ts";
import { encodeTyped, Unencodable } from "./json-types.ts";
import { formatPythonFloat } from "./python-repr.ts";
import { RawJson, Verbatim } from "./raw-json.ts";

/** Deeper values are refused both ways: they can only be a mistake or an attack. */
const MAX_DEPTH = 100;

/** Of a place inside a value, in an error. */
const MOST_STEPS = 10;

/** Text that `encodeJson` writes as it is. */
export function rawJson(text: string): RawJson {
  return new RawJson(text);
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
  const path: Path = [];
  try {
    return encode(value, path);
  } catch (error) {
    if (!(error instanceof Unencodable)) throw error;
    throw new EncodeError(`${name}${formatPath(path)} ${error.message}`);
  }
}

/** What stands between the quotes of a string in JSON, as Python writes it. */
export function escapeText(text: string): string {
  return PLAIN.test(text) ? text : encodeString(text).slice(1, -1);
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

/**
 * A number at whose end there may be more than JavaScript keeps (`2.0`, `1E5`, more than 16 digits, `-0`), or an envelope. Inside a text it
 * is no harm to be wrong.
 */
const MAY_CHANGE =
  /__type__|(?:^|[[:,])\s*(?:-?(?:\d+\.\d*0(?!\d)|\d[\d.]*[eE]|[\d.]{17})|-0(?=\s*[,\]}]|$))/;

/**
 * Reads what was written by others and is to be written again: what `encodeJson` would write differently is a `Verbatim`, and keeps its
 * text. As `decodeJson` in all else, and as fast for texts that have nothing of the kind.
 *
 * @throws DecodeError
 */
export function decodeVerbatim(text: string): unknown {
  return mayChange(text) ? parseJson(text, MAX_DEPTH, keepText) : parseJson(text, MAX_DEPTH);
}

/** Whether a text could hold anything that `decodeJson` and `encodeJson` together would change; if not, it does not. */
export function mayChange(text: string): boolean {
  return MAY_CHANGE.test(text);
}

function keepText(text: string, value: unknown): unknown {
  return encode(value, []) === text ? value : new Verbatim(text, value);
}

/** Where we are inside the value; only read when something is wrong there. */
type Path = (string | number)[];

/** A value that contains itself fails far inside; its first steps tell as much as a hundred of them. */
function formatPath(path: Path): string {
  const steps = path.map(formatStep);
  return steps.length <= MOST_STEPS ? steps.join("") : `${steps.slice(0, 5).join("")}…${steps.at(-1)}`;
}

function formatStep(step: string | number): string {
  return typeof step === "number" ? `[${step}]` : `.${step}`;
}

function encode(value: unknown, path: Path): string {
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
      return value === null ? "null" : encodeObject(value, path);
    case "function":
    case "symbol":
      throw new Unencodable(`is a ${typeof value}, which cannot be sent as JSON.`);
  }
}

function encodeObject(value: object, path: Path): string {
  if (path.length >= MAX_DEPTH) {
    throw new Unencodable(`is nested more than ${MAX_DEPTH} levels deep, or contains itself.`);
  }
  if (Array.isArray(value)) return encodeArray(value, path);
  if (isPlain(value)) return hasToJson(value) ? encode(value.toJSON(), path) : encodeMapping(value, path);
  if (value instanceof RawJson) return value.text;
  const typed = encodeTyped(value);
  if (typed !== undefined) return encodeMapping(typed, path);
  return hasToJson(value) ? encode(value.toJSON(), path) : encodeMapping(value, path);
}

function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}

function encodeArray(items: readonly unknown[], path: Path): string {
  let text = "[";
  for (let index = 0; index < items.length; index += 1) {
    path.push(index);
    text += index === 0 ? encode(items[index], path) : `, ${encode(items[index], path)}`;
    path.pop();
  }
  return `${text}]`;
}

function encodeMapping(value: object, path: Path): string {
  let text = "{";
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    path.push(key);
    text += `${text === "{" ? "" : ", "}${encodeString(key)}: ${encode(inner, path)}`;
    path.pop();
  }
  return `${text}}`;
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function";
}

function encodeNumber(value: number): string {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  if (Number.isFinite(value)) return formatPythonFloat(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

/** Nothing to escape. */
const PLAIN = /^[ !#-[\]-~]*$/;

function encodeString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
